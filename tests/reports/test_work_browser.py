"""The work report as a reader has it: a real server, Chromium, and the macros to compare with."""

from __future__ import annotations

import io
import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from playwright.sync_api import Page, expect
from polars.testing import assert_frame_equal
from tests.reports import books, test_browser, work_books

from pnlbook.reports.backup_words import cost
from pnlbook.reports.figures import money, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[..., Page]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

RANGE = test_browser.RANGE
chromium, demo, folder = test_browser.chromium, test_browser.demo, test_browser.folder
visit = test_browser.visit


@pytest.fixture(scope="module")
def served(folder: Path, demo: Path) -> Iterator[str]:
    """Serve the report on `book.duckdb`, whichever book that is at the time; return its address."""
    shutil.copy(demo, folder / "book.duckdb")
    with test_browser.serving("work", folder) as address:
        yield address


@pytest.fixture(scope="module")
def varied(folder: Path) -> Path:
    return work_books.varied(folder / "varied.duckdb")


def expect_figures(page: Page, book: Path, arguments: str) -> None:
    """Wait until the key figures are those of the macro."""
    [row] = books.answer(book, f"work_figures({arguments})")
    expected = [
        *(money(row[f"{kind}_hours"]) for kind in ("session", "wall", "agent")),
        f"{row['sessions']:,}",
        money(row["revenue_per_session_hour"]),
        money(row["profit_per_session_hour"]),
        f"{row['tasks']:,}",
        cost(row["model_cost_usd"]),
    ]
    expect(page.locator(".pnl-value")).to_have_text(expected)


def test_figures_and_downloads_are_those_of_the_macros(visit: Open, demo: Path) -> None:
    page = visit(demo)
    expect_figures(page, demo, RANGE)
    table = page.locator("marimo-table").nth(1)
    for row in books.answer(demo, f"node_productivity({RANGE})"):
        if not row["total_sessions"]:
            continue
        line = table.get_by_role("row", name=row["node_name"])
        expect(line).to_contain_text(
            f"{row['total_sessions']}{money(row['session_hours'])}{money(row['wall_hours'])}"
            f"{money(row['agent_hours'])}{money(row['earnings_per_hour'])}"
        )
    alex = table.get_by_role("row", name="Alex the Architect")
    expect(alex).to_contain_text("4567.50")
    expect(alex).to_contain_text("74.07")

    name, csv = test_browser._download(page, "Models as CSV")
    assert name == "work-models-2025-09-01-2025-10-31.csv"
    macro = test_browser._frame(demo, f"model_costs({RANGE})")
    assert csv == macro.write_csv().encode()
    _, parquet = test_browser._download(page, "Tools as Parquet")
    assert_frame_equal(
        pl.read_parquet(io.BytesIO(parquet)), test_browser._frame(demo, f"tool_success({RANGE})")
    )
    for picture in ("Timeline", "Node hours", "Project earnings", "Rates", "Edits"):
        _, png = test_browser._download(page, f"{picture} as PNG")
        assert png.startswith(b"\x89PNG")
        assert len(png) > 10_000


def test_filters_narrow_the_figures_and_stay_in_the_url(visit: Open, varied: Path) -> None:
    page = visit(varied)
    october = "since := DATE '2025-10-01', until := DATE '2025-11-01'"
    expect_figures(page, varied, october)
    page.get_by_label("Waiting counts up to", exact=True).select_option("1 hour")
    patient = f"{october}, idle_seconds := 3600"
    expect_figures(page, varied, patient)
    test_browser._choose(page, "Node", "Ada <1>")
    ada = f"{patient}, node := 'ada'"
    expect_figures(page, varied, ada)
    assert parse_qs(urlsplit(page.url).query) == {
        "first": ["2025-10-01"],
        "last": ["2025-10-31"],
        "idle": ["3600"],
        "node": ["ada"],
    }
    page.reload()
    expect_figures(page, varied, ada)
    expect(page.get_by_label("Node", exact=True)).to_contain_text("Ada <1>")
    page.goto(page.url.replace("2025-10", "2024-01"))
    expect(page.get_by_text("No rows of work match these filters")).to_be_visible()


def test_a_row_opens_the_sessions_of_its_node_and_a_bar_those_of_its_project(
    visit: Open, demo: Path
) -> None:
    page = visit(demo)
    nodes = page.locator("marimo-table").nth(1)
    nodes.get_by_role("row", name="Dora Data").get_by_role("checkbox").click()
    expect(page.get_by_role("heading", name="Sessions of Dora Data", exact=True)).to_be_visible()
    sessions = test_browser._frame(demo, f"session_list({RANGE}, node := 'dora-data-ai')")
    opened = page.locator("marimo-table").nth(3)
    expect(opened).to_contain_text(f"{len(sessions)} rows")
    newest = sessions.row(0, named=True)
    expect(opened.get_by_role("row").nth(1)).to_contain_text(
        f"{newest['started_at']:%Y-%m-%d %H:%M}{money(newest['session_hours'])}"
    )
    _, parquet = test_browser._download(page, "Opened sessions as Parquet")
    assert_frame_equal(pl.read_parquet(io.BytesIO(parquet)), sessions)
    assert parse_qs(urlsplit(page.url).query)["opened"] == ["node:dora-data-ai"]

    bars = page.locator("marimo-vega svg.marks [aria-roledescription=bar]")
    bars.filter(has=page.locator("xpath=self::*[contains(@aria-label, 'Warehouse')]")).first.click()
    title = page.get_by_role("heading", name="Sessions of Warehouse dashboard", exact=True)
    expect(title).to_be_visible()
    page.reload()
    expect(title).to_be_visible()


def test_what_is_little_known_reads_well_on_a_phone_in_the_dark(visit: Open, varied: Path) -> None:
    page = visit(varied, "?opened=node:ada", width=390, scheme="dark")
    tiles = page.locator(".pnl-tiles")
    expect(tiles).to_contain_text("1 without a known time, in no hours")
    expect(tiles).to_contain_text("Model cost, at least")
    expect(page.get_by_role("heading", name="Sessions of Ada <1>", exact=True)).to_be_visible()
    for kind in ("at work (thick)", "waiting too long to count (line)", "time not known (diamond)"):
        expect(page.locator("svg.marks").first.get_by_text(kind)).to_be_visible()
    [bash] = [row for row in books.answer(varied, "tool_success()") if row["tool_name"] == "Bash"]
    rate = percent(100 - bash["success_rate_pct"])
    line = page.get_by_role("row", name=re.compile("^Bash7"))
    expect(line.or_(page.get_by_role("row", name="Bash 7")).first).to_contain_text(rate)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = page.locator(".pnl-value").first.evaluate("text => getComputedStyle(text).color")
    assert min(map(int, re.findall(r"\d+", shown)[:3])) > 150, "light text on a dark page"


def test_thousands_of_sessions_are_searched_and_opened(visit: Open, folder: Path) -> None:
    page = visit(work_books.crowded(folder / "crowded.duckdb"))
    expect(page.get_by_text("the newest 40 of 20,000 sessions")).to_be_visible()
    nodes = page.locator("marimo-table").nth(1)
    expect(nodes).to_contain_text("2,000 rows")
    nodes.get_by_role("textbox").or_(nodes.get_by_role("searchbox")).first.fill("Worker 1234")
    nodes.get_by_role("row", name="Worker 1234").get_by_role("checkbox").click()
    expect(page.get_by_role("heading", name="Sessions of Worker 1234", exact=True)).to_be_visible()
    expect(page.get_by_text("10 sessions, a lane for each day")).to_be_visible()


def test_books_without_work_say_how_to_load_it(visit: Open, folder: Path) -> None:
    page = visit(books.losing(folder / "losing.duckdb"))
    expect(page.get_by_role("heading", name="No work in this book yet")).to_be_visible()
    expect(page.get_by_text("claude-code")).to_be_visible()
    page = visit(work_books.one_session(folder / "one.duckdb"))
    expect(page.locator(".pnl-value").first).to_have_text("\N{EN DASH}")
    expect(page.get_by_text("1 without a known time, in no hours")).to_be_visible()
    (folder / "book.duckdb").unlink()
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("No book at")
    expect(page.get_by_text("Traceback")).to_have_count(0)
