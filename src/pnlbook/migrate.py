"""Bringing a book's schema up and down, one transaction a migration.

The macros and views are installed with every step up: the book and the program agree on them.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import duckdb

from pnlbook import __version__, checkpoint, sql
from pnlbook.book import (
    LOCK_TIMEOUT,
    BookError,
    BookExists,
    BookTooNew,
    BookUnreadable,
    connect,
    identifier,
    open_book,
    quote,
    schema_version,
    setting,
)
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from pnlbook.book import Waiting

    OnWait = Callable[[Waiting], None] | None

_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    number          INTEGER PRIMARY KEY,
    name            VARCHAR NOT NULL,
    applied_at      TIMESTAMPTZ NOT NULL DEFAULT current_timestamp,
    program_version VARCHAR NOT NULL
);
COMMENT ON TABLE migrations IS 'The migrations applied to this book';
COMMENT ON COLUMN migrations.number IS 'Number of the migration';
COMMENT ON COLUMN migrations.name IS 'What it is about';
COMMENT ON COLUMN migrations.applied_at IS 'When it was applied';
COMMENT ON COLUMN migrations.program_version IS 'Version of pnlbook that applied it';
"""


class MigrationFailed(BookError):
    """A migration failed and was rolled back."""

    def __init__(self, migration: sql.Migration, direction: str, error: duckdb.Error) -> None:
        super().__init__(
            f"migration {migration.number:04d}_{migration.name} ({direction}) failed and was "
            f"undone; the book is as it was before it. DuckDB says: {error}"
        )


class DefinitionFailed(BookError):
    """A macro or view could not be installed; those of before are still there."""

    def __init__(self, definition: sql.Definition, error: duckdb.Error) -> None:
        super().__init__(
            f"{definition.name} could not be installed; the book keeps the macros and views that "
            f"it has. If something of your own has that name, rename it. DuckDB says: {error}"
        )


class BookNotMade(BookError):
    """A new book cannot be written where it was to be."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot make {path}: {reason}. Choose another path, or mend that.")


@dataclass(frozen=True)
class Step:
    """A migration and when it was applied to a book (UTC); None: it was not."""

    number: int
    name: str
    applied_at: datetime | None


@dataclass(frozen=True)
class Upgrade:
    """What a book lacked: the migrations it got, and whether its macros and views were others."""

    applied: tuple[sql.Migration, ...]
    refreshed: bool


def create(path: Path, *, timezone: str = "UTC") -> bool:
    """Make a new book at `path` and return True; return False when one is there already.

    timezone: the reporting time zone, an IANA name. Raises BookExists for any other file.
    """
    if path.exists():
        try:
            with connect(path, write=False) as connection:
                if schema_version(connection) is None:
                    raise BookExists(path)
        except BookUnreadable as error:
            raise BookExists(path) from error
        return False
    for left in checkpoint.companions(path):
        if left.exists():
            raise BookNotMade(path, f"{left.name} is there, of a book that is not")
    partial = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(str(partial)) as connection:
            _up(connection, len(sql.migrations()))
            set_timezone(connection, timezone)
        partial.rename(path)
    except OSError as error:
        raise BookNotMade(path, error.strerror or str(error)) from error
    except duckdb.IOException as error:
        raise BookNotMade(path, _first_reason(error)) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return True


def _first_reason(error: duckdb.Error) -> str:
    """Return what the system said, without the path of the unfinished file."""
    line = str(error).splitlines()[0]
    return line.rpartition(": ")[2].rstrip(".")


def change_timezone(
    path: Path, timezone: str, *, timeout: float = LOCK_TIMEOUT, on_wait: OnWait = None
) -> None:
    """Set the reporting time zone of the book at `path`."""
    with open_book(path, write=True, timeout=timeout, on_wait=on_wait) as connection:
        set_timezone(connection, timezone)


def set_timezone(connection: duckdb.DuckDBPyConnection, timezone: str) -> None:
    """Set the reporting time zone of a book; raises UsageError for an unknown name."""
    known = connection.execute(
        "SELECT 1 FROM pg_timezone_names() WHERE name = ?", [timezone]
    ).fetchone()
    if known is None:
        message = f"unknown time zone {timezone!r}. Use an IANA name such as UTC or Europe/Berlin."
        raise UsageError(message)
    connection.execute("UPDATE book_settings SET value = ? WHERE name = 'timezone'", [timezone])
    _fix_timezone(connection)


def _fix_timezone(connection: duckdb.DuckDBPyConnection) -> None:
    """Write the reporting time zone of a book into its macro book_timezone.

    As a constant it lets ranges skip what lies outside them; looked up, it halved their speed.
    """
    zone = setting(connection, "timezone") or "UTC"
    definition = next(d for d in sql.definitions() if d.name == "book_timezone")
    connection.execute(definition.sql.replace("'UTC'", quote(zone)))


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Create or replace every schema object, macro and view, in an empty or older database."""
    _up(connection, len(sql.migrations()))


def up(
    path: Path,
    *,
    to: int | None = None,
    timeout: float = LOCK_TIMEOUT,
    on_wait: OnWait = None,
) -> Upgrade:
    """Apply the missing migrations up to number `to` (default: all), then install the macros."""
    with connect(path, write=True, timeout=timeout, on_wait=on_wait) as connection:
        _require_book(connection, path)
        return _up(connection, len(sql.migrations()) if to is None else to)


def down(
    path: Path, *, to: int, timeout: float = LOCK_TIMEOUT, on_wait: OnWait = None
) -> list[sql.Migration]:
    """Take back the migrations above number `to`, newest first, and return them."""
    with connect(path, write=True, timeout=timeout, on_wait=on_wait) as connection:
        version = _require_book(connection, path)
        undone = [m for m in reversed(sql.migrations()) if to < m.number <= version]
        for migration in undone:
            _step(connection, migration, "down")
        return undone


def status(path: Path, *, timeout: float = LOCK_TIMEOUT, on_wait: OnWait = None) -> list[Step]:
    """Return every migration known to this program or to the book."""
    with connect(path, write=False, timeout=timeout, on_wait=on_wait) as connection:
        _require_book(connection, path)
        rows = connection.execute(
            "SELECT number, name, applied_at AT TIME ZONE 'UTC' FROM migrations ORDER BY number"
        ).fetchall()
    applied = {number: Step(number, name, at.replace(tzinfo=UTC)) for number, name, at in rows}
    known = {m.number: Step(m.number, m.name, None) for m in sql.migrations()}
    return [step for _, step in sorted((known | applied).items())]


def new(name: str, folder: Path | None = None) -> Path:
    """Write an empty migration called `name` with the next number and return its path."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        message = f"{name!r} cannot name a migration. Use lower-case words joined by '_'."
        raise UsageError(message)
    folder = folder or sql.migrations_folder()
    numbers = [int(path.name[:4]) for path in folder.glob("[0-9]*.sql")]
    path = folder / f"{max(numbers, default=0) + 1:04d}_{name}.sql"
    path.write_text("-- Why this change is made.\n\n-- up\n\n-- down\n", encoding="utf-8")
    return path


def _require_book(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    version = schema_version(connection)
    if version is None:
        raise BookUnreadable(path, "it is a DuckDB file but not a book of pnlbook.")
    if version > len(sql.migrations()):
        raise BookTooNew(path, version, len(sql.migrations()))
    return version


def _up(connection: duckdb.DuckDBPyConnection, to: int) -> Upgrade:
    connection.execute(_LEDGER)
    version = schema_version(connection) or 0
    missing = [m for m in sql.migrations() if version < m.number <= to]
    for migration in missing:
        _step(connection, migration, "up")
    _describe_history(connection)
    if to < len(sql.migrations()):
        return Upgrade(tuple(missing), refreshed=False)
    before = setting(connection, "definitions_sha256")
    _install_definitions(connection)
    return Upgrade(tuple(missing), refreshed=before != sql.definitions_digest())


def _describe_history(connection: duckdb.DuckDBPyConnection) -> None:
    """Give the columns of history tables the comments of the tables they keep the past of."""
    columns = connection.execute(
        "SELECT old.table_name, old.column_name, now.comment FROM duckdb_columns() old "
        "JOIN duckdb_columns() now USING (database_name, schema_name, column_name) "
        "WHERE old.table_name = now.table_name || '_history' "
        "AND old.comment IS NULL AND now.comment IS NOT NULL "
        "AND database_name = current_database()"
    ).fetchall()
    comments = [
        f"COMMENT ON COLUMN {identifier(table)}.{identifier(column)} IS {quote(comment)};"
        for table, column, comment in columns
    ]
    connection.execute("\n".join(["BEGIN;", *comments, "COMMIT;"]))


def _step(connection: duckdb.DuckDBPyConnection, migration: sql.Migration, direction: str) -> None:
    connection.execute("BEGIN")
    try:
        if direction == "up":
            connection.execute(migration.up)
            connection.execute(
                "INSERT INTO migrations (number, name, program_version) VALUES (?, ?, ?)",
                [migration.number, migration.name, __version__],
            )
        else:
            _drop_definitions(connection)
            connection.execute(migration.down)
            connection.execute("DELETE FROM migrations WHERE number = ?", [migration.number])
        connection.execute("COMMIT")
    except duckdb.Error as error:
        _roll_back(connection)
        raise MigrationFailed(migration, direction, error) from error


def _install_definitions(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("BEGIN")
    try:
        _drop_definitions(connection)
        for definition in sql.definitions():
            _define(connection, definition)
        _fix_timezone(connection)
        for name, value, description in (
            ("definitions", _names(connection), "Macros and views that pnlbook put into the book"),
            ("definitions_sha256", sql.definitions_digest(), "Which versions of them"),
        ):
            connection.execute(
                "INSERT OR REPLACE INTO book_settings VALUES (?, ?, ?)", [name, value, description]
            )
        connection.execute("COMMIT")
    except (duckdb.Error, DefinitionFailed):
        _roll_back(connection)
        raise


def _define(connection: duckdb.DuckDBPyConnection, definition: sql.Definition) -> None:
    try:
        connection.execute(definition.sql)
    except duckdb.Error as error:
        raise DefinitionFailed(definition, error) from error


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # a COMMIT that failed has rolled back already
        connection.execute("ROLLBACK")


def _names(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the drop statements of the definitions, newline-separated, last created first."""
    objects = connection.execute(
        "SELECT DISTINCT function_name, function_type FROM duckdb_functions() "
        "WHERE NOT internal AND database_name = current_database()"
    ).fetchall()
    kinds: dict[str, set[str]] = {}
    for name, kind in objects:
        kinds.setdefault(name, set()).add("MACRO TABLE" if kind == "table_macro" else "MACRO")
    lines = []
    for definition in reversed(sql.definitions()):
        if definition.area == "views":
            lines.append(f"VIEW {definition.name}")
        else:
            lines += [f"{kind} {definition.name}" for kind in sorted(kinds[definition.name])]
    return "\n".join(lines)


def _drop_definitions(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what an earlier installation created; macros and views of the user's own stay."""
    for line in (setting(connection, "definitions") or "").splitlines():
        kind, name = line.rsplit(" ", 1)
        connection.execute(f"DROP {kind} IF EXISTS {identifier(name)}")
