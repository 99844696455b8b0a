"""Opening a book: one process may write, or many may read, and each side waits for the other.

A book is a DuckDB file whose `migrations` table says which schema it has. Connections run in the
book's reporting time zone (`book_settings.timezone`).
"""

from __future__ import annotations

import fcntl
import os
import re
import struct
import sys
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from pnlbook import checkpoint, sql
from pnlbook.errors import ExitCode, PnlbookError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

LOCK_TIMEOUT = 30.0
_HOLDER = re.compile(r"PID (\d+)")
_running: list[duckdb.DuckDBPyConnection] = []
_COMMAND_WIDTH = 40  # of a program given as an argument, the beginning says enough
_CONNECT_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false"
}


class BookError(PnlbookError):
    """The book cannot be used."""


class BookMissing(BookError):
    """There is no file at the path."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"no book at {path}. Make one with 'pnlbook init {path}', or name another with --book."
        )


class BookExists(BookError):
    """A file stands where a new book was to be made."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already and is not a book. Choose another path.")


class BookUnreadable(BookError):
    """The file is no book, or DuckDB cannot read it."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot open {path}: {reason}")


class BookTooNew(BookError):
    """The book was written by a newer program."""

    def __init__(self, path: Path, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema {found}, made by a newer pnlbook; this one knows up to {known}. "
            "Upgrade pnlbook to use it; nothing was changed."
        )


class BookTooOld(BookError):
    """The book lacks migrations or macros of this program."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was made by an earlier pnlbook. "
            f"Bring it up to date with 'pnlbook migrate up --book {path}'; its data stays as it is."
        )


class BookLocked(BookError):
    """Another process holds the book; waited in vain."""

    exit_code = ExitCode.LOCKED

    def __init__(self, path: Path, holder: Holder | None, waited: float, *, write: bool) -> None:
        use = "in use" if write else "open for writing"
        by = f" by {holder}" if holder else ""
        super().__init__(
            f"book {path} is {use}{by}; waited {waited:.0f} s. Try again, or raise --lock-timeout."
        )


class QueryError(BookError):
    """A statement failed in DuckDB, by what it said."""

    def __init__(self, error: duckdb.Error) -> None:
        super().__init__(str(error).strip())


@dataclass(frozen=True)
class Holder:
    """The process that holds a book, as the operating system names it."""

    pid: int
    command: str

    @classmethod
    def of(cls, pid: int) -> Holder:
        """Return the process of that number."""
        return cls(pid, _command(pid))

    def __str__(self) -> str:
        return f"process {self.pid}" + (f" ({self.command})" if self.command else "")


@dataclass(frozen=True)
class Waiting:
    """Tells a caller that the book is held: by whom, and for how many seconds it was waited."""

    path: Path
    holder: Holder | None
    waited: float


@contextmanager
def open_book(
    path: Path,
    *,
    write: bool = False,
    timeout: float = LOCK_TIMEOUT,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the book at `path`, for reading by default, and close it at the end of the block.

    timeout: seconds to wait for a process that holds it; on_wait: called while waiting.
    Raises BookMissing, BookUnreadable, BookTooNew, BookTooOld, BookLocked.
    """
    with connect(path, write=write, timeout=timeout, on_wait=on_wait) as connection:
        try:
            check_schema(connection, path)
            use_timezone(connection)
        except duckdb.Error as error:
            raise BookUnreadable(path, _damage(path, error)) from error
        with interruptible(connection):
            yield connection


@contextmanager
def interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let `interrupt` stop what the connection runs in the block.

    Without it, a signal is noticed only when DuckDB's other threads have run out of work.
    """
    _running.append(connection)
    try:
        yield
    finally:
        _running.remove(connection)


def interrupt() -> None:
    """Stop the statements that interruptible connections run; they raise a duckdb.Error."""
    for connection in tuple(_running):
        with suppress(duckdb.Error):  # it may have been closed by now
            connection.interrupt()


@contextmanager
def connect(
    path: Path,
    *,
    write: bool,
    timeout: float = LOCK_TIMEOUT,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to the DuckDB file at `path`, whatever its schema, until the end of the block."""

    def attempt() -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(path), read_only=not write, config=_CONNECT_CONFIG)

    connection = _wait_for(path, attempt, write=write, timeout=timeout, on_wait=on_wait)
    with closing(connection):
        if not write:
            yield connection
            return
        checkpoint.only_by_us(connection)
        ((database,),) = run(connection, "SELECT current_database()")
        try:
            yield connection
        finally:
            with checkpoint.folded(connection, database, path):
                connection.close()


@contextmanager
def attached(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    alias: str,
    *,
    timeout: float = LOCK_TIMEOUT,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Iterator[None]:
    """Attach the book at `path` for writing to a scratch connection, as its default database."""

    def attempt() -> None:
        run(connection, f"ATTACH {quote(str(path))} AS {alias}")

    checkpoint.only_by_us(connection)
    _wait_for(path, attempt, write=True, timeout=timeout, on_wait=on_wait)
    try:
        run(connection, f"USE {alias}")
        check_schema(connection, path)
        yield
    finally:
        with checkpoint.folded(connection, alias, path), suppress(duckdb.Error):
            run(connection, "USE memory")
            run(connection, f"DETACH {alias}")  # unless a full disk made it unusable


def _wait_for(
    path: Path,
    attempt: Callable[[], T],
    *,
    write: bool,
    timeout: float,
    on_wait: Callable[[Waiting], None] | None = None,
) -> T:
    """Run `attempt` until it does not meet a lock on `path`, for at most `timeout` seconds."""
    if not path.exists():
        raise BookMissing(path)
    started = time.monotonic()
    pause = 0.02
    while True:
        try:
            checkpoint.put_back(path)
            return attempt()
        except duckdb.Error as error:
            if not _is_lock(error):
                raise BookUnreadable(path, _reason(path, error)) from error
            waited = time.monotonic() - started
            holder = _holder(error)
            if waited >= timeout:
                raise BookLocked(path, holder, waited, write=write) from error
            if on_wait is not None:
                on_wait(Waiting(path, holder, waited))
        time.sleep(min(pause, max(timeout - waited, 0.0)))
        pause = min(pause * 1.5, 0.5)


def check_schema(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise unless the default database of `connection` is a book of this program's schema."""
    version = schema_version(connection)
    known = len(sql.migrations())
    if version is None:
        raise BookUnreadable(path, "it is a DuckDB file but not a book of pnlbook.")
    if version > known:
        raise BookTooNew(path, version, known)
    if version < known or setting(connection, "definitions_sha256") != sql.definitions_digest():
        raise BookTooOld(path)


def lock_holder(path: Path) -> Holder | None:
    """Return a process that reads or writes the book now, where the system tells (Linux).

    Not for a process that has the book open itself: it would lose its lock.
    """
    if sys.platform != "linux":
        return None
    layout = "hhqqi"  # struct flock: type, whence, start, length, pid
    asked = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("rb") as file:
        kind, *_, pid = struct.unpack(layout, fcntl.fcntl(file, fcntl.F_GETLK, asked))
    return None if kind == fcntl.F_UNLCK or pid <= 0 else Holder.of(pid)


def run(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: list[object] | None = None
) -> list[tuple[Any, ...]]:
    """Run a statement to its end and return its rows: nothing of it is left open."""
    return connection.execute(statement, parameters).fetchall()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection, *, dry_run: bool = False) -> Iterator[None]:
    """Commit what the block does; take it back when it fails, or only tries what would come."""
    run(connection, "BEGIN")
    try:
        yield
        run(connection, "ROLLBACK" if dry_run else "COMMIT")
    except BaseException:
        with suppress(duckdb.Error):  # the failure may have ended the transaction by itself
            run(connection, "ROLLBACK")
        raise


def schema_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the number of the last migration applied, or None for a file that is no book."""
    try:
        ((number,),) = run(connection, "SELECT coalesce(max(number), 0) FROM migrations")
    except duckdb.CatalogException:
        return None
    return int(number)


def setting(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """Return a setting of the book, or None when it has none of that name."""
    row = connection.execute("SELECT value FROM book_settings WHERE name = ?", [name]).fetchone()
    return row[0] if row else None


def use_timezone(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the connection compute and show instants in the book's reporting time zone."""
    zone = setting(connection, "timezone") or "UTC"
    connection.execute(f"SET TimeZone = {quote(zone)}")


def quote(text: str) -> str:
    """Return `text` as an SQL string literal, where no parameter can be bound."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return `name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _is_lock(error: duckdb.Error) -> bool:
    text = str(error)
    return "lock on file" in text or "different configuration" in text


def _holder(error: duckdb.Error) -> Holder | None:
    match = _HOLDER.search(str(error))
    if match is None:
        return None
    return Holder.of(int(match.group(1)))


def _command(pid: int) -> str:
    """Return what a process was called with, shortened: `pnlbook load`; empty when unknown."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    names = [Path(word).name for word in words if word and not word.startswith("-")]
    if names and re.fullmatch(r"python[\d.]*", names[0]):
        names = names[1:]
    return " ".join(name[:_COMMAND_WIDTH] for name in names[:2]).replace("\n", " ")


def _reason(path: Path, error: duckdb.Error) -> str:
    text = str(error).splitlines()[0]
    if "not a valid DuckDB database" in text:
        return "it is not a DuckDB file. Name a book with --book."
    if "database file with version number" in text:
        return f"it was written by a newer DuckDB than this {duckdb.__version__}. Upgrade duckdb."
    if "Permission denied" in text:
        return "permission denied. Grant this user read (and for loads, write) access."
    return _damage(path, error) if "Corrupt database file" in text else text


def _damage(path: Path, error: duckdb.Error) -> str:
    kept = checkpoint.beside(path, checkpoint.KEPT)
    if kept.exists():
        return (
            f"a process died as it wrote to it. {kept.name} mends it: "
            "run any command as a user who may write both."
        )
    reason = str(error).splitlines()[0]
    return f"it is damaged ({reason}). Bring it back from a backup: 'pnlbook backup restore'."
