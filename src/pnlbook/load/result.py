"""What a load is asked for, what it reports while it runs, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pnlbook.book import LOCK_TIMEOUT
from pnlbook.errors import ExitCode, PnlbookError

if TYPE_CHECKING:
    from pathlib import Path

ZERO = Decimal(0)
SHOWN_REJECTS = 20


@dataclass(frozen=True)
class LoadOptions:
    """How to load.

    table: the table that the rows go to; None: by mapping, file name or columns.
    mapping: a mapping file; None: `load.toml` beside the source, where there is one.
    source: name of the system that the rows come from; part of a row's identity.
    constants: values for columns that the files lack.
    max_rejects: how many rows may be refused before the whole load is; None: any number.
    timezone: zone of instants written without one (an IANA name); None: the book's.
    """

    table: str | None = None
    mapping: Path | None = None
    source: str | None = None
    constants: tuple[tuple[str, str], ...] = ()
    dry_run: bool = False
    max_rejects: int | None = 0
    timezone: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    memory_limit: str = "1500MB"
    lock_timeout: float = LOCK_TIMEOUT


@dataclass(frozen=True)
class Progress:
    """How far a load is: `bytes_total` is 0 where the size is not known."""

    stage: str
    location: str
    rows: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True)
class Reject:
    """One refused row: where it stood, what is wrong with it, and the row itself."""

    location: str
    line: int | None
    column: str | None
    value: str | None
    reason: str
    raw: str

    def __str__(self) -> str:
        place = self.location if self.line is None else f"{self.location}:{self.line}"
        if self.column is None:
            return f"{place}: {self.reason}"
        value = "" if self.value is None else f" {self.value[:60]!r}"
        return f"{place}: {self.column}{value} {self.reason}"


@dataclass(frozen=True)
class FileResult:
    """What came of one file; instants are ISO 8601 in the book's zone, amounts in USD."""

    load_id: int | None
    location: str
    format: str
    table: str
    recognised_by: str
    rows_read: int = 0
    rows_added: int = 0
    rows_superseded: int = 0
    rows_unchanged: int = 0
    rows_refused: int = 0
    first_at: str | None = None
    last_at: str | None = None
    amount_usd: Decimal | None = None
    unpriced_rows: int = 0
    skipped: bool = False
    rejects: tuple[Reject, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadResult:
    """What came of a command: its files in the order they were loaded, and their sums."""

    files: tuple[FileResult, ...]
    dry_run: bool = False
    notes: tuple[str, ...] = ()

    @property
    def rows_read(self) -> int:
        """Data rows found."""
        return sum(file.rows_read for file in self.files)

    @property
    def rows_added(self) -> int:
        """Rows new to the book."""
        return sum(file.rows_added for file in self.files)

    @property
    def rows_superseded(self) -> int:
        """Rows of the book that got new content."""
        return sum(file.rows_superseded for file in self.files)

    @property
    def rows_unchanged(self) -> int:
        """Rows that the book held already."""
        return sum(file.rows_unchanged for file in self.files)

    @property
    def rows_refused(self) -> int:
        """Rows refused."""
        return sum(file.rows_refused for file in self.files)

    @property
    def unpriced_rows(self) -> int:
        """Rows accepted whose USD amount is not known."""
        return sum(file.unpriced_rows for file in self.files)

    @property
    def amount_usd(self) -> Decimal | None:
        """Sum of the USD amounts accepted; None when no table has amounts."""
        amounts = [file.amount_usd for file in self.files if file.amount_usd is not None]
        return sum(amounts, ZERO) if amounts else None

    @property
    def first_at(self) -> str | None:
        """Earliest instant accepted."""
        return min((file.first_at for file in self.files if file.first_at), default=None)

    @property
    def last_at(self) -> str | None:
        """Latest instant accepted."""
        return max((file.last_at for file in self.files if file.last_at), default=None)


class SourceError(PnlbookError):
    """A source cannot be read at all."""

    def __init__(self, location: str, problem: str) -> None:
        super().__init__(f"{location}: {problem} Nothing was loaded.")


class NoRoom(PnlbookError):
    """A disk ran full; the transaction was rolled back."""

    def __init__(self, scratch: Path) -> None:
        super().__init__(
            f"there is no room left on the disk of the book or of the scratch folder {scratch}. "
            "Nothing was loaded. Make room, or move the scratch folder with TMPDIR."
        )


class DataRejected(PnlbookError):
    """Rows were refused, more than allowed, so the whole load was; `result` says which."""

    exit_code = ExitCode.REJECTED

    def __init__(self, result: LoadResult, allowed: int) -> None:
        self.result = result
        one = result.rows_refused == 1
        rows, them = ("1 row was", "it") if one else (f"{result.rows_refused:,} rows were", "them")
        super().__init__(
            f"{rows} refused ({allowed:,} allowed), so nothing was loaded. Mend {them}, "
            "or load the good rows with --max-rejects all."
        )


class FileRejected(PnlbookError):
    """A file as a whole is not what it should be."""

    exit_code = ExitCode.REJECTED

    def __init__(self, location: str, problem: str) -> None:
        self.problem = problem
        super().__init__(f"{location}: {problem} Nothing was loaded.")
