"""Containers: what is sealed comes back, and nothing comes out of what is not as it was sealed."""

from __future__ import annotations

import hashlib
import random
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.backup import vectors
from tests.backup.vectors import Refused, Vector

from pnlbook.backup import container
from pnlbook.backup.container import (
    HEADER_BYTES,
    MAC_BYTES,
    Damaged,
    NoKey,
    NotAContainer,
    PackSizeWrong,
    UnknownFormat,
    checksum,
    object_size,
    padded_size,
    seal,
    unseal,
)
from pnlbook.backup.errors import BackupError, IntegrityFailure
from pnlbook.backup.keyring import Key, Keyring
from pnlbook.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator


DATA = Path(__file__).parents[1] / "data/backup"
VECTORS = sorted((DATA / "vectors").glob("*.bin"))
DOCUMENT = Path(__file__).parents[2] / "docs/backup-format.md"
EXPECTED: dict[str, type[IntegrityFailure]] = {
    "no container": NotAContainer,
    "unknown": UnknownFormat,
    "damaged": Damaged,
    "no key": NoKey,
}
KEY = Key.of(bytes(range(32)))
OTHER = Key.of(bytes(range(32, 64)))
RING = Keyring([KEY])
CANARY = b"canary-51c0ffee-in-clear"
STEP = container._STEP
SIZES = [
    *(0, 1, 2, 15, 16, 17),
    *(n + d for n in (2**7, 2**10, 2**16, 2**20) for d in (-1, 0, 1)),
    *(n * STEP + d for n in (1, 2, 3) for d in (-16, -1, 0, 1)),
]


def sealed(folder: Path, pack: bytes, key: Key = KEY, name: str = "object") -> Path:
    path = folder / name
    seal([pack], len(pack), key, path)
    return path


def opened(path: Path, ring: Keyring = RING) -> bytes:
    return b"".join(unseal(path, ring))


def refusal(path: Path, ring: Keyring = RING) -> IntegrityFailure:
    """Return the error of an object that must be refused before its first byte comes out."""
    with pytest.raises(IntegrityFailure) as raised:
        next(unseal(path, ring))
    assert raised.value.exit_code == ExitCode.INTEGRITY
    return raised.value


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return an object of 1,000 bytes."""
    return sealed(tmp_path_factory.mktemp("small"), CANARY.ljust(1000, b".")).read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_every_size_comes_back(size: int, tmp_path: Path) -> None:
    pack = random.Random(size).randbytes(size)  # noqa: S311 - made-up data
    path = tmp_path / "object"

    result = seal([pack], size, KEY, path)

    plain = opened(path)
    assert plain == pack.ljust(padded_size(size), b"\0")
    assert plain == vectors.read(path.read_bytes(), [KEY.secret])
    assert result.size == path.stat().st_size == object_size(size)
    assert result.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() == checksum(path)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 2))
def test_how_the_pack_is_cut_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], large: int
) -> None:
    pieces.insert(len(pieces) // 2, bytes(large * STEP + large))
    pack = b"".join(pieces)
    told: list[int] = []
    path = tmp_path_factory.mktemp("cut") / "object"

    seal(iter(pieces), len(pack), KEY, path, told.append)

    assert opened(path).startswith(pack)
    assert sum(told) == len(pack)


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    path = sealed(tmp_path, bytes(3 * STEP))
    told: list[int] = []

    list(unseal(path, RING, told.append))

    assert sum(told) == 2 * (path.stat().st_size - HEADER_BYTES - MAC_BYTES)


def test_nothing_of_the_pack_shows(tmp_path: Path) -> None:
    pack = (CANARY + b"pnlbook manifest.json") * 500
    first, second = (sealed(tmp_path, pack, name=name).read_bytes() for name in ("a", "b"))

    for data in (first, second):
        for word in (CANARY, b"pnlbook", b"manifest", KEY.secret, KEY.secret.hex().encode()):
            assert word not in data
    assert vectors._fields(first[:4096])["iv"] != vectors._fields(second[:4096])["iv"]
    assert vectors._fields(first[:4096])["slot"] != vectors._fields(second[:4096])["slot"]
    shared = sum(a == b for a, b in zip(first[4096:], second[4096:], strict=True))
    assert shared < len(first) // 50  # one in 256 by chance


def test_packs_of_one_padded_size_look_alike(tmp_path: Path) -> None:
    sizes = [size for size in range(10_000, 10_500) if padded_size(size) == 10_240]
    shortest, longest = (sealed(tmp_path, bytes(n), name=str(n)) for n in (sizes[0], sizes[-1]))

    assert sizes[-1] - sizes[0] > 200
    assert shortest.stat().st_size == longest.stat().st_size
    one, other = (vectors._fields(p.read_bytes()[:4096])["length"] for p in (shortest, longest))
    assert one == other


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2**20))
@example(1, 1)
@example(2, 1)
def test_padme(length: int, more: int) -> None:
    size = padded_size(length)

    assert length <= size <= length * 1.12
    assert padded_size(size) == size == vectors.padme(length)
    assert padded_size(length + more) >= size


def test_padme_leaves_few_sizes() -> None:
    assert len({padded_size(length) for length in range(2**16 + 1, 2**17 + 1)}) == 2**5


def test_file_is_private_and_new(tmp_path: Path) -> None:
    path = sealed(tmp_path, b"first")
    before = path.read_bytes()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        sealed(tmp_path, b"second")
    assert path.read_bytes() == before


@pytest.mark.parametrize("found", [0, 9, 11, 2 * STEP])
def test_a_pack_of_another_size_leaves_no_file(found: int, tmp_path: Path) -> None:
    with pytest.raises(PackSizeWrong, match="a pack of 10 bytes was announced") as raised:
        seal([bytes(found)], 10, KEY, tmp_path / "object")

    assert isinstance(raised.value, BackupError)
    assert not list(tmp_path.iterdir())


def test_a_pack_that_is_too_long_is_not_awaited(tmp_path: Path) -> None:
    pieces = iter([bytes(STEP)] * 20)

    with pytest.raises(PackSizeWrong):
        seal(pieces, 10 * STEP, KEY, tmp_path / "object")
    assert len(list(pieces)) == 9


def test_a_pack_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield bytes(3 * STEP)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        seal(failing(), 4 * STEP, KEY, tmp_path / "object")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_a_flip_of_any_byte_of_the_header(small: bytes, bit: int, tmp_path: Path) -> None:
    path = tmp_path / "flipped"
    for place in range(HEADER_BYTES):
        path.write_bytes(_flipped(small, place, bit))
        with pytest.raises(IntegrityFailure):
            next(unseal(path, RING))


def test_a_flip_of_any_byte_behind_the_header(small: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flipped"
    for place in range(HEADER_BYTES, len(small)):
        path.write_bytes(_flipped(small, place, 1 << place % 8))
        assert "authentication code" in str(refusal(path))


def test_a_flip_in_a_large_object(tmp_path: Path) -> None:
    data = sealed(tmp_path, bytes(3 * STEP)).read_bytes()
    places = random.Random(1).sample(range(HEADER_BYTES, len(data)), 20)  # noqa: S311 - a sample
    for place in (*places, HEADER_BYTES + STEP - 1, HEADER_BYTES + STEP, len(data) - 1):
        path = tmp_path / "flipped"
        path.write_bytes(_flipped(data, place, 1))
        refusal(path)


def _flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]


@pytest.mark.parametrize("cut", [0, 1, 9, 4095, 4096, 4097, 4112, -33, -32, -31, -16, -1])
def test_a_truncated_object(small: bytes, cut: int, tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(small[:cut])

    refusal(path)


@pytest.mark.parametrize("more", [b"\0", b"\n", bytes(16), bytes(32), bytes(5000)])
def test_a_longer_object(small: bytes, more: bytes, tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(small + more)

    assert f"not the {len(small)}" in str(refusal(path))


@pytest.mark.parametrize(
    "part", [slice(0, 4096), slice(4096, 4112), slice(4096, -32), slice(-32, None)]
)
def test_parts_of_two_objects(part: slice, tmp_path: Path) -> None:
    one, other = (sealed(tmp_path, bytes(500), name=name).read_bytes() for name in ("a", "b"))
    mixed = bytearray(one)
    mixed[part] = other[part]
    path = tmp_path / "mixed"
    path.write_bytes(mixed)

    refusal(path)


def test_two_blocks_in_each_others_place(tmp_path: Path) -> None:
    data = sealed(tmp_path, random.Random(2).randbytes(500)).read_bytes()  # noqa: S311 - made up
    path = tmp_path / "swapped"
    path.write_bytes(data[:4096] + data[4112:4128] + data[4096:4112] + data[4128:])

    refusal(path)


def test_no_key_names_what_is_missing_and_what_is_there(tmp_path: Path) -> None:
    path = sealed(tmp_path, b"for one key", key=OTHER)

    error = refusal(path)

    assert isinstance(error, NoKey)
    assert f"made for key {OTHER.id}; at hand is {KEY.id}." in str(error)
    assert f"made for key {OTHER.id}; at hand is none." in str(refusal(path, Keyring([])))


def test_a_key_that_only_claims_the_id(tmp_path: Path) -> None:
    path = sealed(tmp_path, b"for one key")

    error = refusal(path, Keyring([Key(KEY.id, OTHER.secret)]))

    assert isinstance(error, Damaged)


@pytest.mark.parametrize("ring", [[KEY, OTHER], [OTHER, KEY]])
def test_any_key_of_the_ring_opens(ring: list[Key], tmp_path: Path) -> None:
    for key in (KEY, OTHER):
        assert opened(sealed(tmp_path, b"pack", key, key.id), Keyring(ring)) == b"pack"


@pytest.mark.parametrize("place", [0, STEP, 2 * STEP, -48, -33])
def test_a_change_between_checking_and_reading(place: int, tmp_path: Path) -> None:
    pack = random.Random(3).randbytes(2 * STEP + 100)  # noqa: S311 - made-up data
    path = sealed(tmp_path, pack)
    size = path.stat().st_size - HEADER_BYTES - MAC_BYTES
    changed = HEADER_BYTES + place if place >= 0 else path.stat().st_size + place
    seen: list[int] = []

    def change(count: int) -> None:
        seen.append(count)
        if sum(seen) == size:  # all is checked, nothing is read yet
            path.write_bytes(_flipped(path.read_bytes(), changed, 1))

    out: list[bytes] = []
    with pytest.raises(Damaged, match="it changed while it was read"):
        out.extend(unseal(path, RING, change))
    assert pack.startswith(b"".join(out))


def test_a_file_that_becomes_shorter_while_it_is_read(tmp_path: Path) -> None:
    path = sealed(tmp_path, bytes(2 * STEP))
    blocks = unseal(path, RING)
    next(blocks)
    path.write_bytes(path.read_bytes()[: HEADER_BYTES + STEP + 8])

    with pytest.raises(Damaged, match="shorter"):
        list(blocks)


def test_a_missing_file_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(unseal(tmp_path / "none", RING))


def test_an_unknown_format_says_so(tmp_path: Path) -> None:
    path = tmp_path / "later"
    path.write_bytes(Vector.load(DATA / "vectors/format-2.bin").data)

    assert "asks for format '2', and this pnlbook knows only '1'" in str(refusal(path))


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_vector(path: Path, tmp_path: Path) -> None:
    vector = Vector.load(path)
    target = tmp_path / "object"
    target.write_bytes(vector.data)
    ring = Keyring([Key.of(key) for key in vector.keys])
    if vector.expect == "success":
        plain = opened(target, ring)
        assert hashlib.sha256(plain).hexdigest() == vector.sha256
        assert vectors.read(vector.data, vector.keys) == plain
        return
    assert type(refusal(target, ring)) is EXPECTED[vector.expect]
    with pytest.raises(Refused):
        vectors.read(vector.data, vector.keys)


def test_vectors_are_of_every_kind() -> None:
    assert {Vector.load(path).expect for path in VECTORS} == {"success", *EXPECTED}


def test_the_document_shows_the_golden_header() -> None:
    header = (DATA / "golden.bin").read_bytes()[:4096].decode("ascii").rstrip()

    assert f"```text\n{header}\n```" in DOCUMENT.read_text(encoding="utf-8")
