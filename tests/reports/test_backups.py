"""The backup report without a browser: its words, its charts, and what its cells make of a book."""

from __future__ import annotations

import importlib.util
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.reports import backup_books, books

from pnlbook.book import open_book
from pnlbook.reports import backup_charts, backup_tables, backup_words, exports
from pnlbook.reports.backup_words import cost, instant, size
from pnlbook.reports.backups import Backups, read_backups
from pnlbook.reports.charts import PRINT
from pnlbook.reports.figures import NO_DATA
from pnlbook.reports.query import Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import altair as alt

    Run = Callable[[Path], tuple[str, dict[str, Any]]]

NOTEBOOK = books.ROOT / "notebooks" / "backups.py"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return backup_books.kept(tmp_path_factory.mktemp("backups") / "shop.duckdb")


@pytest.fixture(scope="module")
def backups(book: Path) -> Backups:
    return read_backups(Source(book, 5))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(book: Path) -> tuple[str, dict[str, Any]]:
        """Run the notebook on a book; return all it shows, and its variables."""
        monkeypatch.setenv("PNLBOOK_BOOK", str(book))
        specification = importlib.util.spec_from_file_location("backups", NOTEBOOK)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        outputs, variables = module.app.run()
        return " ".join(getattr(output, "text", "") for output in outputs), dict(variables)

    return run


def values(chart: alt.LayerChart) -> list[dict[str, Any]]:
    """Return the rows that a chart is drawn from."""
    rows: list[dict[str, Any]] = max(chart.to_dict()["datasets"].values(), key=len)
    return rows


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (None, NO_DATA),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (20480, "20.5 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (4 * 10**15, "4,000.0 TB"),
    ],
)
def test_sizes(octets: int | None, told: str) -> None:
    assert size(octets).replace("\N{NARROW NO-BREAK SPACE}", " ") == told


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        (None, NO_DATA),
        ("0", "0.0000"),
        ("0.036", "0.0360"),
        ("0.00005", "0.0001"),
        ("0.00004", "<0.0001"),
        ("1234.5", "1,234.5000"),
    ],
)
def test_costs_are_told_below_a_cent(amount: str | None, told: str) -> None:
    assert cost(None if amount is None else Decimal(amount)) == told


@pytest.mark.parametrize(
    ("passed", "told"),
    [
        (None, "never"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7199, "119 minutes ago"),
        (7200, "2 hours ago"),
        (172_799, "47 hours ago"),
        (172_800, "2 days ago"),
        (86400 * 1000, "1,000 days ago"),
    ],
)
def test_ages(passed: int | None, told: str) -> None:
    assert backup_words.ago(passed) == told


@pytest.mark.parametrize(
    ("length", "told"),
    [(None, NO_DATA), ("0.005", "0.01 s"), ("60", "1 min 0 s"), ("200.9", "3 min 20 s")],
)
def test_lengths(length: str | None, told: str) -> None:
    shown = backup_words.seconds(None if length is None else Decimal(length))
    assert shown.replace("\N{NARROW NO-BREAK SPACE}", " ") == told


def test_figures_are_those_of_the_macros(run: Run, book: Path) -> None:
    shown, variables = run(book)
    made: Backups = variables["made"]
    at = f"at := TIMESTAMPTZ '{made.moment.astimezone(UTC).isoformat()}'"
    assert [made.figures] == books.answer(book, f"backup_figures({at})")
    assert made.vaults.to_dicts() == books.answer(book, f"backup_health({at})")
    assert made.costs.to_dicts() == books.answer(book, "backup_costs()")
    assert made.backups.to_dicts() == books.answer(book, "backup_list()")
    for told in (f"{made.figures['kept']:,}", cost(made.figures["cost_usd"]), "passed"):
        assert f">{told}<" in shown
    said = backup_tables.protection(made)
    assert "<strong>Protected: yes</strong>, with 1 warning:" in said
    assert "Copies: 1 missing, 1 damaged." in said


def test_wanted_copies_are_those_of_the_settings(book: Path) -> None:
    told = [
        read_backups(Source(book, 5), copies).warnings["warning"].to_list() for copies in (2, 3)
    ]
    assert told == [["copies_lost"], ["few_copies", "copies_lost"]]


def test_an_unprotected_book_says_why(run: Run, tmp_path: Path) -> None:
    shown, variables = run(backup_books.unprotected(tmp_path / "book.duckdb"))
    said = backup_tables.protection(variables["made"])
    assert "<strong>Protected: no</strong>, because:" in said
    assert "No backup is known to be restorable" in said
    assert "No drill has shown yet that a restore works." in said
    assert "incomplete: 1 backup of unknown cost" in shown
    assert "&lt;disk&gt; (folder)" in shown
    assert "<disk>" not in shown
    assert "None yet." in shown


def test_a_book_in_order_is_protected_without_a_but(tmp_path: Path) -> None:
    book = backup_books.unprotected(tmp_path / "book.duckdb")
    with open_book(book, write=True) as connection:
        connection.execute(
            "UPDATE backup_copies SET state = 'verified', verified_at = now();"
            "INSERT INTO backup_schedules (schedule_name, backup_type, cron) "
            "VALUES ('daily', 'full', '0 2 * * *');"
            "INSERT INTO backup_restore_log (restore_id, backup_id, kind, started_at, success) "
            "VALUES (1, 'only', 'drill', now(), true)"
        )
    assert "<strong>Protected: yes.</strong>" in backup_tables.protection(
        read_backups(Source(book, 5))
    )
    later = read_backups(Source(book, 5), at=datetime.now(UTC) + timedelta(days=2))
    assert not later.protected
    assert "Schedule daily is overdue" in backup_tables.protection(later)


def test_an_empty_book_says_how_to_begin(run: Run, tmp_path: Path) -> None:
    shown, variables = run(books.empty(tmp_path / "book.duckdb"))
    assert "No backup yet" in shown
    for command in ("pnlbook keys new", "pnlbook backup create"):
        assert command in shown
    assert "made" not in variables


def test_without_a_book_there_is_one_sentence(run: Run, tmp_path: Path) -> None:
    shown, variables = run(tmp_path / "none.duckdb")
    assert "No book at" in shown
    assert variables["backups"] is None


def test_the_timeline_has_each_backup_on_the_clock_of_the_book(backups: Backups) -> None:
    rows = values(backup_charts.timeline_chart(backups.backups))
    assert len(rows) == len(backups.backups)
    newest = backups.backups.row(0, named=True)
    assert rows[0]["when"] == instant(newest["created_at"])
    assert rows[0]["at"] == newest["created_at"].replace(tzinfo=UTC).timestamp() * 1000
    assert sum(not row["kept"] for row in rows) == backups.figures["made"] - backups.figures["kept"]
    assert (
        "70 incremental backups, the largest 6.1"
        in (backup_charts.timeline_chart(backups.backups).to_dict()["description"])
    )


def test_a_single_backup_has_a_week_and_a_power_of_ten_around_it(backups: Backups) -> None:
    one = backups.backups.head(1)
    shown = backup_charts.timeline_chart(one).to_dict()["layer"][0]["encoding"]
    first, last = shown["x"]["scale"]["domain"]
    assert last - first > 7 * 86_400_000
    assert shown["y"]["scale"]["domain"] == [10**6, 10**7]


def test_costs_of_the_chart_add_up(backups: Backups) -> None:
    rows = values(backup_charts.costs_chart(backups.costs))
    assert sum(row["value"] for row in rows) == pytest.approx(float(backups.figures["cost_usd"]))
    notes = [row["told"] for row in rows if "unknown" in row["told"]]
    assert len(notes) == backups.costs.filter(pl.col("unpriced_backups") > 0).height


def test_what_has_no_known_cost_is_not_drawn() -> None:
    costs = pl.DataFrame(
        {"month": [date(2025, 10, 1)], "backup_type": ["full"], "cost_usd": [None]}
        | {"unpriced_backups": [1]}
    )
    assert values(backup_charts.costs_chart(costs)) == []


def test_long_tables_say_what_they_leave_out(backups: Backups) -> None:
    many = pl.concat([backups.costs] * 10)
    shown = backup_tables.costs_table(many)
    left = len(many) - backup_tables.MOST_ROWS
    assert f"{left} older rows only in the download" in shown
    assert shown.count("<tr") == 1 + backup_tables.MOST_ROWS


def test_pictures_are_drawn_in_fixed_colours(backups: Backups) -> None:
    for draw, frame in (
        (backup_charts.timeline_chart, backups.backups),
        (backup_charts.costs_chart, backups.costs),
    ):
        chart = draw(frame, PRINT, ("Title", "below"))
        assert "var(" not in str(chart.to_dict())
        assert exports.png(chart).startswith(b"\x89PNG\r\n\x1a\n")
