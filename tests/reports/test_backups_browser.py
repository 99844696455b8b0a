"""The backup report as a reader has it: a real server, Chromium, and the macros to compare with."""

from __future__ import annotations

import io
import re
import shutil
from typing import TYPE_CHECKING

import polars as pl
import pytest
from playwright.sync_api import Page, expect
from polars.testing import assert_frame_equal
from tests.reports import backup_books, books, test_browser

from pnlbook.reports.backup_words import cost, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Open = Callable[..., Page]

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

chromium, folder, visit = test_browser.chromium, test_browser.folder, test_browser.visit


@pytest.fixture(scope="module")
def book(folder: Path) -> Path:
    return backup_books.kept(folder / "shop.duckdb")


@pytest.fixture(scope="module")
def served(folder: Path, book: Path) -> Iterator[str]:
    """Serve the report on `book.duckdb`, whichever book that is at the time; return its address."""
    shutil.copy(book, folder / "book.duckdb")
    with test_browser.serving("backups", folder) as address:
        yield address


def test_a_reader_sees_the_figures_and_takes_them_along(visit: Open, book: Path) -> None:
    page = visit(book)
    [row] = books.answer(book, "backup_figures()")
    expected = [
        f"{row['kept']:,}",
        size(row["kept_bytes"]),
        f"{row['verified_copies']:,} of {row['copies']:,}",
        "passed",
        None,  # ages of the latest backups
        None,
        cost(row["month_cost_usd"]),
        cost(row["cost_usd"]),
    ]
    for at, told in enumerate(expected):
        if told is not None:
            expect(page.locator(".pnl-value").nth(at)).to_have_text(told)
    expect(page.locator("svg.marks")).to_have_count(2)
    expect(page.get_by_role("status").first).to_contain_text("Protected: yes, with 1 warning")
    expect_costs(page, book)
    expect_vaults(page, book)
    expect(page.locator("marimo-table").first).to_contain_text(f"{row['made']:,} rows")
    _, parquet = test_browser._download(page, "List as Parquet")
    assert_frame_equal(
        pl.read_parquet(io.BytesIO(parquet)), test_browser._frame(book, "backup_list()")
    )
    name, csv = test_browser._download(page, "Costs as CSV")
    assert re.fullmatch(r"backups-costs-\d{4}-\d\d-\d\d\.csv", name)
    assert csv == test_browser._frame(book, "backup_costs()").write_csv().encode()
    _, vaults = test_browser._download(page, "Vaults as CSV")
    assert b"1 missing; 1 damaged" in vaults
    for picture in ("Timeline as PNG", "Costs as PNG"):
        _, png = test_browser._download(page, picture)
        assert png.startswith(b"\x89PNG")
        assert len(png) > 10_000


def expect_costs(page: Page, book: Path) -> None:
    """Compare the table of costs, row by row."""
    lines = page.get_by_role("region", name="Costs of backups").get_by_role("row")
    for at, row in enumerate(books.answer(book, "backup_costs()"), 1):
        expect(lines.nth(at)).to_contain_text(
            f"{row['month']:%b %Y}{row['backup_type']}{row['backup_count']}"
            f"{size(row['size_bytes'])}{cost(row['cost_usd'])}"
        )


def expect_vaults(page: Page, book: Path) -> None:
    """Compare the table of vaults, which has a column for each."""
    vaults = books.answer(book, "backup_health()")
    region = page.get_by_role("region", name="Copies, speed and failures by vault")
    for name, column in (
        ("Copies", "copies"),
        ("Permanent", "permanent"),
        ("Damaged", "damaged"),
        ("Failed in 30 days", "failures_30_days"),
    ):
        cells = region.get_by_role("row", name=re.compile(f"^{name}")).get_by_role("cell")
        expect(cells).to_have_text([f"{vault[column]:,}" for vault in vaults])


def test_it_reads_well_on_a_phone_in_the_dark(visit: Open, book: Path) -> None:
    page = visit(book, width=390, scheme="dark")
    expect(page.locator("svg.marks")).to_have_count(2)
    expect(page.get_by_role("heading", name="Restores and drills")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    value = page.locator(".pnl-value").first
    shown = value.evaluate("text => getComputedStyle(text).color")
    assert min(map(int, re.findall(r"\d+", shown)[:3])) > 150, "light text on a dark page"


def test_unprotected_and_empty_books_say_what_is_wrong(visit: Open, folder: Path) -> None:
    page = visit(backup_books.unprotected(folder / "unprotected.duckdb"))
    expect(page.get_by_role("status").first).to_contain_text("Protected: no, because:")
    expect(page.get_by_text("No schedule is enabled.")).to_be_visible()
    page = visit(books.empty(folder / "empty.duckdb"))
    expect(page.get_by_role("heading", name="No backup yet")).to_be_visible()
    expect(page.get_by_text("pnlbook backup create")).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
