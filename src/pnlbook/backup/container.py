"""One encrypted object of format 1: ASCII header, AES-256-CBC, then HMAC-SHA-256 over both.

`docs/backup-format.md` specifies it. Sizes are in bytes; key ids are public, keys never are.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from pnlbook.backup.errors import BackupError, IntegrityFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pnlbook.backup.keyring import Key, Keyring

HEADER_BYTES = 4096
MAC_BYTES = 32

_KEY_BYTES = 32
_AES_BLOCK = 16
_STEP = 1 << 18  # of reading, hashing and encrypting; what stays in a processor's cache is quicker
_NAMED = re.compile(rb"(format|cipher|mac): ([!-~]{1,40})\n")
_KNOWN = {"format": "1", "cipher": "aes-256-cbc", "mac": "hmac-sha-256"}
_LAYOUT = re.compile(
    rb"format: 1\ncipher: aes-256-cbc\nmac: hmac-sha-256\n"
    rb"iv: ([0-9a-f]{32})\n"
    rb"length: ([1-9][0-9]{0,15})\n"
    rb"((?:slot: [0-9a-f]{16} [0-9a-f]{144}\n)+)"
    rb" *\n"
)


class NotAContainer(IntegrityFailure):
    """The file is none of the objects that a backup makes."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} is no backup object: {problem}. Name another file.")


class UnknownFormat(IntegrityFailure):
    """The header asks for something that this program does not know."""

    def __init__(self, path: Path, name: str, value: str) -> None:
        super().__init__(
            f"{path} asks for {name} '{value}', and this pnlbook knows only '{_KNOWN[name]}'. "
            "A newer pnlbook may know it; else the object is damaged: fetch another copy."
        )


class Damaged(IntegrityFailure):
    """The object is not as it was written."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} is damaged: {problem}. Fetch it again, or take another copy.")


class NoKey(IntegrityFailure):
    """No key at hand opens the object; ids are public."""

    def __init__(self, path: Path, made_for: Iterable[str], at_hand: Iterable[str]) -> None:
        super().__init__(
            f"{path} was made for key {_listed(made_for)}; at hand is {_listed(at_hand)}. "
            "Bring the key in from its recovery sheet with 'pnlbook keys import'."
        )


class PackSizeWrong(BackupError):
    """The pack has another size than was announced for it."""

    def __init__(self, announced: int, found: int) -> None:
        super().__init__(
            f"a pack of {announced} bytes was announced, but it came to {found} or more; "
            "no object was written. Run the backup again."
        )


@dataclass(frozen=True)
class Sealed:
    """A finished object: its size in bytes and its SHA-256, the public checksum, in hex."""

    size: int
    sha256: str


@dataclass(frozen=True)
class _Header:
    """What the first 4096 bytes say: `length` of the ciphertext, wrapped keys by key id."""

    iv: bytes
    length: int
    slots: dict[str, bytes]


def _ignore(count: int) -> None:
    _ = count


def padded_size(length: int) -> int:
    """Return the Padmé size of `length` bytes: at most 12 % more, few distinct sizes."""
    if length < 2:  # noqa: PLR2004 - 0 and 1 have no second logarithm
        return length
    exponent = length.bit_length() - 1
    unit = 1 << (exponent - exponent.bit_length())
    return -(-length // unit) * unit


def object_size(pack_bytes: int) -> int:
    """Return the size of the object made of a pack of that size."""
    return HEADER_BYTES + _cipher_size(padded_size(pack_bytes)) + MAC_BYTES


def checksum(path: Path) -> str:
    """Return the SHA-256 of a whole file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(
    pack: Iterable[bytes],
    pack_bytes: int,
    key: Key,
    target: Path,
    on_bytes: Callable[[int], None] = _ignore,
) -> Sealed:
    """Encrypt a pack of `pack_bytes` bytes into the new file `target`, mode 0600, fsynced.

    on_bytes: told of each piece of the pack, by its size. When anything fails, no file is left.
    Raises PackSizeWrong, FileExistsError.
    """
    keys, iv = os.urandom(2 * _KEY_BYTES), os.urandom(_AES_BLOCK)
    length = _cipher_size(padded_size(pack_bytes))
    header = _render(_Header(iv, length, {key.id: aes_key_wrap(key.secret, keys)}))
    sha256 = hashlib.sha256(header)
    mac = hmac.new(keys[_KEY_BYTES:], header, "sha256")

    def digest(block: memoryview) -> None:
        sha256.update(block)
        mac.update(block)

    plain = _evenly(_padded(pack, pack_bytes, on_bytes))
    with _new_file(target) as file, ThreadPoolExecutor(1) as helper:
        file.write(header)
        digested: Future[None] = helper.submit(digest, memoryview(b""))
        for block in _encrypted(plain, keys[:_KEY_BYTES], iv):
            digested.result()
            digested = helper.submit(digest, block)
            file.write(block)
        digested.result()
        file.write(mac.digest())
    sha256.update(mac.digest())
    return Sealed(HEADER_BYTES + length + MAC_BYTES, sha256.hexdigest())


def unseal(
    path: Path, keyring: Keyring, on_bytes: Callable[[int], None] = _ignore
) -> Iterator[bytes]:
    """Yield the pack in the object at `path`, and the zero bytes that pad it.

    The whole object is authenticated before a byte is decrypted, and every block a second time
    before it is yielded. on_bytes: told of each block read, so in all of twice the ciphertext.
    Raises NotAContainer, UnknownFormat, Damaged, NoKey.
    """
    with path.open("rb") as file:
        raw = file.read(HEADER_BYTES)
        header = _parsed(path, raw, os.fstat(file.fileno()).st_size)
        keys = _unwrapped(path, header, keyring)
        mac = hmac.new(keys[_KEY_BYTES:], raw, "sha256")
        tags, end = _authenticated(path, file, header, mac.copy(), on_bytes)
        plain_bytes = header.length - _padding(path, keys[:_KEY_BYTES], end)
        decryptor = _cipher(keys[:_KEY_BYTES], header.iv).decryptor()
        file.seek(HEADER_BYTES)
        for block, tag in zip(_blocks(path, file, header.length), tags, strict=True):
            mac.update(block)
            if not hmac.compare_digest(mac.copy().digest(), tag):
                raise Damaged(path, "it changed while it was read")
            on_bytes(len(block))
            yield decryptor.update(block)[:plain_bytes]
            plain_bytes -= len(block)


def _cipher_size(plain_bytes: int) -> int:
    return plain_bytes + _AES_BLOCK - plain_bytes % _AES_BLOCK


def _cipher(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES256(key), modes.CBC(iv))


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids)) or "none"


def _render(header: _Header) -> bytes:
    lines = [f"{name}: {value}" for name, value in _KNOWN.items()]
    lines += [f"iv: {header.iv.hex()}", f"length: {header.length}"]
    lines += [f"slot: {key_id} {wrapped.hex()}" for key_id, wrapped in header.slots.items()]
    text = "\n".join(lines) + "\n"
    return (text.ljust(HEADER_BYTES - 1) + "\n").encode("ascii")


def _parsed(path: Path, raw: bytes, size: int) -> _Header:
    """Return what the header says, when it is one of format 1 and the file has its size."""
    if len(raw) < HEADER_BYTES or not raw.startswith(b"format: "):
        raise NotAContainer(path, f"it does not begin with a header of {HEADER_BYTES} bytes")
    for name, value in _NAMED.findall(raw):
        if _KNOWN[name.decode()] != value.decode():
            raise UnknownFormat(path, name.decode(), value.decode())
    match = _LAYOUT.fullmatch(raw)
    if match is None:
        raise Damaged(path, "its header breaks the rules of format 1")
    length = int(match[2])
    if length % _AES_BLOCK:
        raise Damaged(path, "its header gives a length that no ciphertext has")
    expected = HEADER_BYTES + length + MAC_BYTES
    if size != expected:
        raise Damaged(path, f"it has {size} bytes, not the {expected} that its header gives")
    return _Header(bytes.fromhex(match[1].decode()), length, _slots(path, match[3]))


def _slots(path: Path, lines: bytes) -> dict[str, bytes]:
    slots: dict[str, bytes] = {}
    for line in lines.decode().splitlines():
        _, key_id, wrapped = line.split(" ")
        if key_id in slots:
            raise Damaged(path, f"its header has two slots for key {key_id}")
        slots[key_id] = bytes.fromhex(wrapped)
    return slots


def _unwrapped(path: Path, header: _Header, keyring: Keyring) -> bytes:
    """Return the object's encryption key and MAC key, joined, from a slot that opens."""
    held = [(key, header.slots[key.id]) for key in keyring.keys if key.id in header.slots]
    if not held:
        raise NoKey(path, header.slots, (key.id for key in keyring.keys))
    for key, wrapped in held:
        try:
            return aes_key_unwrap(key.secret, wrapped)
        except InvalidUnwrap:
            continue
    raise Damaged(path, f"its slot of key {_listed(key.id for key, _ in held)} does not open")


def _authenticated(
    path: Path, file: BinaryIO, header: _Header, mac: hmac.HMAC, on_bytes: Callable[[int], None]
) -> tuple[list[bytes], bytes]:
    """Check the MAC over the whole object; return the MACs up to each block, and the end.

    The end is the last two AES blocks of IV and ciphertext.
    """
    tags, end = [], header.iv
    for block in _blocks(path, file, header.length):
        mac.update(block)
        tags.append(mac.copy().digest())
        end = (end + block[-2 * _AES_BLOCK :])[-2 * _AES_BLOCK :]
        on_bytes(len(block))
    if not hmac.compare_digest(mac.digest(), file.read(MAC_BYTES)):
        raise Damaged(path, "its authentication code does not match")
    return tags, end


def _padding(path: Path, key: bytes, end: bytes) -> int:
    """Return how many bytes of PKCS#7 padding there are; in CBC the last block opens alone."""
    last = _cipher(key, end[:_AES_BLOCK]).decryptor().update(end[_AES_BLOCK:])
    count = last[-1]
    if not 1 <= count <= _AES_BLOCK or last[-count:] != bytes([count]) * count:
        raise Damaged(path, "its padding is not that of PKCS#7")
    return count


def _blocks(path: Path, file: BinaryIO, length: int) -> Iterator[bytes]:
    """Yield the next `length` bytes of the file in steps."""
    while length:
        block = file.read(min(_STEP, length))
        if len(block) < min(_STEP, length):
            raise Damaged(path, "it became shorter while it was read")
        yield block
        length -= len(block)


def _padded(
    pack: Iterable[bytes], pack_bytes: int, on_bytes: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield the pack, zeros up to its Padmé size, and the padding of PKCS#7."""
    found = 0
    for piece in pack:
        found += len(piece)
        if found > pack_bytes:
            break
        yield piece
        on_bytes(len(piece))
    if found != pack_bytes:
        raise PackSizeWrong(pack_bytes, found)
    size = padded_size(pack_bytes)
    for start in range(pack_bytes, size, _STEP):
        yield bytes(min(_STEP, size - start))
    count = _cipher_size(size) - size
    yield bytes([count]) * count


def _evenly(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in blocks of one step each, the last one shorter."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= _STEP:
            yield bytes(buffer[:_STEP])
            del buffer[:_STEP]
    yield bytes(buffer)


def _encrypted(blocks: Iterable[bytes], key: bytes, iv: bytes) -> Iterator[memoryview]:
    """Yield each block encrypted; a block stays valid until the second one after it."""
    encryptor = _cipher(key, iv).encryptor()
    buffers = cycle([bytearray(_STEP + _AES_BLOCK) for _ in range(2)])
    for block, buffer in zip(blocks, buffers, strict=False):
        yield memoryview(buffer)[: encryptor.update_into(block, buffer)]


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new file of mode 0600, on the disk at the end of the block or gone if it fails."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
