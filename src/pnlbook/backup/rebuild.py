"""From manifest and Parquet files to rows: a new book, or a comparison with what was read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from pnlbook.backup.errors import BackupError, IntegrityFailure
from pnlbook.backup.manifest import ROWS_HERE, numbers
from pnlbook.backup.tables import Column, Table, fingerprints, total
from pnlbook.book import identifier, quote, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    import polars as pl

    from pnlbook.backup.manifest import File, Manifest, TableEntry


class FileDiffers(IntegrityFailure):
    """A file of a pack is not the one that the manifest names."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} in the backup is missing or is not the file that its manifest names. "
            "Try another copy: 'pnlbook backup restore --vault NAME'."
        )


class RowsDiffer(IntegrityFailure):
    """A table was not brought back as it was."""

    def __init__(self, table: str, problem: str) -> None:
        super().__init__(f"table {table} does not come back as it was: {problem}.")


class SchemaFailed(BackupError):
    """The schema of a backup does not run on this DuckDB."""

    def __init__(self, version: str, reason: str) -> None:
        super().__init__(
            f"the schema, written by DuckDB {version}, does not run on {duckdb.__version__}: "
            f"{reason} Install duckdb=={version} and try again."
        )


@dataclass(frozen=True)
class Selection:
    """What to bring back: tables by name (None: all), rows from a day on where tables tell it."""

    tables: frozenset[str] | None = None
    since: date | None = None

    @property
    def whole(self) -> bool:
        """Whether everything is wanted."""
        return self.tables is None and self.since is None

    def wants(self, entry: TableEntry) -> bool:
        """Whether the rows of a table are wanted."""
        return self.tables is None or entry.name in self.tables


@dataclass(frozen=True)
class Source:
    """The manifest, the text of schema.sql, and where the files of packs lie on disk."""

    manifest: Manifest
    schema: str
    locate: Callable[[File], Path]


def check_file(file: File, path: Path) -> None:
    """Raise FileDiffers unless the file at `path` is the one that the manifest names."""
    try:
        with path.open("rb") as found:
            sha256 = hashlib.file_digest(found, "sha256").hexdigest()
    except FileNotFoundError:
        raise FileDiffers(file.path) from None
    if sha256 != file.sha256:
        raise FileDiffers(file.path)


def rebuild(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    selection: Selection,
    tell: Callable[[str, int, int], None],
) -> int:
    """Make the backup's contents in an empty database, compare them, and return the rows brought.

    tell: called with what is done and rows done and in all. Raises IntegrityFailure, SchemaFailed.
    """
    version = source.manifest.duckdb_version
    before, _, after = source.schema.partition(ROWS_HERE)
    _run_schema(connection, before, version)
    wanted = [entry for entry in _in_order(connection, source) if selection.wants(entry)]
    every, done = sum(entry.rows for entry in wanted), 0
    for entry in wanted:
        tell(entry.name, done, every)
        done += _fill(connection, source, entry, selection)
    _run_schema(connection, after, version)
    for entry in wanted:
        tell(f"comparing {entry.name}", done, every)
        _compare(connection, source, entry, selection)
    return done


def _run_schema(connection: duckdb.DuckDBPyConnection, text: str, version: str) -> None:
    try:
        if text.strip():
            run(connection, text)
    except duckdb.Error as error:
        raise SchemaFailed(version, str(error).splitlines()[0]) from error


def _in_order(connection: duckdb.DuckDBPyConnection, source: Source) -> list[TableEntry]:
    """Return the tables in the order of the schema: none before one that it refers to."""
    found = run(
        connection,
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() ORDER BY table_oid",
    )
    entries = {(entry.schema, entry.name): entry for entry in source.manifest.tables}
    missing = set(entries) - set(found)
    if missing:
        raise RowsDiffer(min(missing)[1], "the schema does not make it")
    return [entries[place] for place in found if place in entries]


def as_table(entry: TableEntry) -> Table:
    """Return the table that an entry tells of."""
    columns = tuple(Column(name, kind) for name, kind in entry.columns.items())
    return Table(entry.schema, entry.name, columns, entry.key, entry.width, entry.time)


def _fill(
    connection: duckdb.DuckDBPyConnection, source: Source, entry: TableEntry, selection: Selection
) -> int:
    table = as_table(entry)
    names = ", ".join(identifier(name) for name in entry.columns)
    brought = 0
    for file in entry.files:
        rows = _select(connection, source, entry, file, selection)
        ((count,),) = run(connection, f"INSERT INTO {table.sql} ({names}) {rows}")
        if selection.since is None and count != file.rows:
            problem = f"{file.path} holds {count:,} rows for it, not {file.rows:,}"
            raise RowsDiffer(entry.name, problem)
        brought += count
    return brought


def _select(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    entry: TableEntry,
    file: File,
    selection: Selection,
) -> str:
    """Return the SQL of the rows of a file that are current and wanted."""
    table = as_table(entry)
    values = ", ".join(column.restored for column in table.columns)
    conditions = []
    if file.backup != source.manifest.backup_id and table.key is not None:
        chunks = f"chunks_{file.sha256[:16]}"
        run(connection, f"CREATE OR REPLACE TEMP TABLE {chunks} (chunk BIGINT)")
        run(connection, f"INSERT INTO {chunks} SELECT unnest(?)", [numbers(file.chunks)])
        conditions.append(f"{table.chunk} IN (FROM {chunks})")
    if selection.since is not None and table.time is not None:
        conditions.append(f"{identifier(table.time)} >= {quote(str(selection.since))}")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    path = quote(str(source.locate(file)))
    return f"SELECT {values} FROM read_parquet({path}, hive_partitioning = false){where}"


def _compare(
    connection: duckdb.DuckDBPyConnection, source: Source, entry: TableEntry, selection: Selection
) -> None:
    """Compare a table with the manifest, or with its files where that cannot be.

    The manifest's hashes are those of the DuckDB that wrote it, and of all rows.
    """
    table = as_table(entry)
    found = total(fingerprints(connection, table))
    expected = entry.fingerprint
    if selection.since is not None or source.manifest.duckdb_version != duckdb.__version__:
        expected = total(stored(connection, source, entry, list(entry.files), selection))
    if found != expected:
        raise RowsDiffer(entry.name, f"its fingerprint is {found}, not {expected}")


def stored(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    entry: TableEntry,
    files: list[File],
    selection: Selection,
) -> pl.DataFrame:
    """Return the fingerprints of the rows of some files, as they will come back."""
    table = as_table(entry)
    parts = [_select(connection, source, entry, file, selection) for file in files]
    if not parts:
        nulls = ", ".join(f"NULL::{c.type} AS {identifier(c.name)}" for c in table.columns)
        parts = [f"SELECT {nulls} LIMIT 0"]
    every = " UNION ALL ".join(parts)
    return fingerprints(connection, table, f"({every})")
