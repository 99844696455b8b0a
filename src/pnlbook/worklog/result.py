"""How logs of work are asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pnlbook.book import LOCK_TIMEOUT
from pnlbook.errors import ExitCode, PnlbookError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from pnlbook.config import WorkAssignment
    from pnlbook.load import Reject


@dataclass(frozen=True)
class WorkOptions:
    """How to load logs of work.

    since: leave out records before that instant (microseconds since 1970). max_rejects: broken
    lines allowed; None: any number, as nobody can mend the logs of a program. work: rules of
    assignment.
    """

    with_content: bool = False
    since: int | None = None
    work: tuple[WorkAssignment, ...] = ()
    dry_run: bool = False
    max_rejects: int | None = None
    memory_limit: str = "1500MB"
    lock_timeout: float = LOCK_TIMEOUT


@dataclass(frozen=True)
class TableResult:
    """What came to one table: records found, and what became of them."""

    table: str
    rows_read: int = 0
    rows_added: int = 0
    rows_superseded: int = 0

    @property
    def rows_unchanged(self) -> int:
        """Records that the book held already, copies in other logs included."""
        return self.rows_read - self.rows_added - self.rows_superseded


@dataclass(frozen=True)
class WorkResult:
    """What came of a load of logs; instants are ISO 8601 in the book's zone.

    logs_read: logs that had something new; logs_unchanged: those that had not. skipped: records of
    unknown types, by log kind and type. model_cost_usd: cost of the messages added or changed.
    """

    logs_read: int = 0
    logs_unchanged: int = 0
    bytes_read: int = 0
    tables: tuple[TableResult, ...] = ()
    first_at: str | None = None
    last_at: str | None = None
    model_cost_usd: Decimal | None = None
    unpriced_messages: int = 0
    unpriced_models: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    rows_refused: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    dry_run: bool = False
    notes: tuple[str, ...] = ()


class LogsRejected(PnlbookError):
    """Logs hold more broken lines than allowed, so nothing was loaded; `rejects` has the first."""

    exit_code = ExitCode.REJECTED

    def __init__(self, count: int, allowed: int, rejects: tuple[Reject, ...]) -> None:
        self.rejects = rejects
        lines = "1 line" if count == 1 else f"{count:,} lines"
        super().__init__(
            f"{lines} of the logs cannot be read ({allowed:,} allowed), so nothing was loaded. "
            "Load the rest with --max-rejects all; the broken lines go to the rejects."
        )
