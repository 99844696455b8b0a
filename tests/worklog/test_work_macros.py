"""Every work macro against the oracle, and the laws they keep, on random small books."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.oracle import total
from tests.worklog import work_books, work_oracle
from tests.worklog.work_books import MIDNIGHTS, queries, random_books
from tests.worklog.work_oracle import Book, Cell, Hours, Query, at_utc, with_rows

from pnlbook import migrate, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from random import Random

pytestmark = pytest.mark.core

Books = dict[str, duckdb.DuckDBPyConnection]
Rows = list[dict[str, Any]]


def bounded(max_examples: int) -> settings:
    return settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    opened = {}
    for zone in MIDNIGHTS:
        connection = opened[zone] = duckdb.connect()
        migrate.install(connection)
        migrate.set_timezone(connection, zone)
        connection.execute("SET threads = 1; SET TimeZone = 'Asia/Tokyo'")
    yield opened
    for connection in opened.values():
        connection.close()


@contextmanager
def holding(books: Books, book: Book) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the connection of a book's zone, with the rows of the book and their intervals."""
    connection = books[book.money.zone]
    connection.execute("BEGIN")
    try:
        work_books.put(connection, book)
        put_money(connection, book)
        connection.execute("INSERT INTO work_intervals BY NAME FROM work_timeline()")
        yield connection
    finally:
        connection.execute("ROLLBACK")


def put_money(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    lineage: dict[str, object] = {"source": "s", "load_id": 1}
    for table, key, named in (
        ("nodes", "node", book.money.nodes),
        ("projects", "project", book.money.projects),
    ):
        for one in named:
            entity: dict[str, object] = {f"{key}_id": one.key, f"{key}_name": one.name}
            work_books.insert(connection, table, entity | lineage | {"source_key": one.key})
    for earning in book.money.earnings:
        about: dict[str, object] = {
            "node_id": earning.node,
            "project_id": earning.project,
            "earned_at": earning.at,
        }
        row: dict[str, object] = {
            "earning_id": earning.id,
            "source_key": str(earning.id),
            "payment_type": "bonus",
        }
        row |= {"amount_usd": earning.amount, "token": "SOL", "token_amount": 1}
        work_books.insert(
            connection, "node_earnings", about | row | {"payment_status": "paid"} | lineage
        )


def call(
    connection: duckdb.DuckDBPyConnection,
    macro: str,
    book: Book,
    query: Query,
    *columns: str,
    **more: object,
) -> Rows:
    """Return columns of a macro's rows; `macro` may end in its first arguments and a comma."""
    since, until = (  # bound as text, for each may be anywhere
        None if second is None else at_utc(book.instant(second))
        for second in (query.since, query.until)
    )
    arguments: dict[str, object] = {"since": since, "until": until, "as_of": query.as_of}
    arguments |= {"node": query.node, "project": query.project} | more
    listed = ", ".join(f"{name} := ${name}" for name in arguments)
    chosen = ", ".join(columns) or "*"
    called = f"{macro}{listed})" if macro.endswith(", ") else f"{macro}({listed})"
    result = connection.execute(f"SELECT {chosen} FROM {called}", arguments)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def by_key(rows: Iterable[dict[str, Any]], *keys: str) -> Rows:
    return sorted(rows, key=lambda row: [(row[key] is None, str(row[key])) for key in keys])


def second(book: Book, column: str) -> str:
    """Return SQL of an instant as a second of the book."""
    origin = int((book.origin - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return f"(epoch_us({column}) // 1000000 - {origin})"


# Time


def held_intervals(
    connection: duckdb.DuckDBPyConnection, book: Book, source: str
) -> list[tuple[Any, ...]]:
    return connection.execute(
        f"SELECT session_id, agent_id, {second(book, 'started_at')}, {second(book, 'ended_at')}, "
        f"kind, node_id, project_id FROM {source} ORDER BY session_id, agent_id, started_at"
    ).fetchall()


@given(book=random_books(), as_of=st.sampled_from([None, None, 0, 1, 2, 3]))
@bounded(40)
def test_intervals_are_what_counting_seconds_says(
    books: Books, book: Book, as_of: int | None
) -> None:
    expected = work_oracle.intervals(work_oracle.state(book, as_of))
    with holding(books, book) as connection:
        given_ = "NULL" if as_of is None else as_of
        assert held_intervals(connection, book, f"work_timeline(as_of := {given_})") == expected
        assert held_intervals(connection, book, f"timeline_rows(as_of := {given_})") == expected


GRAINS: dict[str, Callable[[Book, Cell], object]] = {
    "node_id": lambda _, cell: cell.who[0],
    "NULL": lambda _, __: None,
    "(node_id, project_id)": lambda _, cell: cell.who,
    "(day, session_id)": lambda book, cell: (book.day(cell.second), cell.session),
}


@pytest.mark.parametrize("grain", GRAINS)
@given(book=random_books(), query=queries)
@bounded(8)
def test_hours_are_seconds_counted_one_by_one(
    books: Books, grain: str, book: Book, query: Query
) -> None:
    expected: dict[object, list[Cell]] = {}
    for cell in work_oracle.counted(work_oracle.state(book, query.as_of), query):
        expected.setdefault(GRAINS[grain](book, cell), []).append(cell)
    with holding(books, book) as connection:
        found = call(
            connection,
            f"work_hours({grain}, ",
            book,
            query,
            idle_seconds=query.idle,
            daily="day" in grain,
        )
    assert {
        row["of_part"]: Hours(*(row[f"{kind}_us"] / 1e6 for kind in ("wall", "session", "agent")))
        for row in found
    } == {part: work_oracle.hours(cells) for part, cells in expected.items()}


# Figures


def test_every_macro_has_an_oracle() -> None:
    areas = {d.name for d in sql.definitions() if d.area == "work" and "since :=" in d.sql}
    inner = {
        "interval_rows",
        "work_rows",
        "event_rows",
        "timeless_sessions",
        "timed_sessions",
        "work_hours",
        "work_figures",  # with session_list in tests/reports/test_work.py
        "session_list",
    }
    assert areas - inner - {"work_sums", "profit_hours", "work_daily", "error_episodes"} == {
        *EQUAL,
        *PROFITS,
        "session_timeline",
    }


EQUAL: dict[str, tuple[tuple[str, ...], Callable[..., Rows]]] = {
    "node_productivity": (("node_id",), lambda b, q, **_: work_oracle.productivity(b, q, 0)),
    "project_work": (("project_id",), lambda b, q, **_: work_oracle.productivity(b, q, 1)),
    "tool_success": (("tool_name",), lambda b, q, **_: work_oracle.tool_success(b, q)),
    "model_costs": (("model", "node_id", "project_id"), work_oracle.model_costs),
    "lines_activity": (
        ("origin", "file_class"),
        lambda b, q, **_: work_oracle.lines_activity(b, q),
    ),
    "error_patterns": (
        ("error_class", "error_type", "tool_name"),
        lambda b, q, **_: work_oracle.error_patterns(b, q),
    ),
    "error_resolution": (("tool_name", "error_class"), work_oracle.error_resolution),
}
ROUNDED = ("success_rate_low_pct", "success_rate_high_pct")
MORE = {"model_costs": ("by_node", "by_project"), "error_resolution": ("by_tool", "by_class")}


@pytest.mark.parametrize("macro", EQUAL)
@given(book=random_books(), query=queries, finer=st.tuples(st.booleans(), st.booleans()))
@bounded(14)
def test_a_macro_is_what_the_oracle_says(
    books: Books, macro: str, book: Book, query: Query, finer: tuple[bool, bool]
) -> None:
    keys, expect = EQUAL[macro]
    more: dict[str, object] = dict(zip(MORE.get(macro, ()), finer, strict=False))
    expected = expect(book, query, **more)
    if macro in IDLE:
        more["idle_seconds"] = query.idle
    with holding(books, book) as connection:
        shown = f"* EXCLUDE ({INSTANTS[macro]})" if macro in INSTANTS else "*"
        found = by_key(call(connection, macro, book, query, shown, **more), *keys)
    expected = by_key(expected, *keys)
    assert [only(row, expected) for row in found] == [exact(row) for row in expected]
    for row, other in zip(found, expected, strict=True):
        for name in ROUNDED:
            if other.get(name) is not None:
                assert abs(float(row[name]) - other[name]) < 0.0051


INSTANTS = {
    "project_work": "first_session_at, last_session_at",
    "error_patterns": "first_at, last_at",
}
IDLE = ("node_productivity", "project_work", "lines_activity")


def only(row: dict[str, Any], like: Rows) -> dict[str, Any]:
    return {name: row[name] for name in exact(like[0])} if like else row


def exact(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ROUNDED}


PROFITS = {
    "work_profit": ("node_id", "node_profit"),
    "project_work_profit": ("project_id", "project_roi"),
}


@pytest.mark.parametrize("macro", PROFITS)
@given(book=random_books(), query=queries)
@bounded(8)
def test_profit_per_hour_is_profit_over_hours(
    books: Books, macro: str, book: Book, query: Query
) -> None:
    key, of_money = PROFITS[macro]
    which = 0 if key == "node_id" else 1
    with holding(books, book) as connection:
        found = by_key(call(connection, macro, book, query, idle_seconds=query.idle), key)
        money = {row[key]: row for row in call(connection, of_money, book, query)}
    entries = work_oracle.earned(book, query)
    now = work_oracle.state(book, query.as_of)
    cells, without = work_oracle.counted(now, query), work_oracle.timeless(now, query)
    worked = {cell.who[which] for cell in cells} | {row.who[which] for row in without}
    assert {row[key] for row in found} == worked | set(money)
    for row in found:
        hours = work_oracle.hours(
            (cell for cell in cells if cell.who[which] == row[key]),
            sum(one.who[which] == row[key] for one in without),
        )
        earned = total(e.amount for e in entries if (e.node, e.project)[which] == row[key])
        spent = money[row[key]]["total_costs_usd"] if row[key] in money else Decimal(0)
        assert (row["total_revenue_usd"], row["total_costs_usd"]) == (earned, spent)
        for kind in ("wall", "session", "agent"):
            seconds = getattr(hours, kind)
            assert row[f"{kind}_hours"] == work_oracle.in_hours(seconds)
            for what, usd in (
                ("revenue", earned),
                ("costs", spent),
                ("profit", row["net_profit_usd"]),
            ):
                assert row[f"{what}_per_{kind}_hour"] == work_oracle.per_hour(usd, seconds)


@given(book=random_books(), query=queries)
@bounded(15)
def test_a_timeline_draws_every_second_and_every_session(
    books: Books, book: Book, query: Query
) -> None:
    now = work_oracle.state(book, query.as_of)
    drawn = {
        (
            cell.session,
            cell.agent,
            cell.second,
            "idle" if cell.gap else "busy",
            cell.gap <= query.idle,
        )
        for cell in work_oracle.cells(now)
        if query.takes(cell.second) and query.of(cell.who)
    }
    columns = [
        "session_id, agent_id, kind, counted, node_id, node_name, status",
        f"{second(book, 'started_at')} AS start, {second(book, 'ended_at')} AS stop",
    ]
    with holding(books, book) as connection:
        found = call(connection, "session_timeline", book, query, *columns, idle_seconds=query.idle)
    assert {
        (row["session_id"], row["agent_id"], cell, row["kind"], row["counted"])
        for row in found
        if row["stop"] is not None
        for cell in range(row["start"], row["stop"])
    } == drawn
    assert sorted(row["session_id"] for row in found if row["stop"] is None) == sorted(
        row.session or "" for row in work_oracle.timeless(now, query)
    )
    statuses = {row.session: row.status for row in now.sessions}
    assert all(row["status"] == statuses.get(row["session_id"]) for row in found)
    assert all(
        (row["node_name"] == "Ada") == (row["node_id"] == "a") for row in found if query.as_of != 0
    )


@given(book=random_books(), now=work_books.seconds, minutes=st.sampled_from([1, 5, 30]))
@bounded(15)
def test_a_session_is_active_while_something_is_heard_of_it(
    books: Books, book: Book, now: int, minutes: int
) -> None:
    standing = work_oracle.state(book, None)
    expected = {}
    for session in standing.sessions:
        rows = [
            row
            for name in work_oracle.FACTS[1:]
            for row in getattr(standing, name)
            if row.session == session.session
        ]
        heard = [session.at, session.end, *(last_heard(row) for row in rows)]
        past = [at for at in heard if at is not None and at <= now]
        if session.status == "in_progress" and session.at <= now and max(past) > now - 60 * minutes:
            expected[session.session] = now - max(past)
    with holding(books, book) as connection:
        found = connection.execute(
            'SELECT session_id, silent_seconds FROM active_sessions($minutes, "at" := $now)',
            {"minutes": minutes, "now": at_utc(book.instant(now))},
        ).fetchall()
    assert dict(found) == expected


def last_heard(row: work_oracle.Fact) -> int:
    if isinstance(row, work_oracle.Message):
        return row.at if row.end is None else row.end
    return row.at + (row.seconds or 0) if isinstance(row, work_oracle.Tool) else row.at


# Laws

ADDITIVE = (
    "sessions",
    "sessions_without_time",
    "tasks",
    "tasks_succeeded",
    "changes",
    "lines_added",
    "commit_lines_deleted",
    "tool_invocations",
    "tool_failures",
    "tool_outcomes_unknown",
    "messages",
    "input_tokens",
    "unpriced_messages",
    "model_cost_usd",
    "errors",
    "agent_us",
    "earnings_usd",
)


@given(book=random_books(), query=queries)
@bounded(6)
def test_all_parts_add_up_to_the_same_whole(books: Books, book: Book, query: Query) -> None:
    names = ", ".join(f"sum({name}) AS {name}" for name in ADDITIVE)
    arguments: dict[str, object] = {"idle_seconds": query.idle, "with_earnings": True}
    with holding(books, book) as connection:
        sums = [
            call(connection, f"work_sums({grain}, ", book, query, names, **arguments)
            for grain in ("NULL", "node_id", "project_id", "(node_id, project_id)")
        ]
        listed = call(
            connection, "work_sums(node_id, ", book, query, names, **arguments, listed="nodes"
        )
    whole = {name: value or 0 for name, value in sums[0][0].items()}
    for rows in [*sums[1:], listed]:
        assert {name: value or 0 for name, value in rows[0].items()} == whole


@given(book=random_books(most=6), query=queries)
@bounded(8)
def test_a_second_copy_of_every_stream_adds_to_all_hours_but_those_of_the_wall(
    books: Books, book: Book, query: Query
) -> None:
    query = replace(query, as_of=None)
    now = work_oracle.state(book, None)
    twice = with_rows(
        now,
        {
            name: (*getattr(now, name), *work_books.copies(now, name))
            for name in ("sessions", "messages", "tools")
        },
    )
    of: list[Rows] = []
    for one in (now, twice):
        with holding(books, one) as connection:
            of.append(call(connection, "work_hours(NULL, ", one, query, idle_seconds=query.idle))
    once, both = of
    assert [row["wall_us"] for row in once] == [row["wall_us"] for row in both]
    for kind in ("session_us", "agent_us"):
        assert [2 * row[kind] for row in once] == [row[kind] for row in both]


@given(book=random_books(), query=queries, random=st.randoms(use_true_random=False))
@bounded(5)
def test_the_order_of_rows_changes_nothing(
    books: Books, book: Book, query: Query, random: Random
) -> None:
    shuffled = with_rows(
        book,
        {
            name: tuple(random.sample(getattr(book, name), len(getattr(book, name))))
            for name in work_oracle.FACTS
        },
    )
    found = []
    for one in (book, shuffled):
        with holding(books, one) as connection:
            found.append(
                [
                    held_intervals(connection, one, "work_intervals"),
                    call(connection, "node_productivity", one, query),
                    call(connection, "tool_success", one, query),
                    call(connection, "error_resolution", one, query, by_tool=True),
                ]
            )
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("view", "macro"),
    [
        ("active_work_sessions", "active_sessions"),
        ("node_productivity_summary", "node_productivity"),
        ("project_work_history", "project_work"),
    ],
)
@given(book=random_books())
@bounded(2)
def test_a_view_is_its_macro_without_arguments(
    books: Books, view: str, macro: str, book: Book
) -> None:
    with holding(books, book) as connection:
        query = "SELECT columns(* )::VARCHAR FROM {}"
        found = connection.execute(query.format(view)).fetchall()
        assert found == connection.execute(query.format(f"{macro}()")).fetchall()
