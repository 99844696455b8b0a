"""What a book makes of its rows of work: the intervals of each stream, and the figures of each day.

Both can be made anew at any time. Days are those of the book's time zone; ranges are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from pnlbook.book import open_book, run, transaction
from pnlbook.load.record import number
from pnlbook.load.usage import Repriced, Repricing, price, reprice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    import duckdb

    from pnlbook.book import Waiting

_MOST_RANGES = 8  # each costs a query; days between touched ones are made anew as well


@dataclass(frozen=True)
class Rollup:
    """What was made anew: all sessions and days looked at, and those that had differed."""

    sessions: int
    sessions_changed: int
    days: int
    days_changed: int


def after_load(connection: duckdb.DuckDBPyConnection, first_load: int) -> None:
    """Bring what is made from rows up to date with the loads from number `first_load` on.

    Prices their messages first, as days tell what models cost. Runs in the caller's transaction,
    on the book that is the connection's default database.
    """
    price(connection, first_load)
    refresh(connection, first_load)


def refresh(connection: duckdb.DuckDBPyConnection, first_load: int) -> None:
    """Make anew the intervals and days of work that the loads from `first_load` on touched."""
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE touched_rows AS FROM touched_work({first_load:d})",
    )
    if not number(connection, "SELECT count(*) FROM touched_rows"):
        return
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE touched_sessions AS "
        "SELECT DISTINCT session_id FROM touched_rows WHERE timed AND session_id IS NOT NULL",
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE touched_days AS SELECT DISTINCT day FROM touched_rows",
    )
    _touch_days_of_sessions(connection)
    run(
        connection,
        "DELETE FROM work_intervals WHERE session_id IN (SELECT session_id FROM touched_sessions)",
    )
    run(
        connection,
        "INSERT INTO work_intervals BY NAME FROM work_timeline(sessions := 'touched_sessions') "
        "ORDER BY started_at, session_id, agent_id",
    )
    _touch_days_of_sessions(connection)
    days = [day for (day,) in run(connection, "SELECT DISTINCT day FROM touched_days ORDER BY day")]
    for since, until in _ranges(days):
        run(connection, "DELETE FROM work_metrics_daily WHERE day >= ? AND day < ?", [since, until])
        run(
            connection,
            "INSERT INTO work_metrics_daily BY NAME SELECT *, current_timestamp AS computed_at "
            "FROM work_daily(since := ?, until := ?)",
            [since, until],
        )


def _touch_days_of_sessions(connection: duckdb.DuckDBPyConnection) -> None:
    run(
        connection,
        "INSERT INTO touched_days SELECT DISTINCT unnest(local_days(epoch_us(started_at), "
        "epoch_us(ended_at))) FROM work_intervals SEMI JOIN touched_sessions USING (session_id)",
    )


def _ranges(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Yield a few ranges that cover ascending days, cut where the gaps are widest."""
    gaps = sorted(range(1, len(days)), key=lambda n: days[n - 1] - days[n])[: _MOST_RANGES - 1]
    cuts = [0, *sorted(n for n in gaps if days[n] - days[n - 1] > timedelta(days=1)), len(days)]
    for first, last in pairwise(cuts):
        yield days[first], days[last - 1] + timedelta(days=1)


def rollup_book(
    path: Path,
    *,
    since: date | None = None,
    until: date | None = None,
    timeout: float,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Rollup:
    """Make anew what the book at `path` holds of work, in a transaction of its own."""
    with (
        open_book(path, write=True, timeout=timeout, on_wait=on_wait) as connection,
        transaction(connection),
    ):
        return rollup(connection, since=since, until=until)


def reprice_book(
    path: Path,
    repricing: Repricing,
    *,
    dry_run: bool = False,
    timeout: float,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Repriced:
    """Price messages of the book at `path` anew, and the days that they count in."""
    with (
        open_book(path, write=True, timeout=timeout, on_wait=on_wait) as connection,
        transaction(connection, dry_run=dry_run),
    ):
        repriced = reprice(connection, repricing)
        if repriced.load_id is not None:
            refresh(connection, repriced.load_id)
        return repriced


def rollup(
    connection: duckdb.DuckDBPyConnection, *, since: date | None = None, until: date | None = None
) -> Rollup:
    """Make anew all intervals and days of work, or those of a range; write only what differs.

    Runs in the caller's transaction. A session belongs to a range that any of its rows lies in.
    """
    sessions, sessions_changed = _rollup_sessions(connection, since, until)
    days, days_changed = _rollup_days(connection, since, until)
    return Rollup(sessions, sessions_changed, days, days_changed)


def _rollup_sessions(
    connection: duckdb.DuckDBPyConnection, since: date | None, until: date | None
) -> tuple[int, int]:
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE touched_sessions AS "
        "FROM timed_sessions(since := ?, until := ?)",
        [since, until],
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE made AS FROM work_timeline(sessions := 'touched_sessions')",
    )
    held = "FROM work_intervals SEMI JOIN touched_sessions USING (session_id)"
    columns = "session_id, agent_id, started_at, ended_at, kind, node_id, project_id"
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE differing AS SELECT DISTINCT session_id FROM ("
        f"(SELECT {columns} {held} EXCEPT SELECT {columns} FROM made) UNION ALL "
        f"(SELECT {columns} FROM made EXCEPT SELECT {columns} {held}))",
    )
    run(
        connection,
        "DELETE FROM work_intervals WHERE session_id IN (SELECT session_id FROM differing)",
    )
    run(
        connection,
        "INSERT INTO work_intervals BY NAME FROM made SEMI JOIN differing USING (session_id) "
        "ORDER BY started_at, session_id, agent_id",
    )
    return (
        number(connection, "SELECT count(*) FROM touched_sessions"),
        number(connection, "SELECT count(*) FROM differing"),
    )


def _rollup_days(
    connection: duckdb.DuckDBPyConnection, since: date | None, until: date | None
) -> tuple[int, int]:
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE made AS FROM work_daily(since := ?, until := ?)",
        [since, until],
    )
    held = (
        "SELECT * EXCLUDE (computed_at) FROM work_metrics_daily "
        "WHERE (?::DATE IS NULL OR day >= ?::DATE) AND (?::DATE IS NULL OR day < ?::DATE)"
    )
    bounds: list[object] = [since, since, until, until]
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE differing AS SELECT DISTINCT day, node_id, project_id FROM ("
        f"(({held}) EXCEPT FROM made) UNION ALL "
        f"(FROM made EXCEPT ({held})))",
        bounds + bounds,
    )
    keys = "USING (day, node_id, project_id)"
    run(
        connection,
        "DELETE FROM work_metrics_daily WHERE (day, node_id, project_id) IN (FROM differing)",
    )
    run(
        connection,
        "INSERT INTO work_metrics_daily BY NAME SELECT *, current_timestamp AS computed_at "
        f"FROM made SEMI JOIN differing {keys}",
    )
    return (
        number(connection, "SELECT count(DISTINCT day) FROM made"),
        number(connection, "SELECT count(DISTINCT day) FROM differing"),
    )
