"""The first view in Chromium: what is seen before the report's scripts run, and until when."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.reports import books, test_browser
from tests.reports.test_browser import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

chromium, folder = test_browser.chromium, test_browser.folder
demo, served = test_browser.demo, test_browser.served

SCRIPTS = re.compile(r"/assets/index-[^/]*\.js$")
PLACES = """() => {
    const page = document.getElementById("pnl-first") ?? document.getElementById("root");
    const place = (found) => {
        const { x, y, width, height } = found.getBoundingClientRect();
        return [x, y, width, height];
    };
    const all = (part) => [...part.querySelectorAll("*")].flatMap((inner) => [
        inner, ...(inner.shadowRoot ? all(inner.shadowRoot) : []),
    ]);
    const places = {};
    for (const name of ["h1", ".pnl-tiles", ".pnl-value", ".pnl-pair", "h2", ".pnl-table"])
        places[name] = place(page.querySelector(name));
    const inner = all(page);
    inner.filter((part) => part.matches(".pnl-sketch rect, [aria-roledescription=bar]")).slice(0, 4)
        .map(place).sort((one, other) => one[0] - other[0] || one[1] - other[1])
        .forEach((bar, number) => { places[`bar ${number}`] = bar; });
    for (const text of ["Sep 2025", "Oct 2025"])
        places[text] = place(inner.find((part) =>
            part.textContent === text && part.matches(".pnl-sketch-x span, svg text")));
    return places;
}"""
PAINTED = """() => document.fonts.ready.then(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))"""
BACKGROUND = "page => getComputedStyle(page).backgroundColor"


@dataclass
class Held:
    """The scripts of a page, kept from it until they are let go."""

    scripts: list[Route] = field(default_factory=list)
    is_open: bool = False

    def hold(self, script: Route) -> None:
        if self.is_open:
            script.continue_()
        else:
            self.scripts.append(script)

    def let_go(self) -> None:
        self.is_open = True
        for script in self.scripts:
            script.continue_()


@pytest.fixture
def book(folder: Path, demo: Path, served: str) -> Path:
    """Put the sample book where the report reads it."""
    assert served
    return Path(shutil.copy(demo, folder / "book.duckdb"))


@contextmanager
def opened(
    chromium: Browser, url: str, width: int = 1280, scheme: Literal["dark", "light"] = "light"
) -> Iterator[tuple[Page, Held]]:
    """Open the report with its scripts held back."""
    expect.set_options(timeout=PATIENCE)
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    held = Held()
    page.route(SCRIPTS, held.hold)
    page.goto(url, wait_until="commit")
    try:
        yield page, held
    finally:
        context.close()


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (800, "light"), (390, "dark")])
def test_it_stands_where_the_report_will(
    chromium: Browser, served: str, width: int, scheme: Literal["dark", "light"]
) -> None:
    with opened(chromium, served, width, scheme) as (page, held):
        first = page.locator("#pnl-first")
        expect(first.get_by_role("img", name="Revenue 83,500.00, costs 4,050.00")).to_be_visible()
        page.evaluate(PAINTED)
        before, ground = page.evaluate(PLACES), first.evaluate(BACKGROUND)
        held.let_go()
        expect(first).to_have_count(0)
        after = page.evaluate(PLACES)
        assert before.keys() == after.keys()
        assert "bar 3" in after
        for name, place in before.items():
            assert place == pytest.approx(after[name], abs=1.5), name
        assert _colour(ground) == _colour(page.locator("body").evaluate(BACKGROUND))


@pytest.mark.usefixtures("book")
def test_only_one_page_is_there_to_read_and_to_use(chromium: Browser, served: str) -> None:
    with opened(chromium, served) as (page, held):
        expect(page.locator("#pnl-first")).to_have_attribute("aria-busy", "true")
        expect(page.locator("#root")).to_have_attribute("inert", "")
        held.let_go()
        expect(page.locator("#pnl-first")).to_have_count(0)
        expect(page.locator("#root")).not_to_have_attribute("inert", "")
        page.get_by_label("Basis", exact=True).select_option("cash")
        expect(page).to_have_url(re.compile("basis=cash"))


@pytest.mark.usefixtures("book")
def test_it_shows_the_filters_of_the_url_and_keeps_the_place_in_the_page(
    chromium: Browser, served: str
) -> None:
    with opened(chromium, f"{served}/?first=2025-10-01&last=2025-10-31", width=390) as (page, held):
        first = page.locator("#pnl-first")
        expect(first.locator(".pnl-value").first).to_have_text("45,000.00")
        first.evaluate("page => { page.scrollTop = 333 }")
        held.let_go()
        expect(first).to_have_count(0)
        expect(page.locator(".pnl-value").first).to_have_text("45,000.00")
        place = page.locator("#App").evaluate("page => page.scrollTop")
        assert place == pytest.approx(333, abs=1), "heights of parts of a pixel are rounded"


@pytest.mark.usefixtures("book")
def test_names_of_many_periods_leave_each_other_room(chromium: Browser, served: str) -> None:
    with opened(chromium, f"{served}/?grain=day", width=390) as (page, _):
        names = page.locator(".pnl-sketch-x span")
        expect(names).to_have_count(61)
        page.evaluate(PAINTED)
        places = [
            box
            for name in names.all()
            if name.is_visible() and (box := name.bounding_box()) is not None
        ]
        assert 2 < len(places) < 20
        for one, other in pairwise(places):
            assert one["x"] + one["width"] <= other["x"]


def test_it_gives_way_to_what_is_wrong_with_the_book(
    chromium: Browser, served: str, book: Path
) -> None:
    with opened(chromium, served) as (page, held):
        expect(page.locator("#pnl-first")).to_be_visible()
        book.unlink()
        held.let_go()
        expect(page.get_by_role("alert")).to_contain_text("No book at")
        expect(page.locator("#pnl-first")).to_have_count(0)
        expect(page.get_by_text("83,500.00")).to_have_count(0)


def test_newer_figures_replace_it(chromium: Browser, served: str, book: Path) -> None:
    with opened(chromium, served) as (page, held):
        expect(page.locator(".pnl-value").first).to_have_text("83,500.00")
        books.one_row(book.with_name("one.duckdb")).rename(book)
        held.let_go()
        expect(page.locator("#pnl-first")).to_have_count(0)
        expect(page.locator(".pnl-value").first).to_have_text("12.35")


@pytest.mark.usefixtures("book")
def test_it_does_not_stay_when_the_report_never_comes(chromium: Browser, served: str) -> None:
    with opened(chromium, served) as (page, _):
        page.clock.install()
        page.reload(wait_until="commit")
        expect(page.locator("#pnl-first")).to_be_visible()
        expect(page.locator("#root")).to_have_attribute("inert", "")
        page.clock.run_for(15_000)
        expect(page.locator("#pnl-first")).to_be_visible()
        page.clock.run_for(6_000)
        expect(page.locator("#pnl-first")).to_have_count(0)


def _colour(css: str) -> list[int]:
    """Return the 8-bit colour of what CSS writes as `rgb(...)` or `color(srgb ...)`."""
    parts = [float(part) for part in re.findall(r"[\d.]+", css)][:3]
    return [round(255 * part) if css.startswith("color") else round(part) for part in parts]
