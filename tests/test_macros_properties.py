"""Every profit macro against the oracle, and the laws they keep, on random small books.

A book lives in a transaction that is rolled back. All instants lie close to where a day, month or
offset begins in one of the zones, for there they can be counted wrongly.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from tests import oracle
from tests.oracle import ZERO, Book, Query

from pnlbook import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

pytestmark = pytest.mark.core

Books = dict[str, duckdb.DuckDBPyConnection]
Rows = list[dict[str, Any]]

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Havana")
DAYS = (
    date(2024, 2, 29),
    date(2024, 12, 30),  # a week that belongs to two years
    date(2025, 1, 1),
    date(2025, 3, 1),
    date(2025, 3, 9),  # summer time begins in New York
    date(2025, 3, 30),  # and in Berlin
    date(2025, 4, 1),
    date(2025, 10, 1),
    date(2025, 10, 26),  # summer time ends in Berlin
    date(2025, 11, 1),
    date(2025, 11, 2),  # midnight comes twice in Havana
)
NEAR = (
    timedelta(0),
    timedelta(microseconds=-1),
    timedelta(microseconds=1),
    timedelta(hours=2, minutes=30),
    timedelta(hours=-5, minutes=-45),
    timedelta(days=1),
    timedelta(days=9, hours=7),
)
INSTANTS = [
    datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) + near
    for near in NEAR
    for day in DAYS
    for zone in ZONES
]
BETWEEN_LOADS = datetime(2025, 3, 1, 12, tzinfo=UTC)
AFTER_ALL = datetime(2026, 1, 1, tzinfo=UTC)
LOADS = (datetime(2024, 12, 31, 12, tzinfo=UTC), BETWEEN_LOADS, AFTER_ALL)
VERSIONS = ((1,), (1,), (2,), (1, 2), (2, 3), (1, 2, 3))

MACROS: dict[str, Callable[[Book, Query], list[oracle.Row]]] = {
    "node_profit": oracle.node_profit,
    "node_monthly_profit": oracle.node_monthly_profit,
    "platform_profit": oracle.platform_profit,
    "pnl_statement": oracle.pnl_statement,
    "project_roi": oracle.project_roi,
    "key_figures": oracle.key_figures,
}


MOMENTS = {
    "key_figures": ("previous_since", "previous_until"),
    "node_source_rows": ("counted_at",),
}


def bounded(max_examples: int) -> settings:
    return settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


# Random books

# The same few instants again and again, for ranges and payments that meet to the microsecond.
instants = st.sampled_from(INSTANTS[:3]) | st.sampled_from(INSTANTS)
cents = st.integers(-500, 2000).map(lambda n: Decimal(n).scaleb(-2))
fine = st.integers(-(10**21), 10**22).map(lambda n: Decimal(n).scaleb(-12))
prices = cents | fine
amounts = st.none() | cents | prices
nodes = st.sampled_from(["a", "b", "a", "b", "c", "nobody knows", None])
projects = st.sampled_from(["p", "q", "p", "q", "r", "nobody knows", None])
statuses = st.sampled_from(["paid", "paid", "pending", "failed"])


@st.composite
def earnings(draw: st.DrawFn) -> oracle.Earning:
    """Draw an earning with any of its three amounts known, in agreement where all are."""
    gross, deducted = draw(prices), draw(prices)
    known = draw(st.sets(st.sampled_from(["gross", "deducted", "amount"])))
    return oracle.Earning(
        id=0,
        node=draw(nodes),
        project=draw(projects),
        gross=gross if "gross" in known else None,
        deducted=deducted if "deducted" in known else None,
        amount=gross - deducted if "amount" in known else None,
        net_of_costs=draw(st.booleans()),
        kind=draw(st.sampled_from(["project_completion", "milestone", "bonus", "project_fee"])),
        status=draw(statuses),
        at=draw(instants),
        paid_at=draw(st.none() | instants),
    )


costs = st.builds(
    oracle.Cost,
    id=st.just(0),
    node=nodes,
    project=projects,
    amount=amounts,
    kind=st.sampled_from(["compute", "akash", "backup", "model"]),
    status=statuses,
    at=instants,
    paid_at=st.none() | instants,
)
fees = st.builds(
    oracle.Fee,
    id=st.just(0),
    project=projects,
    amount=amounts,
    kind=st.sampled_from(["platform_fee", "listing_fee", "transaction_fee"]),
    at=instants,
)
subscriptions = st.builds(
    oracle.Subscription,
    id=st.just(0),
    amount=amounts,
    status=statuses,
    at=instants,
    paid_at=st.none() | instants,
)
messages = st.builds(
    oracle.Message,
    id=st.just(0),
    node=nodes,
    project=projects,
    tokens=st.sampled_from([None, 0, 1, 900]),
    amount=amounts,
    at=instants,
)
backups = st.builds(oracle.Backup, id=st.just(0), amount=amounts, at=instants)


@st.composite
def chains(draw: st.DrawFn, rows: st.SearchStrategy[oracle.V]) -> tuple[oracle.V, ...]:
    """Draw up to 12 versions of rows; every version but the last of a row was superseded."""
    found: list[oracle.V] = []
    for number, loads in enumerate(draw(st.lists(st.sampled_from(VERSIONS), max_size=6))):
        for load, following in zip(loads, (*loads[1:], None), strict=True):
            row = draw(rows)
            found.append(replace(row, id=number, load_id=load, superseded_by=following))
    return tuple(found[-12:])


@st.composite
def named(draw: st.DrawFn, keys: str) -> tuple[oracle.Named, ...]:
    found: list[oracle.Named] = []
    for number, key in enumerate(draw(st.lists(st.sampled_from(keys), unique=True))):
        loads = draw(st.sampled_from(VERSIONS))
        for load, following in zip(loads, (*loads[1:], None), strict=True):
            name = draw(st.sampled_from([None, f"{key} of load {load}"]))
            found.append(
                oracle.Named(id=number, key=key, name=name, load_id=load, superseded_by=following)
            )
    return tuple(found)


random_books = st.builds(
    Book,
    zone=st.sampled_from(ZONES),
    loads=st.just(LOADS),
    nodes=named("abd"),
    projects=named("pqs"),
    earnings=chains(earnings()),
    costs=chains(costs),
    fees=chains(fees),
    subscriptions=chains(subscriptions),
    messages=chains(messages),
    backups=st.lists(backups, max_size=3).map(
        lambda rows: tuple(replace(row, id=number) for number, row in enumerate(rows))
    ),
)
days = st.sampled_from(DAYS)
moments = instants | days | instants.map(lambda m: m.replace(tzinfo=None))
bounds = st.none() | days | moments | moments.map(str)
queries = st.builds(
    Query,
    since=bounds,
    until=bounds,
    basis=st.sampled_from(["accrual", "cash"]),
    as_of=st.sampled_from([None, None, 0, 1, 2, 3]),
    node=st.none() | nodes,
    project=st.none() | projects,
)


macros = st.sampled_from(list(MACROS))

# Books in DuckDB


@pytest.fixture(scope="module")
def books() -> Iterator[Books]:
    opened = {}
    for zone in ZONES:
        connection = opened[zone] = duckdb.connect()
        migrate.install(connection)
        migrate.set_timezone(connection, zone)
        connection.execute("SET threads = 1")
        connection.execute("SET TimeZone = 'Asia/Tokyo'")  # no figure may depend on a session's
    yield opened
    for connection in opened.values():
        connection.close()


@contextmanager
def holding(books: Books, book: Book) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the connection of a book's zone, with the rows of the book in it."""
    connection = books[book.zone]
    connection.execute("BEGIN")
    try:
        fill(connection, book)
        yield connection
    finally:
        connection.execute("ROLLBACK")


def fill(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    loads = [
        {
            "load_id": number,
            "batch_id": number,
            "status": "loaded",
            "table_name": "nodes",
            "source": "s",
            "location": "l",
            "format": "csv",
            "started_at": committed_at,
            "committed_at": committed_at,
            "loaded_by": "t",
            "program_version": "0",
        }
        for number, committed_at in enumerate(book.loads, start=1)
    ]
    made = [
        {
            "backup_id": str(row.id),
            "backup_type": "full",
            "file_size_bytes": 1,
            "compressed_size_bytes": 1,
            "checksum_sha256": "0" * 64,
            "cost_usd": row.amount,
            "created_at": row.at,
        }
        for row in book.backups
    ]
    _insert(connection, "loads", loads)
    _insert(connection, "arweave_backups", made)
    for table, versions in _facts(book):
        standing, history = [], []
        for row, columns in versions:
            lineage = {"source": "s", "source_key": str(row.id), "load_id": row.load_id}
            if row.superseded_by is None:
                standing.append(columns | lineage)
            else:
                history.append(columns | lineage | {"superseded_by": row.superseded_by})
        _insert(connection, table, standing)
        _insert(connection, f"{table}_history", history)


def _facts(book: Book) -> Iterator[tuple[str, list[tuple[oracle.Version, dict[str, Any]]]]]:
    # A row has its token beside the amount, for one without both has no value at all.
    token = {"token": "XMR", "token_amount": 1}
    yield "nodes", [(row, {"node_id": row.key, "node_name": row.name}) for row in book.nodes]
    yield (
        "projects",
        [(row, {"project_id": row.key, "project_name": row.name}) for row in book.projects],
    )
    yield (
        "node_earnings",
        [
            (
                row,
                token
                | {
                    "earning_id": row.id,
                    "node_id": row.node,
                    "project_id": row.project,
                    "gross_amount_usd": row.gross,
                    "costs_deducted_usd": row.deducted,
                    "amount_usd": row.amount,
                    "net_of_costs": row.net_of_costs,
                    "is_correction": (row.amount or ZERO) < 0,
                    "payment_type": row.kind,
                    "payment_status": row.status,
                    "earned_at": row.at,
                    "paid_at": row.paid_at,
                },
            )
            for row in book.earnings
        ],
    )
    yield (
        "deployment_costs",
        [
            (
                row,
                token
                | {
                    "cost_id": row.id,
                    "node_id": row.node,
                    "project_id": row.project,
                    "category": row.kind,
                    "amount_usd": row.amount,
                    "payment_status": row.status,
                    "incurred_at": row.at,
                    "paid_at": row.paid_at,
                },
            )
            for row in book.costs
        ],
    )
    yield (
        "marketplace_revenue",
        [
            (
                row,
                token
                | {
                    "revenue_id": row.id,
                    "project_id": row.project,
                    "amount_usd": row.amount,
                    "fee_type": row.kind,
                    "collected_at": row.at,
                },
            )
            for row in book.fees
        ],
    )
    yield (
        "subscription_revenue",
        [
            (
                row,
                token
                | {
                    "revenue_id": row.id,
                    "amount_usd": row.amount,
                    "payment_status": row.status,
                    "billed_at": row.at,
                    "paid_at": row.paid_at,
                },
            )
            for row in book.subscriptions
        ],
    )
    yield (
        "communication_log",
        [
            (
                row,
                {
                    "message_id": str(row.id),
                    "node_id": row.node,
                    "project_id": row.project,
                    "role": "assistant",
                    "output_tokens": row.tokens,
                    "cost_usd": row.amount,
                    "sent_at": row.at,
                },
            )
            for row in book.messages
        ],
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        values = ", ".join(f"({', '.join(map(_literal, row.values()))})" for row in rows)
        connection.execute(f"INSERT INTO {table} ({', '.join(rows[0])}) VALUES {values}")


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return f"{'TIMESTAMPTZ' if value.tzinfo else 'TIMESTAMP'} '{value}'"
    return f"DATE '{value}'" if isinstance(value, date) else f"'{value}'"


def call(connection: duckdb.DuckDBPyConnection, macro: str, query: Query, **more: object) -> Rows:
    """Return the whole output of a macro; instants in UTC."""
    arguments = {name: value for name, value in vars(query).items() if value is not None} | more
    listed = ", ".join(f"{name} := {_literal(value)}" for name, value in arguments.items())
    moments = MOMENTS.get(macro, ())
    # Fetched as they are, instants would need a further package.
    local = "".join(f", {name} AT TIME ZONE 'UTC' AS {name}" for name in moments).lstrip(", ")
    replaced = f" REPLACE ({local})" if moments else ""
    result = connection.execute(f"SELECT *{replaced} FROM {macro}({listed})")
    names = [column[0] for column in result.description or []]
    return [
        {
            name: value.replace(tzinfo=UTC) if name in moments and value else value
            for name, value in zip(names, row, strict=True)
        }
        for row in result.fetchall()
    ]


def added(rows: Iterable[dict[str, Any]], *columns: str) -> Decimal:
    """Return the sum of some columns over rows, what is not known left out."""
    return oracle.total(row[name] for row in rows for name in columns) or ZERO


# The macros equal the oracle


@pytest.mark.parametrize("macro", MACROS)
@given(book=random_books, query=queries)
@bounded(15)
def test_a_macro_is_what_the_oracle_says(
    books: Books, macro: str, book: Book, query: Query
) -> None:
    with holding(books, book) as connection:
        assert call(connection, macro, query) == MACROS[macro](book, query)


@given(
    book=random_books,
    query=queries,
    grain=st.sampled_from(["day", "week", "month", "quarter", "year"]),
)
@bounded(15)
def test_a_statement_of_any_grain_is_what_the_oracle_says(
    books: Books, book: Book, query: Query, grain: str
) -> None:
    with holding(books, book) as connection:
        found = call(connection, "pnl_statement", query, grain=grain)
        assert found == oracle.pnl_statement(book, query, grain)


@given(book=random_books)
@bounded(4)
def test_a_view_is_its_macro_without_arguments(books: Books, book: Book) -> None:
    views = {
        "node_profit_summary": oracle.node_profit,
        "node_monthly_profit": oracle.node_monthly_profit,
        "platform_profit_summary": oracle.platform_profit,
    }
    with holding(books, book) as connection:
        for view, expected in views.items():
            found = connection.execute(f"FROM {view}").fetchall()
            assert found == [tuple(row.values()) for row in expected(book, Query())]


# Laws


@given(book=random_books, query=queries, macro=macros, cost=costs)
@bounded(15)
def test_adding_a_cost_never_changes_revenue(
    books: Books, book: Book, query: Query, macro: str, cost: oracle.Cost
) -> None:
    with holding(books, book) as connection:
        before = _revenues(call(connection, macro, query))
        fill(connection, Book(costs=(replace(cost, id=99),)))
        assert _revenues(call(connection, macro, query)) == before


@given(book=random_books, query=queries, macro=macros, message=messages)
@bounded(15)
def test_adding_a_message_never_changes_revenue(
    books: Books, book: Book, query: Query, macro: str, message: oracle.Message
) -> None:
    with holding(books, book) as connection:
        before = _revenues(call(connection, macro, query))
        fill(connection, Book(messages=(replace(message, id=99),)))
        assert _revenues(call(connection, macro, query)) == before


def _revenues(rows: Rows) -> dict[tuple[object, ...], object]:
    """Return every figure of revenue but zeros, which a row made by costs alone has as well."""
    names = ("month", "node_id", "project_id", "period_start", "kind", "figure")
    return {
        (*(row.get(name) for name in names), column): value
        for row in rows
        for column, value in row.items()
        if any(part in column for part in ("revenue", "earnings_usd", "fees_usd"))
        or (column == "amount_usd" and row["section"] == "revenue")
        or (column == "amount" and row["figure"] == "revenue")
        if value != 0
    }


@given(book=random_books, query=queries)
@bounded(8)
def test_all_parts_add_up_to_the_same_whole(books: Books, book: Book, query: Query) -> None:
    with holding(books, book) as connection:
        of = {macro: call(connection, macro, query) for macro in MACROS}
    lines = {
        section: [row for row in of["pnl_statement"] if row["section"] == section]
        for section in ("revenue", "cost", "net")
    }
    key = {row["figure"]: row for row in of["key_figures"]}
    revenue, costs_, net = "total_revenue_usd", "total_costs_usd", "net_profit_usd"
    taken = ("platform_fees_usd", "subscription_revenue_usd")
    roi = of["project_roi"]
    months = ("node_profit", "node_monthly_profit", "platform_profit")
    assert {
        *(added(of[macro], revenue) for macro in months),
        added(roi, "node_earnings_usd", *taken),
        added(lines["revenue"], "amount_usd"),
        key["revenue"]["amount"] or ZERO,
    } == {added(of["node_profit"], revenue)}
    assert {
        *(added(of[macro], costs_) for macro in months),
        added(roi, costs_),
        added(lines["cost"], "amount_usd"),
        key["costs"]["amount"] or ZERO,
    } == {added(of["node_profit"], costs_)}
    assert {
        *(added(of[macro], net) for macro in months),
        added(roi, "platform_profit_usd", "node_earnings_usd"),
        added(roi, "node_profit_usd", *taken),
        added(lines["net"], "amount_usd"),
        added(lines["revenue"], "amount_usd") - added(lines["cost"], "amount_usd"),
        key["net profit"]["amount"] or ZERO,
    } == {added(of["node_profit"], net)}
    assert {
        *(sum(row["unpriced_rows"] for row in of[macro]) for macro in (*months, "project_roi")),
        sum(row["unpriced_rows"] for row in lines["net"]),
        sum(row["unpriced_rows"] for row in lines["revenue"] + lines["cost"]),
    } == {key["net profit"]["unpriced_rows"]}


@given(book=random_books, query=queries, cuts=st.lists(bounds, min_size=3, max_size=3))
@bounded(10)
def test_splitting_a_range_adds_up(
    books: Books, book: Book, query: Query, cuts: list[oracle.Bound]
) -> None:
    def place(bound: oracle.Bound) -> datetime:
        moment = oracle.instant(bound, book.zone)
        assume(moment is not None)
        assert moment is not None
        return moment

    def figures(rows: Rows) -> dict[object, list[Decimal]]:
        columns = ("total_revenue_usd", "total_costs_usd", "costs_carried_usd", "net_profit_usd")
        grouped: dict[object, Rows] = {}
        for row in rows:
            grouped.setdefault(row["node_id"], []).append(row)
        sums = {
            node: [added(part, name) for name in (*columns, "unpriced_rows")]
            for node, part in grouped.items()
        }
        return {node: figures for node, figures in sums.items() if any(figures)}

    first, middle, last = sorted(cuts, key=place)
    with holding(books, book) as connection:
        whole, left, right = (
            call(connection, "node_profit", replace(query, since=since, until=until))
            for since, until in ((first, last), (first, middle), (middle, last))
        )
    assert figures(left + right) == figures(whole)


@given(book=random_books, query=queries, macro=macros)
@bounded(12)
def test_failed_payments_change_nothing(books: Books, book: Book, query: Query, macro: str) -> None:
    without = replace(
        book,
        earnings=tuple(row for row in book.earnings if row.status != "failed"),
        costs=tuple(row for row in book.costs if row.status != "failed"),
        subscriptions=tuple(row for row in book.subscriptions if row.status != "failed"),
    )
    assume(without != book)
    assert _rows_of(books, book, query, macro) == _rows_of(books, without, query, macro)


def _rows_of(books: Books, book: Book, query: Query, macro: str) -> Rows:
    with holding(books, book) as connection:
        return call(connection, macro, query)


@given(book=random_books, query=queries, macro=macros)
@bounded(12)
def test_as_of_the_last_load_is_now(books: Books, book: Book, query: Query, macro: str) -> None:
    with holding(books, book) as connection:
        now = call(connection, macro, replace(query, as_of=None))
        assert call(connection, macro, replace(query, as_of=len(LOADS))) == now


@given(book=random_books, query=queries, macro=macros, load=st.integers(0, len(LOADS)))
@bounded(15)
def test_as_of_a_load_is_a_book_that_stopped_there(
    books: Books, book: Book, query: Query, macro: str, load: int
) -> None:
    stopped = oracle.state(book, load)
    past = _rows_of(books, book, replace(query, as_of=load), macro)
    assert past == _rows_of(books, stopped, replace(query, as_of=None), macro)


@given(book=random_books, load=st.integers(1, len(LOADS)))
@bounded(15)
def test_a_superseded_row_counts_once(books: Books, book: Book, load: int) -> None:
    stopped = oracle.state(book, load)
    facts: Sequence[Sequence[oracle.Earning | oracle.Cost | oracle.Subscription]]
    facts = (stopped.earnings, stopped.costs, stopped.subscriptions)
    keys = [len({row.id for row in rows if row.status != "failed"}) for rows in facts]
    with holding(books, book) as connection:
        statement = call(connection, "pnl_statement", Query(as_of=load))
    counted = sum(row["rows"] for row in statement if row["section"] == "net")
    models = [m for m in stopped.messages if m.tokens or m.amount is not None]
    assert counted == sum(keys) + len(stopped.fees) + len(stopped.backups) + len(models)


@given(book=random_books, query=queries)
@bounded(6)
def test_the_rows_behind_a_node_add_up_to_its_profit(
    books: Books, book: Book, query: Query
) -> None:
    with holding(books, book) as connection:
        of_all = replace(query, node=None)
        for profit in call(connection, "node_profit", of_all)[:3]:
            of_node = call(connection, "node_source_rows", of_all, node=profit["node_id"])
            assert added(of_node, "revenue_usd") == (profit["total_revenue_usd"] or ZERO)
            assert added(of_node, "cost_usd") == (profit["total_costs_usd"] or ZERO)


# Exact arithmetic

numbers = st.integers(-(10**24), 10**24).map(lambda n: Decimal(n).scaleb(-12))
small = st.integers(-400, 400).map(lambda n: Decimal(n).scaleb(-2))
tokens = st.integers(-(10**36) + 1, 10**36 - 1).map(lambda n: oracle.EXACT.scaleb(Decimal(n), -18))
token_prices = st.integers(0, 10**24).map(lambda n: oracle.EXACT.scaleb(Decimal(n), -18))
few_tokens = st.integers(-(10**8), 10**8).map(lambda n: Decimal(n).scaleb(-7))
few_prices = st.integers(0, 10**8).map(lambda n: Decimal(n).scaleb(-6))


@given(numerator=numbers | small, denominator=numbers | small, digits=st.integers(0, 12))
@bounded(120)
def test_a_ratio_is_exact_and_rounded_half_up(
    books: Books, numerator: Decimal, denominator: Decimal, digits: int
) -> None:
    expected = oracle.ratio(numerator, denominator, digits)
    assume(expected is None or abs(expected) < 10**25)
    found = books["UTC"].execute(
        f"SELECT ratio({numerator:f}::DECIMAL(38, 12), {denominator:f}::DECIMAL(38, 12), {digits})"
    )
    assert found.fetchall() == [(expected,)]


@given(
    denominator=(numbers | small).filter(lambda number: number != 0),
    half=st.integers(-(10**13), 10**13) | st.integers(-500, 500),
    beside=st.sampled_from([-1, 0, 1]),
    digits=st.integers(0, 12),
)
@bounded(120)
def test_a_ratio_close_to_a_half_is_rounded_to_its_side(
    books: Books, denominator: Decimal, half: int, beside: int, digits: int
) -> None:
    exact = oracle.EXACT.multiply(denominator, Decimal(2 * half + 1))
    halved = oracle.EXACT.divide(exact, Decimal(2).scaleb(digits))
    numerator = halved.quantize(Decimal("1e-12"), context=oracle.EXACT) + Decimal(beside).scaleb(
        -12
    )
    assume(abs(numerator.scaleb(digits)) < 8 * 10**25)
    found = books["UTC"].execute(
        f"SELECT ratio({numerator:f}::DECIMAL(38, 12), {denominator:f}::DECIMAL(38, 12), {digits})"
    )
    assert found.fetchall() == [(oracle.ratio(numerator, denominator, digits),)]


@given(
    pair=st.tuples(tokens, token_prices.filter(lambda price: price < 100))
    | st.tuples(few_tokens, few_prices)
    | st.tuples(few_tokens, token_prices)
)
@bounded(120)
def test_a_usd_value_is_exact_and_rounded_half_up(
    books: Books, pair: tuple[Decimal, Decimal]
) -> None:
    amount, price = pair
    found = books["UTC"].execute(
        f"SELECT usd_value({amount:f}::DECIMAL(38, 18), {price:f}::DECIMAL(38, 18))"
    )
    assert found.fetchall() == [(oracle.usd_value(amount, price),)]
