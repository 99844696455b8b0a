"""The manifest: every table of the book, and which files of which backups hold its rows.

A restore reads one manifest and never replays a chain: an older file is read for the chunks that
are still current in it. See `docs/backup-format.md`, Pack.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from pnlbook.backup.errors import IntegrityFailure

FORMAT = 1
ROWS_HERE = "-- The rows are loaded here.\n"  # in schema.sql, after the tables
KINDS = ("full", "incremental", "schema", "data")


class UnknownManifest(IntegrityFailure):
    """A manifest does not say what this program understands."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"the manifest of the backup cannot be read: {problem}. "
            "It may be of a newer pnlbook: upgrade, then try again."
        )


@dataclass(frozen=True)
class File:
    """A Parquet file: in which backup's pack it lies, and which chunks are current in it.

    chunks: ranges `(first, last)`, both included; rows: those of these chunks.
    """

    backup: str
    path: str
    sha256: str
    size: int
    rows: int
    chunks: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TableEntry:
    """A table: `columns` maps names to types, `texts` names those that are stored as text."""

    schema: str
    name: str
    columns: dict[str, str]
    texts: tuple[str, ...]
    key: str | None
    width: int
    time: str | None
    rows: int
    fingerprint: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class SchemaEntry:
    """The file `schema.sql`: in which backup's pack it lies."""

    backup: str
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What one backup says of the book at one moment.

    needs: backup → SHA-256 of its object, for every other backup whose files are read.
    key_id: of the key that wraps this object; book_size: bytes of the book's file.
    previous: SHA-256 of the manifest before this one; None for the first.
    """

    backup_id: str
    kind: str
    sequence: int
    created_at: str
    duckdb_version: str
    program_version: str
    key_id: str
    book_size: int
    previous: str | None
    schema: SchemaEntry
    tables: tuple[TableEntry, ...]
    needs: dict[str, str]
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """Return how many rows the backup brings back."""
        return sum(table.rows for table in self.tables)

    def to_json(self) -> bytes:
        """Return the manifest as it stands in a pack."""
        text = json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))
        return text.encode()

    def own_files(self) -> list[File]:
        """Return the files that lie in this backup's own pack."""
        return [f for table in self.tables for f in table.files if f.backup == self.backup_id]


def digest(manifest: bytes) -> str:
    """Return the SHA-256 of a manifest's bytes."""
    return hashlib.sha256(manifest).hexdigest()


def from_json(data: bytes) -> Manifest:
    """Read a manifest; raises UnknownManifest."""
    try:
        values = json.loads(data)
        if values["format"] != FORMAT:
            problem = f"its format is {values['format']}, not {FORMAT}"
            raise UnknownManifest(problem)
        if values["kind"] not in KINDS:
            problem = f"its kind is {values['kind']!r}"
            raise UnknownManifest(problem)
        tables = tuple(_table(table) for table in values.pop("tables"))
        schema = SchemaEntry(**values.pop("schema"))
        return Manifest(tables=tables, schema=schema, **values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{type(error).__name__} {error}"
        raise UnknownManifest(problem) from error


def _table(values: dict[str, Any]) -> TableEntry:
    files = tuple(
        File(**(file | {"chunks": tuple((first, last) for first, last in file["chunks"])}))
        for file in values.pop("files")
    )
    return TableEntry(files=files, texts=tuple(values.pop("texts")), **values)


def ranges(numbers: list[int]) -> tuple[tuple[int, int], ...]:
    """Return ascending numbers as ranges, both ends included."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def numbers(found: tuple[tuple[int, int], ...]) -> list[int]:
    """Return the numbers that ranges hold."""
    return [number for first, last in found for number in range(first, last + 1)]
