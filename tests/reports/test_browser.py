"""The profit report as a reader has it: a real server, Chromium, and the macros to compare with."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from polars.testing import assert_frame_equal
from tests.reports import books

from pnlbook.book import open_book
from pnlbook.reports.figures import money, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 30_000  # milliseconds; two loaded processors are slow
RANGE = "since := DATE '2025-09-01', until := DATE '2025-11-01'"

Open: TypeAlias = "Callable[..., Page]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def demo(folder: Path) -> Path:
    return books.demo(folder / "demo.duckdb")


@pytest.fixture(scope="module")
def served(folder: Path, demo: Path) -> Iterator[str]:
    """Serve the report on `book.duckdb`, whichever book that is at the time; return its address."""
    shutil.copy(demo, folder / "book.duckdb")
    with serving("profit", folder) as address:
        yield address


@contextmanager
def serving(report: str, folder: Path) -> Iterator[str]:
    """Serve a report on the `book.duckdb` of a folder; give its address."""
    command = ["report", report, "--headless", "--port", "0", "--book", "book.duckdb"]
    server = subprocess.Popen(
        [sys.executable, "-m", "pnlbook", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(books.ROOT / "src"), "PNLBOOK_LOCK_TIMEOUT": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    address = re.search(r"http://\S+", server.stdout.readline())
    assert address is not None
    yield address[0]
    server.terminate()
    server.communicate(timeout=30)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert executable is not None, "no Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, served: str, folder: Path) -> Iterator[Open]:
    """Return a function that opens the report on a book; complaints of the page fail the test."""
    complaints: list[str] = []
    pages: list[Page] = []

    def visit(
        book: Path, query: str = "", width: int = 1280, scheme: Literal["dark", "light"] = "light"
    ) -> Page:
        Path(shutil.copy(book, folder / "next.duckdb")).rename(folder / "book.duckdb")
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.extend([said.text] * (said.type == "error")))
        page.on("request", lambda sent: _check_inside(sent.url, served, complaints))
        pages.append(page)
        page.goto(f"{served}/{query}")
        expect(page.locator("#root h1").or_(page.get_by_role("alert"))).to_be_visible()
        expect(page.locator("#pnl-first")).to_have_count(0)
        return page

    expect.set_options(timeout=PATIENCE)
    yield visit
    for page in pages:
        page.context.close()
    assert complaints == []


def _check_inside(url: str, served: str, complaints: list[str]) -> None:
    if not url.startswith((served, "data:", "blob:")):
        complaints.append(f"asked outside: {url}")


def test_figures_and_downloads_are_those_of_the_macros(visit: Open, demo: Path) -> None:
    page = visit(demo)
    _expect_figures(page, demo, RANGE)
    expect(page.locator("svg.marks")).to_have_count(3)

    statement = f"pnl_statement('month', {RANGE})"
    name, csv = _download(page, "Statement as CSV")
    assert name == "profit-statement-2025-09-01-2025-10-31.csv"
    assert csv == _frame(demo, statement).write_csv().encode()
    _, parquet = _download(page, "Nodes as Parquet")
    assert_frame_equal(pl.read_parquet(io.BytesIO(parquet)), _frame(demo, f"node_profit({RANGE})"))
    for picture in ("Chart as PNG", "Waterfall as PNG", "Ranking as PNG"):
        _, png = _download(page, picture)
        assert png.startswith(b"\x89PNG")
        assert len(png) > 10_000


def test_filters_narrow_the_figures_and_stay_in_the_url(visit: Open, demo: Path) -> None:
    page = visit(demo)
    _expect_figures(page, demo, RANGE)
    page.get_by_role("spinbutton", name="month, Start Date").click()
    page.keyboard.type("10")
    october = "since := DATE '2025-10-01', until := DATE '2025-11-01'"
    _expect_figures(page, demo, october)
    page.get_by_label("Basis", exact=True).select_option("cash")
    cash = f"{october}, basis := 'cash'"
    _expect_figures(page, demo, cash)
    _choose(page, "Node", "Alex the Architect")
    node = f"{cash}, node := 'alex-architect-ai'"
    _expect_figures(page, demo, node)
    assert parse_qs(urlsplit(page.url).query) == {
        "first": ["2025-10-01"],
        "last": ["2025-10-31"],
        "basis": ["cash"],
        "node": ["alex-architect-ai"],
    }
    page.reload()
    _expect_figures(page, demo, node)
    expect(page.get_by_label("Basis", exact=True)).to_have_value("cash")
    expect(page.get_by_label("Node", exact=True)).to_contain_text("Alex the Architect")


def test_a_node_opens_its_months_and_its_rows(visit: Open, demo: Path) -> None:
    page = visit(demo)
    row = page.get_by_role("row", name="Alex the Architect")
    row.get_by_role("checkbox").click()
    months = page.get_by_role("region", name="Months in USD")
    for month in books.answer(demo, f"node_monthly_profit({RANGE}, node := 'alex-architect-ai')"):
        line = months.get_by_role("row", name=f"{month['month']:%b %Y}")
        for column in ("total_revenue_usd", "total_costs_usd", "net_profit_usd"):
            expect(line).to_contain_text(money(month[column]))
    facts = _frame(demo, f"node_source_rows('alex-architect-ai', {RANGE})")
    newest = facts.row(0, named=True)
    source = page.locator("marimo-table").last
    expect(source).to_contain_text(Path(newest["location"]).name)
    expect(source.get_by_role("row").nth(1)).to_contain_text(str(newest["source_line"]))
    name, parquet = _download(page, "Rows as Parquet")
    assert name == "profit-rows-2025-09-01-2025-10-31.parquet"
    assert_frame_equal(pl.read_parquet(io.BytesIO(parquet)), facts)
    assert "opened=alex-architect-ai" in page.url


def test_a_click_on_a_bar_opens_its_node_and_the_url_opens_it_again(
    visit: Open, demo: Path
) -> None:
    page = visit(demo)
    bar = page.locator("marimo-vega svg.marks [aria-roledescription=bar]").nth(1)
    bar.click()
    title = page.get_by_role("heading", name="Source rows of GPU rig 1")
    expect(title).to_be_visible()
    page.get_by_label("Net profit", exact=True).select_option("lowest")
    expect(
        page.locator("marimo-vega svg.marks [aria-roledescription=bar]").first
    ).to_have_attribute("aria-label", re.compile("Zoe Tester"))
    page.reload()
    expect(title).to_be_visible()
    expect(page.get_by_role("row", name="GPU rig 1").get_by_role("checkbox")).to_be_checked()
    expect(page.get_by_label("Net profit", exact=True)).to_have_value("lowest")


def test_losses_read_well_on_a_phone_in_the_dark(visit: Open, folder: Path) -> None:
    book = books.losing(folder / "losing.duckdb")
    page = visit(book, "?opened=-", width=390, scheme="dark")
    expect(page.locator(".pnl-tiles")).to_contain_text("incomplete: 1 row without a price")
    expect(page.locator(".pnl-tiles")).to_contain_text("\N{MINUS SIGN}1,456.01")
    expect(page.get_by_role("heading", name="Source rows of unattributed")).to_be_visible()
    loss = page.locator("svg.marks text", has_text="Net loss")
    expect(loss).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = loss.evaluate("text => getComputedStyle(text).fill")
    assert min(map(int, re.findall(r"\d+", shown)[:3])) > 150, "light text on a dark page"


def test_empty_and_missing_books_say_what_to_do(visit: Open, folder: Path) -> None:
    page = visit(books.empty(folder / "empty.duckdb"))
    expect(page.get_by_role("heading", name="This book is empty")).to_be_visible()
    expect(page.get_by_text("pnlbook load --help")).to_be_visible()
    (folder / "book.duckdb").unlink()
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("No book at")
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_a_book_in_use_is_told_in_a_sentence(visit: Open, folder: Path, demo: Path) -> None:
    page = visit(demo)
    expect(page.locator("svg.marks")).to_have_count(3)
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); input()"
    with _process([sys.executable, "-c", hold, str(folder / "book.duckdb")]) as writer:
        page.get_by_label("Basis", exact=True).select_option("cash")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text(f"open for writing by process {writer.pid}")


def test_one_row_is_enough(visit: Open, folder: Path) -> None:
    page = visit(books.one_row(folder / "one.duckdb"))
    expect(page.locator(".pnl-value").first).to_have_text("12.35")
    expect(page.locator("svg.marks")).to_have_count(3)
    page.goto(page.url.replace("2025-10", "2024-01"))
    expect(page.get_by_text("No facts match these filters")).to_be_visible()


def test_twenty_thousand_nodes_are_searched_and_paged(visit: Open, folder: Path) -> None:
    page = visit(books.crowded(folder / "crowded.duckdb"))
    nodes = page.locator("marimo-table").first
    expect(nodes).to_contain_text("20,000 rows")
    nodes.get_by_role("textbox").or_(nodes.get_by_role("searchbox")).first.fill("Worker 19999")
    row = nodes.get_by_role("row", name="Worker 19999")
    expect(row).to_contain_text("\N{MINUS SIGN}189.99")
    row.get_by_role("checkbox").click()
    expect(page.get_by_role("heading", name="Source rows of Worker 19999")).to_be_visible()


def _expect_figures(page: Page, book: Path, arguments: str) -> None:
    """Wait until the key figures are those of the macro."""
    for at, row in enumerate(books.answer(book, f"key_figures({arguments})")):
        told = percent(row["amount"]) if row["unit"] == "%" else money(row["amount"])
        expect(page.locator(".pnl-value").nth(at)).to_have_text(told)


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_label(label, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_placeholder("Search").fill(option)
    dialog.get_by_role("option", name=option).click()


def _download(page: Page, name: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def _frame(book: Path, macro: str) -> pl.DataFrame:
    with open_book(book) as connection:
        frame: pl.DataFrame = connection.sql(f"FROM {macro}").pl()
    return frame


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command that says when it is ready and ends at the end of its input."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.communicate()
