"""What reports read from a book, against macros called without them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import pytest
from tests.reports import books

from pnlbook import migrate
from pnlbook.book import open_book
from pnlbook.reports import tables
from pnlbook.reports.filters import Filters
from pnlbook.reports.nodes import WITHOUT_NODE, best, position, read_node
from pnlbook.reports.overview import label_of, read_overview, with_choice
from pnlbook.reports.profit import read_profit
from pnlbook.reports.query import Call, Source, attempt, find_source

if TYPE_CHECKING:
    from pathlib import Path

AUTUMN = Filters(first=date(2025, 9, 1), last=date(2025, 10, 31))
RANGE = "since := DATE '2025-09-01', until := DATE '2025-11-01'"


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(books.losing(tmp_path_factory.mktemp("losing") / "book.duckdb"), 0)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(books.demo(tmp_path_factory.mktemp("demo") / "demo.duckdb"), 0)


@pytest.mark.parametrize(
    ("filters", "arguments"),
    [
        (AUTUMN, RANGE),
        (
            Filters(date(2025, 10, 1), date(2025, 10, 31)),
            "since := '2025-10-01', until := '2025-11-01'",
        ),
        (
            Filters(basis="cash", node="alex-architect-ai"),
            "basis := 'cash', node := 'alex-architect-ai'",
        ),
        (Filters(project="proj-128"), "project := 'proj-128'"),
    ],
    ids=["range", "month", "cash-node", "project"],
)
def test_a_report_shows_what_the_macros_say(demo: Source, filters: Filters, arguments: str) -> None:
    profit = read_profit(demo, filters, date(2025, 9, 1))
    assert profit.figures.to_dicts() == books.answer(demo.path, f"key_figures({arguments})")
    assert profit.lines.to_dicts() == books.answer(demo.path, f"pnl_statement({arguments})")
    nodes = books.answer(demo.path, f"node_profit({arguments})")
    assert profit.nodes.drop("key", "label").to_dicts() == nodes
    assert profit.months is not None
    assert profit.months.to_dicts() == books.answer(demo.path, f"platform_profit({arguments})")


def test_the_statement_agrees_with_the_key_figures(losing: Source) -> None:
    profit = read_profit(losing, AUTUMN, date(2025, 9, 1))
    amounts = dict(profit.figures.select("figure", "amount").rows())
    assert profit.statement.sums("revenue").total == amounts["revenue"]
    assert profit.statement.sums("cost").total == amounts["costs"]
    assert profit.statement.sums("net").total == amounts["net profit"]
    assert profit.statement.unpriced_rows == profit.figures["unpriced_rows"][0] == 1


def test_a_book_that_begins_with_the_range_shows_the_change_of_its_last_month(
    demo: Source,
) -> None:
    profit = read_profit(demo, AUTUMN, date(2025, 9, 1))
    assert profit.latest is not None
    shown = tables.key_figures(profit)
    assert "Oct 2025: 45,000.00<br>" in shown
    assert "+6,500.00 (+16.9\N{NARROW NO-BREAK SPACE}%)<br>from 38,500.00" in shown
    october = Filters(first=date(2025, 10, 1), last=date(2025, 10, 31))
    assert read_profit(demo, october, date(2025, 9, 1)).latest is None


def test_nodes_open_down_to_their_lines(losing: Source) -> None:
    opened = read_node(losing, "n1", AUTUMN)
    assert opened.label == "Mill <1>"
    within = f"'n1', {RANGE}"
    assert opened.rows.to_dicts() == books.answer(losing.path, f"node_source_rows({within})")
    assert opened.rows["location"].to_list() == ["in/earnings.csv"] * 2
    assert opened.rows["source_line"].to_list() == [2, 2]


def test_facts_without_a_node_open_too(losing: Source) -> None:
    opened = read_node(losing, WITHOUT_NODE, AUTUMN)
    assert opened.label == "unattributed (no node)"
    assert opened.rows["cost_usd"].to_list() == [1]
    assert opened.months["net_profit_usd"].to_list() == [-1]


def test_months_of_a_node_add_up_to_its_rank(demo: Source) -> None:
    profit = read_profit(demo, AUTUMN, date(2025, 9, 1))
    for key, net in profit.nodes.select("key", "net_profit_usd").rows():
        assert read_node(demo, key, AUTUMN).months["net_profit_usd"].sum() == net


def test_nodes_are_ranked_from_either_end(losing: Source) -> None:
    nodes = read_profit(losing, AUTUMN, date(2025, 9, 1)).nodes
    names = [bar.label for bar in best(nodes, "highest")]
    assert names == ["unattributed (no node)", "unattributed (ghost)", "Kiln", "Mill <1>"]
    assert [bar.label for bar in best(nodes, "lowest", most=2)] == ["Mill <1>", "Kiln"]
    assert position(nodes, "n2") == [2]
    assert position(nodes, "nobody") == position(nodes, None) == []


def test_tables_escape_what_the_book_says(losing: Source) -> None:
    profit = read_profit(losing, AUTUMN, date(2025, 9, 1))
    shown = tables.statement_table(profit.statement, profit.months)
    assert "Rows without a price" in shown
    assert "incomplete: 1 row without a price" in tables.key_figures(profit)
    months = read_node(losing, "n2", AUTUMN).months
    assert "incomplete: 1 row without a price" in tables.months_table(months)


def test_the_overview_introduces_the_book(demo: Source) -> None:
    overview = read_overview(demo)
    assert (overview.name, overview.timezone) == ("demo", "UTC")
    assert (overview.first, overview.last) == (date(2025, 9, 1), date(2025, 10, 31))
    assert overview.recent == overview.first
    assert overview.last_load is not None
    assert overview.nodes["Alex the Architect · alex-architect-ai"] == "alex-architect-ai"
    assert label_of(overview.nodes, "alex-architect-ai") == "Alex the Architect · alex-architect-ai"
    assert next(iter(with_choice(overview.nodes, "ghost"))) == "ghost"
    assert with_choice(overview.nodes, None) == overview.nodes


def test_an_empty_book_has_no_first_day(tmp_path: Path) -> None:
    overview = read_overview(Source(books.empty(tmp_path / "book.duckdb"), 0))
    assert (overview.first, overview.recent, overview.last_load) == (None, None, None)
    assert overview.timezone == "Europe/Berlin"


def test_problems_are_sentences(tmp_path: Path) -> None:
    path = tmp_path / "book.duckdb"
    assert attempt(lambda: read_overview(Source(path, 0)))[1].startswith(f"no book at {path}")
    path.write_text("no book")
    assert "not a DuckDB file" in attempt(lambda: read_overview(Source(path, 0)))[1]
    path.unlink()
    migrate.create(path)
    with open_book(path, write=True) as connection:
        connection.execute("UPDATE book_settings SET value = '' WHERE name = 'definitions_sha256'")
    assert "earlier pnlbook" in attempt(lambda: read_overview(Source(path, 0)))[1]
    migrate.up(path)
    wrong = Call("node_profit", {"basis": "barter"})
    assert "use accrual or cash" in attempt(lambda: Source(path, 0).call(wrong))[1]


def test_a_book_that_is_written_is_waited_for_and_then_named(losing: Source) -> None:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(losing.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        value, problem = attempt(lambda: read_overview(Source(losing.path, 0.1)))
        writer.communicate(b"\n")
    assert value is None
    assert f"open for writing by process {writer.pid}" in problem


def test_a_report_leaves_the_book_to_writers_between_its_queries(losing: Source) -> None:
    read_profit(losing, AUTUMN, date(2025, 9, 1))
    write = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('CREATE TEMP TABLE t (i INT)')"
    subprocess.run([sys.executable, "-c", write, str(losing.path)], check=True)


def test_the_book_is_the_one_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PNLBOOK_BOOK", str(tmp_path / "mine.duckdb"))
    monkeypatch.setenv("PNLBOOK_LOCK_TIMEOUT", "2")
    assert find_source() == Source(tmp_path / "mine.duckdb", 2)


def test_arguments_are_bound_not_pasted() -> None:
    call = Call("node_source_rows", {"basis": "cash"}, leading=("it's",))
    assert call.sql == "FROM node_source_rows($1, basis := $2)"
    assert call.parameters == ["it's", "cash"]
