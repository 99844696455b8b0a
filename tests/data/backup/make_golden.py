"""Make the golden object and the vectors anew, with fixed keys: none of them may keep a secret.

Run from the root of the project: `python -m tests.data.backup.make_golden`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from tests.backup.vectors import Vector, key_id, padme, pkcs7, write

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
FILES = HERE / "golden"
KEY = bytes(range(32))
OTHER = bytes(range(32, 64))
THIRD = bytes(range(64, 96))
PACK = b"what a pack holds is of no matter here, but for its length"
SCHEMA = """\
CREATE TABLE node_earnings (
    row_key BIGINT PRIMARY KEY,
    node_id VARCHAR NOT NULL,
    amount_usd DECIMAL(18, 6) NOT NULL,
    duration INTERVAL
);
"""
ROWS = """
VALUES (1, 'alex', 500.25, INTERVAL 90 MINUTE), (2, 'betty', 120.5, NULL),
    (3, 'carol', 0, INTERVAL 1 MONTH)
"""
PART = "parts/node_earnings/0-0.parquet"


def make_files() -> None:
    """Write what the pack of the golden object holds."""
    part = FILES / PART
    part.parent.mkdir(parents=True, exist_ok=True)
    (FILES / "schema.sql").write_text(SCHEMA, encoding="utf-8")
    connection = duckdb.connect()
    connection.execute(SCHEMA)
    connection.execute(f"INSERT INTO node_earnings {ROWS}")
    connection.execute(
        "COPY (SELECT * REPLACE (CAST(duration AS VARCHAR) AS duration) FROM node_earnings "
        f"ORDER BY row_key) TO '{part}' (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd)"
    )
    (FILES / "manifest.json").write_text(json.dumps(manifest()), encoding="utf-8")


def manifest() -> dict[str, object]:
    """Return the manifest of the golden object."""
    backup = "20260102T020000Z-0001"
    part = FILES / PART
    columns = {
        "row_key": "BIGINT",
        "node_id": "VARCHAR",
        "amount_usd": "DECIMAL(18,6)",
        "duration": "INTERVAL",
    }
    file = {
        "backup": backup,
        "path": PART,
        "sha256": hashlib.sha256(part.read_bytes()).hexdigest(),
        "size": part.stat().st_size,
        "rows": 3,
        "chunks": [[0, 0]],
    }
    table = {
        "schema": "main",
        "name": "node_earnings",
        "columns": columns,
        "texts": ["duration"],
        "key": "row_key",
        "width": 2048,
        "time": None,
        "rows": 3,
        "files": [file],
    }
    schema = {"backup": backup, "sha256": hashlib.sha256(SCHEMA.encode()).hexdigest()}
    return {
        "format": 1,
        "backup_id": backup,
        "kind": "full",
        "sequence": 1,
        "created_at": "2026-01-02T02:00:00Z",
        "duckdb_version": duckdb.__version__,
        "previous": None,
        "needs": {},
        "schema": schema,
        "tables": [table],
    }


def make_object() -> None:
    """Write the golden object."""
    pack = io.BytesIO()
    with tarfile.open(fileobj=pack, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("manifest.json", "schema.sql", PART):
            member = tarfile.TarInfo(name)
            member.size = (FILES / name).stat().st_size
            member.mtime = 1767319200
            with (FILES / name).open("rb") as file:
                tar.addfile(member, file)
    (HERE / "golden.bin").write_bytes(write(pack.getvalue(), [KEY], seed=b"golden"))


def good() -> dict[str, Vector]:
    """Return the vectors that a reader must accept."""

    def vector(pack: bytes, keys: list[bytes], at_hand: tuple[bytes, ...] = (KEY,)) -> Vector:
        plain = pack.ljust(padme(len(pack)), b"\0")
        data = write(pack, keys, seed=repr((pack, keys)).encode())
        return Vector("success", at_hand, hashlib.sha256(plain).hexdigest(), data)

    sized = {f"pack-{n}": vector((PACK * 2)[:n], [KEY]) for n in (0, 1, 15, 16, 17, 97)}
    return sized | {
        "slots-two": vector(PACK, [OTHER, KEY]),
        "slots-as-many-as-fit": vector(PACK, [*(bytes([n]) * 32 for n in range(22)), KEY]),
        "keys-two": vector(PACK, [KEY], (OTHER, KEY)),
    }


def bad_lines() -> dict[str, Callable[[list[str]], list[str]]]:
    """Return changes of the header's lines, each of which breaks one rule."""

    def line(number: int, old: str, new: str) -> Callable[[list[str]], list[str]]:
        return lambda text: [
            *text[:number],
            text[number].replace(old, new, 1),
            *text[number + 1 :],
        ]

    def upper(number: int) -> Callable[[list[str]], list[str]]:
        def change(text: list[str]) -> list[str]:
            name, _, value = text[number].partition(": ")
            return [*text[:number], f"{name}: {value.upper()}", *text[number + 1 :]]

        return change

    names = ("format", "cipher", "mac", "iv", "length", "slot")
    missing = {
        f"{name}-missing": lambda text, n=n: text[:n] + text[n + 1 :]
        for n, name in enumerate(names)
    }
    twice = {
        f"{name}-twice": lambda text, n=n: [*text[: n + 1], *text[n:]]
        for n, name in enumerate(names)
    }
    return {
        **missing,
        **twice,
        "format-2": line(0, "1", "2"),
        "format-01": line(0, "1", "01"),
        "cipher-unknown": line(1, "aes-256-cbc", "none"),
        "mac-unknown": line(2, "hmac-sha-256", "none"),
        "iv-short": lambda text: [*text[:3], text[3][:-2], *text[4:]],
        "iv-upper-case": upper(3),
        "length-zero": lambda text: [*text[:4], "length: 0", *text[5:]],
        "length-leading-zero": line(4, ": ", ": 0"),
        "length-sign": line(4, ": ", ": +"),
        "length-a-block-more": line(4, "64", "80"),
        "length-a-block-less": line(4, "64", "48"),
        "slot-upper-case": upper(5),
        "slot-short": lambda text: [*text[:5], text[5][:-2]],
        "slot-of-another": lambda text: [*text[:5], text[5].replace(key_id(OTHER), key_id(KEY))],
        "line-unknown": lambda text: [*text, "comment: none"],
        "line-empty": lambda text: [text[0], "", *text[1:]],
        "line-order": lambda text: [text[0], text[2], text[1], *text[3:]],
        "line-two-spaces": line(3, ": ", ":  "),
        "line-cr": lambda text: [f"{one}\r" for one in text],
        "line-not-ascii": lambda text: [*text, "\xa0"],
    }


def bad() -> dict[str, Vector]:
    """Return the vectors that a reader must reject."""
    plain = write(PACK, [KEY], seed=b"bad")
    expected = dict.fromkeys(("format-2", "format-01", "cipher-unknown", "mac-unknown"), "unknown")
    expected["format-missing"] = "no container"
    lines = {
        name: (write(PACK, [_slot(name)], seed=b"bad", lines=change), expected.get(name, "damaged"))
        for name, change in bad_lines().items()
    }
    flips = {"flip-iv": 60, "flip-slot": 160, "flip-ciphertext": 4100, "flip-mac": len(plain) - 1}
    others = {
        "file-empty": (b"", "no container"),
        "file-shorter-than-header": (plain[:4095], "no container"),
        "file-header-only": (plain[:4096], "damaged"),
        "file-without-mac": (plain[:-32], "damaged"),
        "file-shorter": (plain[:-1], "damaged"),
        "file-longer": (plain + b"\0", "damaged"),
        "file-text": (b"nothing of the kind\n" * 300, "no container"),
        "header-tabs": (_headed(lambda raw: raw.replace(b"  ", b"\t\t")), "damaged"),
        "header-text-at-end": (_headed(lambda raw: raw[:-2] + b"x\n"), "damaged"),
        "header-no-line-feed": (_headed(lambda raw: raw[:-1] + b" "), "damaged"),
        "length-no-block": (
            write(PACK, [KEY], seed=b"bad", cipher=lambda data: data + b"\0"),
            "damaged",
        ),
        "padding-0": (_ended(lambda plain: plain[:-1] + b"\0"), "damaged"),
        "padding-17": (_ended(lambda plain: plain[:-1] + b"\x11"), "damaged"),
        "padding-uneven": (_ended(lambda plain: plain[:-2] + b"\x01\x02"), "damaged"),
        "key-other": (write(PACK, [OTHER, THIRD], seed=b"bad"), "no key"),
    } | {name: (_flipped(plain, place), "damaged") for name, place in flips.items()}
    return {
        name: Vector(expect, (KEY,), None, data)
        for name, (data, expect) in (lines | others).items()
    }


def _slot(name: str) -> bytes:
    return OTHER if name == "slot-of-another" else KEY


def _headed(change: Callable[[bytes], bytes]) -> bytes:
    return write(PACK, [KEY], seed=b"bad", header=change)


def _ended(change: Callable[[bytes], bytes]) -> bytes:
    return write(PACK, [KEY], seed=b"bad", plain=lambda data: change(pkcs7(data)))


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def main() -> None:
    """Write all of it beside this script."""
    make_files()
    make_object()
    folder = HERE / "vectors"
    folder.mkdir(exist_ok=True)
    for name, vector in (good() | bad()).items():
        vector.save(folder / f"{name}.bin")


if __name__ == "__main__":
    main()
