"""Profit macros as they are called: refusals, bound parameters, plans, zones, views."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from pnlbook import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.core

MACROS = (
    "node_profit",
    "node_monthly_profit",
    "platform_profit",
    "pnl_statement",
    "project_roi",
    "key_figures",
)
COST = """
INSERT INTO deployment_costs
    (cost_id, node_id, amount_usd, incurred_at, source, source_key, load_id)
VALUES (?, 'a', ?, ?, 's', ?, 1)
"""
REPLACED = "INSERT INTO deployment_costs_history SELECT *, 2 FROM deployment_costs"


@pytest.fixture(scope="module")
def empty() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrate.install(connection)
        yield connection


@pytest.fixture
def book(empty: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    empty.execute("BEGIN")
    yield empty
    empty.execute("ROLLBACK")


@pytest.fixture(params=["Asia/Tokyo", "America/New_York"])
def berlin(
    request: pytest.FixtureRequest, book: duckdb.DuckDBPyConnection
) -> duckdb.DuckDBPyConnection:
    """Return a book with a cost on either side of October in Berlin; the session is elsewhere."""
    migrate.set_timezone(book, "Europe/Berlin")
    book.execute(f"SET TimeZone = '{request.param}'")
    for number, moment in enumerate(["2025-09-30 21:59:59+00", "2025-09-30 22:00:00+00"]):
        book.execute(COST, [number, 10 + number, moment, str(number)])
    return book


def costs(book: duckdb.DuckDBPyConnection, **arguments: object) -> list[str]:
    names = ", ".join(f"{name} := ${name}" for name in arguments)
    rows = book.execute(
        f"SELECT total_costs_usd::DECIMAL(9, 2)::VARCHAR FROM platform_profit({names})", arguments
    ).fetchall()
    return [cost for [cost] in rows]


@pytest.mark.parametrize("macro", [*MACROS, "node_source_rows"])
@pytest.mark.parametrize("basis", ["'Cash'", "''", "NULL"])
def test_an_unknown_basis_is_an_error_even_without_facts(
    book: duckdb.DuckDBPyConnection, macro: str, basis: str
) -> None:
    node = "'a', " if macro == "node_source_rows" else ""
    with pytest.raises(duckdb.InvalidInputException, match=r"basis is .*; use accrual or cash"):
        book.execute(f"FROM {macro}({node}basis := {basis})").fetchall()


@pytest.mark.parametrize("grain", ["'decade'", "'Month'", "NULL"])
def test_an_unknown_grain_is_an_error_even_without_facts(
    book: duckdb.DuckDBPyConnection, grain: str
) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="use day, week, month, quarter or year"):
        book.execute(f"FROM pnl_statement({grain})").fetchall()


def test_ratio_refuses_more_digits_than_it_has(book: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="digits must be from 0 to 12"):
        book.execute("SELECT ratio(1, 3, 13)").fetchall()


def plan(book: duckdb.DuckDBPyConnection, query: str) -> str:
    return str(book.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()[0][1])


@pytest.mark.parametrize("macro", MACROS)
def test_without_as_of_no_history_is_read(berlin: duckdb.DuckDBPyConnection, macro: str) -> None:
    berlin.execute(REPLACED)
    assert "deployment_costs_history" not in plan(berlin, f"FROM {macro}()")
    assert "deployment_costs_history" in plan(berlin, f"FROM {macro}(as_of := 1)")


def test_a_range_is_known_to_the_scan(berlin: duckdb.DuckDBPyConnection) -> None:
    berlin.execute("SET TimeZone = 'UTC'")
    assert "2025-09-30 22:00:00+00" in plan(berlin, "FROM cost_rows(since := '2025-10-01')")


@pytest.mark.parametrize(
    "october",
    [
        "2025-10-01",
        "2025-10-01 00:00:00",
        "2025-09-30T22:00:00Z",
        date(2025, 10, 1),
        datetime(2025, 10, 1),  # noqa: DTZ001 - on the book's clock
        datetime(2025, 9, 30, 22, tzinfo=UTC),
    ],
)
def test_a_range_is_on_the_clock_of_the_book(
    berlin: duckdb.DuckDBPyConnection, october: object
) -> None:
    assert costs(berlin) == ["11.00", "10.00"]
    assert costs(berlin, since=october) == ["11.00"]
    assert costs(berlin, until=october) == ["10.00"]


def test_no_bound_can_be_bound(berlin: duckdb.DuckDBPyConnection) -> None:
    nothing = dict.fromkeys(("since", "until", "as_of", "node", "project"))
    assert costs(berlin, **nothing, basis="accrual") == ["11.00", "10.00"]
    assert costs(berlin, as_of=0) == []
    assert costs(berlin, node="b") == []


def test_a_zone_stays_when_macros_are_installed_anew() -> None:
    with duckdb.connect() as book:
        migrate.install(book)
        migrate.set_timezone(book, "Europe/Berlin")
        migrate.install(book)
        assert book.execute("SELECT book_timezone()").fetchall() == [("Europe/Berlin",)]


def test_views_and_macros_of_one_name_live_together(berlin: duckdb.DuckDBPyConnection) -> None:
    view = berlin.execute("SELECT month, total_costs_usd FROM node_monthly_profit").fetchall()
    macro = berlin.execute("SELECT month, total_costs_usd FROM node_monthly_profit()").fetchall()
    assert len(view) == 2
    assert view == macro
