"""The first view of the profit report tells what the macros say, or leaves it to the report."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from tests.reports import books

from pnlbook.book import BookMissing
from pnlbook.reports import first_view
from pnlbook.reports.figures import money, percent

if TYPE_CHECKING:
    from pathlib import Path

RANGE = "since := DATE '2025-09-01', until := DATE '2025-11-01'"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return books.demo(tmp_path_factory.mktemp("demo") / "demo.duckdb")


def view(monkeypatch: pytest.MonkeyPatch, book: Path, **query: str) -> str:
    monkeypatch.setenv("PNLBOOK_BOOK", str(book))
    monkeypatch.setenv("PNLBOOK_LOCK_TIMEOUT", "0")
    return first_view.VIEWS["profit"]({name: [value] for name, value in query.items()})


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ({}, RANGE),
        (
            {"first": "2025-10-01", "last": "2025-10-31", "opened": "-", "rank": "lowest"},
            "since := '2025-10-01', until := '2025-11-01'",
        ),
        (
            {"basis": "cash", "node": "alex-architect-ai"},
            f"{RANGE}, basis := 'cash', node := 'alex-architect-ai'",
        ),
        ({"project": "proj-128", "grain": "none such"}, f"{RANGE}, project := 'proj-128'"),
    ],
    ids=["range", "month", "cash-node", "project"],
)
def test_its_figures_are_those_of_the_macros(
    monkeypatch: pytest.MonkeyPatch, demo: Path, query: dict[str, str], arguments: str
) -> None:
    shown = view(monkeypatch, demo, **query)
    rows = books.answer(demo, f"key_figures({arguments})")
    told = [percent(row["amount"]) if row["unit"] == "%" else money(row["amount"]) for row in rows]
    assert re.findall(r'class="pnl-value">([^<]*)<', shown) == told
    revenue, costs, net, _ = told
    label = f"Revenue {revenue}, costs {costs} and net profit {net} USD over "
    assert f'role="img" aria-label="{label}' in shown
    for row in books.answer(demo, f"pnl_statement('month', {arguments})"):
        assert f">{money(row['amount_usd'])}</td>" in shown


def test_it_shows_the_filters_of_the_url(monkeypatch: pytest.MonkeyPatch, demo: Path) -> None:
    shown = view(monkeypatch, demo, grain="week", node="alex-architect-ai", basis="cash")
    wait = shown[shown.index('class="pnl-wait"') :]
    told = re.findall(r"<div>(\w+)<span[^>]*>([^<]*)</span>", wait)
    assert dict(told) == {
        "Period": "2025-09-01 \N{EN DASH} 2025-10-31",
        "By": "week",
        "Basis": "cash",
        "Node": "Alex the Architect \N{MIDDLE DOT} alex-architect-ai",
        "Project": "All projects",
    }


def test_what_a_url_says_is_only_text(monkeypatch: pytest.MonkeyPatch, demo: Path) -> None:
    evil = "<script>alert(1)</script>"
    shown = view(monkeypatch, demo, project="proj-128", opened=evil, rank=evil, basis=evil)
    assert evil not in shown
    assert view(monkeypatch, demo, node=evil) == ""


def test_names_of_the_book_are_only_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = view(monkeypatch, books.losing(tmp_path / "b&b.duckdb"), node="n1")
    assert f"<strong>{html.escape('b&b')}</strong>" in shown
    assert html.escape("Mill <1>") in shown
    assert "Mill <1>" not in shown


def test_it_marks_what_is_incomplete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = view(monkeypatch, books.losing(tmp_path / "book.duckdb"))
    note = "incomplete: 1 row without a price"
    assert shown.count(f'<p class="pnl-note"><span class="pnl-mark">{note}</span></p>') == 2


def test_the_report_tells_itself_that_there_are_no_facts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, demo: Path
) -> None:
    assert view(monkeypatch, books.empty(tmp_path / "empty.duckdb")) == ""
    assert view(monkeypatch, demo, first="2024-01-01", last="2024-01-31") == ""
    with pytest.raises(BookMissing):
        view(monkeypatch, tmp_path / "none.duckdb")
