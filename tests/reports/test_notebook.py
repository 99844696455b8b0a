"""The profit report run without a browser: what its cells make of a book."""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from tests.reports import books

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


Report: TypeAlias = "Callable[[Path], tuple[str, dict[str, Any]]]"


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Report:
    def run(book: Path) -> tuple[str, dict[str, Any]]:
        """Run the notebook on a book; return all it shows, and its variables."""
        monkeypatch.setenv("PNLBOOK_BOOK", str(book))
        specification = importlib.util.spec_from_file_location("profit", books.NOTEBOOK)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        outputs, variables = module.app.run()
        return " ".join(getattr(output, "text", "") for output in outputs), dict(variables)

    return run


def test_the_sample_book_shows_the_published_figures(report: Report, tmp_path: Path) -> None:
    book = books.demo(tmp_path / "demo.duckdb")
    shown, variables = report(book)
    for figure in ("83,500.00", "4,050.00", "79,450.00", "42,900.00", "36,550.00"):
        assert f">{figure}<" in shown
    profit = variables["profit"]
    arguments = "since := DATE '2025-09-01', until := DATE '2025-11-01'"
    assert profit.figures.to_dicts() == books.answer(book, f"key_figures({arguments})")
    assert [step.label for step in variables["steps"]][-1] == "Net profit"
    alex = next(bar for bar in variables["bars"] if bar.key == "alex-architect-ai")
    assert alex.amount == 4720
    [hours] = variables["hours"].filter(key="alex-architect-ai").to_dicts()
    assert hours["session_hours"] == Decimal("67.5")
    assert hours["profit_per_session_hour"] == Decimal("69.93")


def test_a_book_of_losses_is_marked_as_incomplete(report: Report, tmp_path: Path) -> None:
    shown, variables = report(books.losing(tmp_path / "book.duckdb"))
    assert "\N{MINUS SIGN}1,456.01" in shown
    assert "incomplete: 1 row without a price" in shown
    assert variables["steps"][-1].label == "Net loss"
    assert "Profit per hour of work" not in shown


def test_a_single_row_falls_into_its_month_of_the_book(report: Report, tmp_path: Path) -> None:
    shown, variables = report(books.one_row(tmp_path / "book.duckdb"))
    assert ">12.35<" in shown
    assert [bar.label for bar in variables["bars"]] == ["unattributed (solo)"]


def test_an_empty_book_says_how_to_load(report: Report, tmp_path: Path) -> None:
    shown, variables = report(books.empty(tmp_path / "book.duckdb"))
    assert "This book is empty" in shown
    assert "pnlbook demo" in shown
    assert "profit" not in variables


def test_without_a_book_there_is_one_sentence(report: Report, tmp_path: Path) -> None:
    shown, variables = report(tmp_path / "none.duckdb")
    assert "No book at" in shown
    assert variables["overview"] is None
