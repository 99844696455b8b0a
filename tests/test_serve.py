"""The app of a report, asked without a server; `tests/cli/test_report.py` asks it over HTTP."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pnlbook import serve
from pnlbook.book import BookMissing
from pnlbook.reports import first_view
from pnlbook.reports.notebook import Notebook
from pnlbook.serve import ReportApp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    View = Callable[[Mapping[str, str | list[str]]], str]

FIRST = '<main id="pnl-first">first</main>'


@dataclass
class Answer:
    """What an app sent."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert not self.status, "an answer begins once"
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.parts.append(message["body"])

    @property
    def text(self) -> str:
        return b"".join(self.parts).decode()


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    path = tmp_path / "profit.py"
    path.write_text('import marimo\napp = marimo.App(app_title="A & B")\n', encoding="utf-8")
    return Notebook(path)


async def ask(app: ReportApp, query: str = "") -> Answer:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": query.encode(),
        "headers": [(b"host", b"here")],
        "scheme": "http",
        "server": ("here", 80),
        "client": ("here", 1),
    }
    answer = Answer()

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    await app(scope, receive, answer.send)
    return answer


def use(monkeypatch: pytest.MonkeyPatch, view: View) -> None:
    monkeypatch.setitem(first_view.VIEWS, "profit", view)


def test_a_page_begins_while_its_report_is_being_loaded(
    monkeypatch: pytest.MonkeyPatch, notebook: Notebook
) -> None:
    asked: list[Mapping[str, str | list[str]]] = []

    def view(query: Mapping[str, str | list[str]]) -> str:
        asked.append(query)
        return FIRST

    use(monkeypatch, view)
    app = ReportApp(notebook)

    async def early() -> Answer:
        page = asyncio.create_task(ask(app, "basis=cash&node=a%26b"))
        await asyncio.to_thread(app.load)
        return await page

    for page in (asyncio.run(early()), asyncio.run(ask(app, "basis=cash&node=a%26b"))):
        assert page.status == 200
        assert page.headers[b"cache-control"] == b"no-store"
        assert page.parts[0].decode().endswith(FIRST)
        assert "<title>A &amp; B</title>" in page.text
        assert page.text.index(FIRST) < page.text.index('id="root"')
    assert asked.count({"basis": ["cash"], "node": ["a&b"]}) == 2


def _missing(_: object) -> str:
    raise BookMissing(Path("book.duckdb"))


def _defect(_: object) -> str:
    return str(1 // 0)


def _slow(_: object) -> str:
    time.sleep(0.5)
    return FIRST


@pytest.mark.parametrize(
    ("view", "logged"), [(_missing, False), (_defect, True), (_slow, False), (lambda _: "", False)]
)
def test_a_report_goes_without_a_first_view(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    notebook: Notebook,
    view: View,
    *,
    logged: bool,
) -> None:
    use(monkeypatch, view)
    monkeypatch.setattr(serve, "PATIENCE", 0.1)
    app = ReportApp(notebook)
    app.load()
    page = asyncio.run(ask(app))
    assert page.status == 200
    assert 'id="root"' in page.text
    assert FIRST not in page.text
    assert b"no-store" not in page.headers[b"cache-control"]
    assert ("The report has no first view." in caplog.text) is logged


def test_an_answer_that_is_no_page_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, notebook: Notebook
) -> None:
    use(monkeypatch, lambda _: FIRST)
    app = ReportApp(notebook)
    app.load()
    answer = asyncio.run(ask(app, "access_token=any"))
    assert (answer.status, answer.headers[b"location"]) == (303, b"/")
    assert answer.text == ""


def test_a_page_begun_too_early_is_asked_for_again() -> None:
    answer = Answer()

    async def begun_too_early() -> None:
        page = serve._Page(answer.send, b"<main>")
        await page.begin()
        await page.follow({"type": "http.response.start", "status": 303, "headers": []})
        await page.follow({"type": "http.response.body", "body": b"elsewhere"})

    asyncio.run(begun_too_early())
    assert (answer.status, answer.text) == (200, "<main><script>location.reload()</script>")


def test_a_report_without_a_view_is_marimos(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    path.write_text("import marimo\napp = marimo.App()\n", encoding="utf-8")
    app = ReportApp(Notebook(path))
    app.load()
    page = asyncio.run(ask(app))
    assert page.status == 200
    assert page.text.startswith("<!DOCTYPE html>")
    assert page.text.count("<!DOCTYPE html>") == 1
