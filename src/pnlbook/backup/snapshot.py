"""The snapshot: what a book holds at one moment, as Parquet files of the chunks that changed.

All of it is read in one transaction; nothing of DuckDB's own file is copied, whose free blocks
still hold deleted rows.
"""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from pnlbook.backup.errors import BackupError
from pnlbook.backup.manifest import ROWS_HERE, File, SchemaEntry, TableEntry, numbers, ranges
from pnlbook.backup.pack import SCHEMA_FILE
from pnlbook.backup.schema import dump_schema
from pnlbook.backup.tables import fingerprints, read_tables, total
from pnlbook.book import identifier, quote, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pnlbook.backup.manifest import Manifest
    from pnlbook.backup.schema import Schema
    from pnlbook.backup.tables import Table

_FILE_KEYS = 1 << 20  # keys a file: it can be sorted and checked in memory
_REWRITE = 0.5  # with more of a table changed than this, its old files are left behind
_WRITTEN = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, ROW_GROUP_SIZE 122880"


class NotStored(BackupError):
    """A table cannot be written without loss."""

    def __init__(self, table: str, reason: str) -> None:
        super().__init__(
            f"table {table} cannot be backed up without loss: {reason}. Nothing was stored; "
            "change the type of that column or drop the table, then back up again."
        )


@dataclass(frozen=True)
class Base:
    """The backup that an incremental one builds on, with the fingerprints of its chunks.

    chunks: columns schema, name, chunk, rows, mixed, added.
    """

    manifest: Manifest
    chunks: pl.DataFrame


@dataclass(frozen=True)
class Snapshot:
    """What was read: the tables' entries, the schema, and the fingerprints of all chunks."""

    tables: tuple[TableEntry, ...]
    schema: SchemaEntry
    chunks: pl.DataFrame


@dataclass(frozen=True)
class Taking:
    """One snapshot under way.

    folder: where to write; base: what it builds on (None: on nothing, everything is written);
    tell: called with a table's name and rows done and in all.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path
    backup_id: str
    kind: str
    base: Base | None
    tell: Callable[[str, int, int], None]

    def earlier(self, table: Table) -> TableEntry | None:
        """Return what the base says of a table, unless its columns or chunks are others now."""
        if self.base is None:
            return None
        found = [
            entry
            for entry in self.base.manifest.tables
            if (entry.schema, entry.name) == (table.schema, table.name)
        ]
        same = found and found[0].columns == _types(table)
        return found[0] if same and (found[0].key, found[0].width) == _cut(table) else None


def take(taking: Taking) -> Snapshot:
    """Write what changed since the base and return what was read. Raises NotStored, BackupError."""
    run(taking.connection, "BEGIN")
    try:
        # The schema is read beside the rows, by its own cursor: no process can write meanwhile.
        with ThreadPoolExecutor(1) as beside, taking.connection.cursor() as cursor:
            dumped = beside.submit(dump_schema, cursor)
            chunks = [] if taking.kind == "schema" else _fingerprints(taking)
            schema = _schema(taking, dumped.result())
        entries, done = [], 0
        rows = sum(int(found["rows"].sum()) for _, found in chunks)
        for table, found in chunks:
            taking.tell(table.name, done, rows)
            entries.append(_entry(taking, table, found))
            done += entries[-1].rows
        taking.tell("", rows, rows)
        return Snapshot(tuple(entries), schema, _chunk_frame(chunks))
    finally:
        run(taking.connection, "ROLLBACK")


def _fingerprints(taking: Taking) -> list[tuple[Table, pl.DataFrame]]:
    """Return every table with the fingerprints of its chunks."""
    known = taking.base.manifest.tables if taking.base else ()
    widths = {(entry.schema, entry.name): entry.width for entry in known if entry.key}
    tables = read_tables(taking.connection, widths)
    return [(table, fingerprints(taking.connection, table)) for table in tables]


def _schema(taking: Taking, schema: Schema) -> SchemaEntry:
    """Write schema.sql, unless the base has the same, and return where it is."""
    text = f"{schema.before}\n{ROWS_HERE}{schema.after}".encode()
    sha256 = hashlib.sha256(text).hexdigest()
    earlier = taking.base.manifest.schema if taking.base else None
    if earlier is not None and taking.kind in {"incremental", "data"} and earlier.sha256 == sha256:
        return earlier
    (taking.folder / SCHEMA_FILE).write_bytes(text)
    return SchemaEntry(taking.backup_id, sha256)


def _chunk_frame(found: list[tuple[Table, pl.DataFrame]]) -> pl.DataFrame:
    empty = pl.DataFrame(
        schema={
            "schema": pl.String,
            "name": pl.String,
            "chunk": pl.Int64,
            "rows": pl.Int64,
            "mixed": pl.UInt64,
            "added": pl.Int64,
        }
    )
    named = [
        chunks.select(pl.lit(table.schema).alias("schema"), pl.lit(table.name).alias("name"), "*")
        for table, chunks in found
    ]
    return pl.concat([empty, *named])


def _entry(taking: Taking, table: Table, chunks: pl.DataFrame) -> TableEntry:
    kept = _kept(taking.base, taking.earlier(table), chunks)
    current = {number for file in kept for number in numbers(file.chunks)}
    new = [n for n in chunks["chunk"].to_list() if n not in current]
    files = (*kept, *_write(taking, table, new, whole=not kept)) if new else kept
    return TableEntry(
        schema=table.schema,
        name=table.name,
        columns=_types(table),
        texts=tuple(column.name for column in table.columns if not column.native),
        key=table.key,
        width=table.width,
        time=table.time,
        rows=int(chunks["rows"].sum()),
        fingerprint=total(chunks),
        files=files,
    )


def _types(table: Table) -> dict[str, str]:
    return {column.name: column.type for column in table.columns}


def _cut(table: Table) -> tuple[str | None, int]:
    return table.key, table.width


def _kept(base: Base | None, earlier: TableEntry | None, chunks: pl.DataFrame) -> tuple[File, ...]:
    """Return the base's files with the chunks that are as they were; none if most are not."""
    if base is None or earlier is None:
        return ()
    before = base.chunks.filter(
        (pl.col("schema") == earlier.schema) & (pl.col("name") == earlier.name)
    )
    same = chunks.join(before, on=["chunk", "rows", "mixed", "added"], how="semi")
    if int(same["rows"].sum()) < _REWRITE * int(chunks["rows"].sum()):
        return ()
    rows = dict(zip(same["chunk"].to_list(), same["rows"].to_list(), strict=True))
    kept = []
    for file in earlier.files:
        current = [number for number in numbers(file.chunks) if number in rows]
        if current:
            held = sum(rows[number] for number in current)
            chosen = ranges(current)
            kept.append(File(file.backup, file.path, file.sha256, file.size, held, chosen))
    return tuple(kept)


def _write(taking: Taking, table: Table, chunks: list[int], *, whole: bool) -> Iterator[File]:
    """Write the rows of some chunks, in files of bounded size."""
    most = max(_FILE_KEYS // table.width, 1)
    if not whole:
        groups = [chunks[start : start + most] for start in range(0, len(chunks), most)]
    else:
        groups = [list(group) for _, group in groupby(chunks, lambda number: number // most)]
    for group in groups:
        yield _write_file(taking, table, group, whole=whole)


def _write_file(taking: Taking, table: Table, chunks: list[int], *, whole: bool) -> File:
    folder = f"parts/{_folder(table)}"
    (taking.folder / folder).mkdir(parents=True, exist_ok=True)
    name = f"{folder}/{chunks[0]}-{chunks[-1]}.parquet"
    path = taking.folder / name
    columns = ", ".join(column.stored for column in table.columns)
    order = f" ORDER BY {identifier(table.key)}" if table.key else ""
    where = _where(taking.connection, table, chunks, whole=whole)
    try:
        rows = run(
            taking.connection,
            f"COPY (SELECT {columns} FROM {table.sql}{where}{order}) "
            f"TO {quote(str(path))} ({_WRITTEN})",
        )
    except (duckdb.ConversionException, duckdb.NotImplementedException) as error:
        raise NotStored(table.name, str(error).splitlines()[0]) from error
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return File(
        taking.backup_id, name, sha256, path.stat().st_size, int(rows[0][0]), ranges(chunks)
    )


def _where(
    connection: duckdb.DuckDBPyConnection, table: Table, chunks: list[int], *, whole: bool
) -> str:
    """Return the condition of the rows of some chunks."""
    if table.key is None:
        return ""
    key = identifier(table.key)
    low, high = chunks[0] * table.width, (chunks[-1] + 1) * table.width
    between = f" WHERE {key} >= {low} AND {key} < {high}"
    if whole:
        return between
    run(connection, "CREATE OR REPLACE TEMP TABLE changed (chunk BIGINT)")
    run(connection, "INSERT INTO changed SELECT unnest(?)", [chunks])
    # By row id: only the key is read of the rows that are not wanted.
    return (
        f" WHERE rowid IN (SELECT rowid FROM {table.sql}{between} "
        f"AND {table.chunk} IN (FROM changed))"
    )


def _folder(table: Table) -> str:
    """Return a name that is safe in any archive and file system, and no other table's."""
    if table.schema == "main" and re.fullmatch(r"[a-z][a-z0-9_]{0,99}", table.name):
        return table.name
    place = f"{table.schema}\0{table.name}".encode()
    return f"table-{hashlib.sha256(place).hexdigest()[:16]}"
