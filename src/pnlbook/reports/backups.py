"""The figures of the backup report: answers of macros, all from the same state of the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pnlbook.reports.query import Call

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from pnlbook.reports.query import Source

_HEAD = "SELECT now() AS moment, book_timezone() AS timezone"
_WARNINGS = "FROM backup_warnings(at := $1, copies := $2)"
_RESTORES = """
SELECT
    started_at, kind, success, vault, backup_id, rows_restored,
    (epoch_us(finished_at) - epoch_us(started_at)) * 0.000001::DECIMAL(18, 6) AS seconds,
    target, error_message
FROM backup_restore_log
ORDER BY started_at DESC, restore_id DESC
"""


@dataclass(frozen=True)
class Backups:
    """What the macros say about the backups of a book at a moment of its own clock.

    figures: the row of backup_figures; full, incremental: the rows of latest_backup, None without
    one; the frames are the answers of the macros of those names, restores the log of restores.
    """

    name: str
    timezone: str
    moment: datetime
    figures: dict[str, Any]
    full: dict[str, Any] | None
    incremental: dict[str, Any] | None
    warnings: pl.DataFrame
    backups: pl.DataFrame
    costs: pl.DataFrame
    vaults: pl.DataFrame
    restores: pl.DataFrame

    @property
    def protected(self) -> bool:
        """Return whether nothing says that the book could be lost."""
        return not self.warnings["unprotected"].any()


def read_backups(source: Source, copies: int = 1, at: datetime | None = None) -> Backups:
    """Read everything that the report shows.

    copies: how many of each backup are wanted; at: the moment that ages are counted to, or now.
    """
    with source.reader() as reader:
        head = reader.rows(_HEAD).row(0, named=True)
        moment = at or head["moment"]
        full, incremental = (
            reader.call(Call("latest_backup", {"kind": kind})) for kind in ("full", "incremental")
        )
        return Backups(
            name=source.path.stem,
            timezone=head["timezone"],
            moment=moment,
            figures=reader.call(Call("backup_figures", {"at": moment})).row(0, named=True),
            full=_only(full),
            incremental=_only(incremental),
            warnings=reader.rows(_WARNINGS, [moment, copies]),
            backups=reader.call(Call("backup_list", {})),
            costs=reader.call(Call("backup_costs", {})),
            vaults=reader.call(Call("backup_health", {"at": moment})),
            restores=reader.rows(_RESTORES),
        )


def _only(frame: pl.DataFrame) -> dict[str, Any] | None:
    return frame.row(0, named=True) if len(frame) else None
