"""What loads make of the rows of work: the same as made from all rows at once, and nothing more."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worklog import work_books, work_oracle
from tests.worklog.test_work_macros import bounded, held_intervals
from tests.worklog.work_books import MIDNIGHTS, random_books

from pnlbook import migrate
from pnlbook.book import open_book, run
from pnlbook.load import LoadOptions, load
from pnlbook.load.derive import Rollup, refresh, rollup, rollup_book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worklog.work_oracle import Book

pytestmark = pytest.mark.core

Connections = dict[str, duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def connections() -> Iterator[Connections]:
    opened = {}
    for zone in MIDNIGHTS:
        connection = opened[zone] = duckdb.connect()
        migrate.install(connection)
        migrate.set_timezone(connection, zone)
        connection.execute("SET threads = 1; SET TimeZone = 'America/New_York'")
    yield opened
    for connection in opened.values():
        connection.close()


def metrics(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    result = connection.execute(
        "SELECT * EXCLUDE (computed_at) FROM work_metrics_daily ORDER BY day, node_id, project_id"
    )
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@given(book=random_books(), idle=st.sampled_from([0, 300]), together=st.booleans())
@bounded(10)
def test_loads_leave_what_all_rows_at_once_give(
    connections: Connections, book: Book, idle: int, together: bool
) -> None:
    connection = connections[book.money.zone]
    connection.execute("BEGIN")
    try:
        connection.execute(
            "UPDATE book_settings SET value = ? WHERE name = 'work_idle_seconds'", [str(idle)]
        )
        for load_id in (1, 2, 3):
            work_books.load(connection, book, load_id)
            if not together:
                refresh(connection, load_id)
        if together:
            refresh(connection, 1)
        now = work_oracle.state(book, None)
        held = held_intervals(connection, book, "work_intervals")
        days = metrics(connection)
        again = rollup(connection)
    finally:
        connection.execute("ROLLBACK")
    assert held == work_oracle.intervals(now)
    assert days == work_oracle.daily(book, idle)
    assert (again.sessions_changed, again.days_changed) == (0, 0)
    assert again.days == len({row["day"] for row in days})


@given(book=random_books())
@bounded(6)
def test_a_rollup_mends_what_was_changed_and_nothing_else(
    connections: Connections, book: Book
) -> None:
    connection = connections[book.money.zone]
    connection.execute("BEGIN")
    try:
        work_books.put(connection, book)
        made = rollup(connection)
        before = held_intervals(connection, book, "work_intervals"), metrics(connection)
        connection.execute(
            "DELETE FROM work_intervals WHERE session_id = 'one';"
            "INSERT INTO work_intervals (session_id, started_at, ended_at, kind)"
            "VALUES ('nobody', '2025-10-01 00:00:00+00', '2025-10-01 01:00:00+00', 'busy');"
            "UPDATE work_metrics_daily SET messages = messages + 1, computed_at = '2001-01-01'"
            "WHERE day = (SELECT min(day) FROM work_metrics_daily)"
        )
        stamps = connection.execute(
            "SELECT count(*) FROM work_metrics_daily WHERE computed_at = '2001-01-01'"
        ).fetchall()
        mended = rollup(connection)
        after = held_intervals(connection, book, "work_intervals"), metrics(connection)
        left = connection.execute(
            "SELECT count(*) FROM work_metrics_daily WHERE computed_at = '2001-01-01'"
        ).fetchall()
    finally:
        connection.execute("ROLLBACK")
    assert before == after
    assert made.sessions_changed == len({row[0] for row in before[0]})
    lost = any(row[0] == "one" for row in before[0])
    assert mended.sessions_changed == 1 + lost
    assert mended.days_changed == (1 if before[1] else 0)
    assert left == [(0,)] or stamps == [(0,)]


def test_a_rollup_of_a_range_leaves_the_rest(connections: Connections) -> None:
    connection = connections["UTC"]
    connection.execute("BEGIN")
    try:
        for day in range(1, 5):
            moment = f"2025-10-0{day} 12:00:00+00"
            lineage = {"source": "s", "source_key": str(day), "load_id": 1}
            row = {"session_id": str(day), "started_at": moment, "total_duration_seconds": 60}
            work_books.insert(connection, "work_sessions", row | lineage)
        made = rollup(connection, since=date(2025, 10, 2), until=date(2025, 10, 4))
        found = run(connection, "SELECT day, session_seconds FROM work_metrics_daily ORDER BY day")
        sessions = run(connection, "SELECT session_id FROM work_intervals ORDER BY session_id")
    finally:
        connection.execute("ROLLBACK")
    assert made == Rollup(sessions=2, sessions_changed=2, days=2, days_changed=2)
    assert found == [(date(2025, 10, day), Decimal(60)) for day in (2, 3)]
    assert sessions == [("2",), ("3",)]


def test_days_far_apart_are_made_anew_one_by_one_and_many_in_a_few_ranges(
    connections: Connections,
) -> None:
    connection = connections["Europe/Berlin"]
    days = [date(2020, 1, 1) + timedelta(days=17 * number) for number in range(40)]
    connection.execute("BEGIN")
    try:
        for number, day in enumerate(days):
            row = {
                "task_id": str(number),
                "started_at": f"{day} 12:00:00+00",
                "load_id": number + 1,
            }
            work_books.insert(
                connection, "work_tasks", row | {"source": "s", "source_key": str(number)}
            )
        refresh(connection, 1)
        found = run(connection, "SELECT day, tasks FROM work_metrics_daily ORDER BY day")
        run(connection, "UPDATE work_metrics_daily SET tasks = 9")
        refresh(connection, 40)
        touched = run(connection, "SELECT day FROM work_metrics_daily WHERE tasks <> 9")
    finally:
        connection.execute("ROLLBACK")
    assert found == [(day, 1) for day in days]
    assert touched == [(days[-1],)]


SESSION = "session_id,started_at,total_duration_seconds,node_id\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.duckdb"
    migrate.create(path)
    return path


def load_text(book: Path, name: str, text: str, **options: Any) -> None:  # noqa: ANN401
    path = book.with_name(name)
    path.write_text(text, encoding="utf-8")
    load(book, [str(path)], LoadOptions(**options))


def hours(book: Path) -> list[tuple[Any, ...]]:
    with open_book(book) as connection:
        return run(
            connection,
            "SELECT day, node_id, session_seconds FROM work_metrics_daily ORDER BY day, node_id",
        )


def test_a_load_of_a_file_of_work_brings_hours_and_a_correction_moves_them(book: Path) -> None:
    load_text(book, "work_sessions.csv", SESSION + "s,2025-10-01T23:30:00Z,3600,a\n")
    assert hours(book) == [
        (date(2025, 10, 1), "a", Decimal(1800)),
        (date(2025, 10, 2), "a", Decimal(1800)),
    ]
    load_text(book, "work_sessions.csv", SESSION + "s,2025-10-03T08:00:00Z,60,b\n")
    assert hours(book) == [(date(2025, 10, 3), "b", Decimal(60))]


def test_a_dry_run_and_a_load_of_other_rows_change_no_hours(book: Path) -> None:
    load_text(book, "work_sessions.csv", SESSION + "s,2025-10-01T00:00:00Z,60,a\n")
    before = hours(book)
    with open_book(book) as connection:
        stamp = run(connection, "SELECT computed_at::VARCHAR FROM work_metrics_daily")
    load_text(book, "work_sessions.csv", SESSION + "t,2025-10-01T00:00:00Z,60,a\n", dry_run=True)
    load_text(book, "nodes.csv", "node_id\na\n")
    with open_book(book) as connection:
        assert run(connection, "SELECT computed_at::VARCHAR FROM work_metrics_daily") == stamp
    assert hours(book) == before


def test_a_book_is_rolled_up_in_a_transaction_of_its_own(book: Path) -> None:
    load_text(book, "work_sessions.csv", SESSION + "s,2025-10-01T00:00:00Z,60,a\n")
    with open_book(book, write=True) as connection:
        run(connection, "DELETE FROM work_intervals")
        run(connection, "DELETE FROM work_metrics_daily")
    assert rollup_book(book, timeout=5) == Rollup(1, 1, 1, 1)
    assert hours(book) == [(date(2025, 10, 1), "a", Decimal(60))]
    assert rollup_book(book, timeout=5) == Rollup(1, 0, 1, 0)
