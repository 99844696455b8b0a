"""`pnlbook report`, with a small notebook and the real server."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from tests.cli.running import Outcome, Pnlbook
from tests.reports import books

from pnlbook.cli import places, report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTEBOOK = """\
import marimo

app = marimo.App(app_title="Small")


@app.cell
def _():
    import os

    assert os.environ["PNLBOOK_BOOK"].endswith("/book.duckdb")
    return
"""
SERVE = """
import sys
from pathlib import Path
from pnlbook.cli import main, places
folder = Path(sys.argv.pop(1))
sys.modules[sys.argv.pop(1)] = None
places.notebooks = lambda: folder
main()
"""


@pytest.fixture(autouse=True)
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "profit.py").write_text(NOTEBOOK, encoding="utf-8")
    (folder / "work.py").write_text("import marimo\napp = marimo.App()\n", encoding="utf-8")
    (folder / "_shared.py").touch()
    monkeypatch.setattr(places, "notebooks", lambda: folder)
    return folder


@contextmanager
def serving(
    notebooks: Path, *arguments: str, lacking: str = "nothing"
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a report as a process of its own, and give it with the first line that it printed."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, str(notebooks), lacking, "report", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"DISPLAY": "", "WAYLAND_DISPLAY": ""},
    ) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


def asked(line: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Ask the report that printed `line`; return the status, the headers and the text."""
    connection = HTTPConnection(line.split()[-4].removeprefix("http://"), timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read().decode(errors="replace")
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_list(pnlbook: Pnlbook) -> None:
    shown = pnlbook("report", "--list")
    assert shown.out.splitlines()[2:] == ["profit  Small", "work"]
    assert json.loads(pnlbook("report", "--list", "--json").out) == [
        {"name": "profit", "title": "Small"},
        {"name": "work", "title": ""},
    ]


@pytest.mark.usefixtures("book")
def test_unknown_name(pnlbook: Pnlbook) -> None:
    sentence = "error: there is no report 'los'. Those available: profit, work.\n"
    assert pnlbook("report", "los") == Outcome(2, "", sentence)


def test_no_book(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("report")
    assert outcome.code == 1
    assert "no book at book.duckdb" in outcome.err


@pytest.mark.usefixtures("book")
def test_serves_until_interrupted(notebooks: Path) -> None:
    port = free_port()
    with serving(notebooks, "--headless", "--port", str(port)) as (process, line):
        url = f"http://127.0.0.1:{port}"
        assert line == f"Report profit of book.duckdb: {url} (Ctrl-C ends it)\n"
        with urlopen(url, timeout=10) as answer:
            assert b"<html" in answer.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    with pytest.raises(OSError, match="refused"), urlopen(url, timeout=10):
        pass


@pytest.mark.usefixtures("book")
def test_port_that_is_taken(notebooks: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving(notebooks, "--headless", "--json", "--port", str(port)) as (process, line):
            assert process.stdout
            text = line
            while not text.endswith("}\n"):
                text += process.stdout.readline()
            facts = json.loads(text)
            assert facts["report"] == "profit"
            assert facts["url"] != f"http://127.0.0.1:{port}"
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=10)
    assert process.returncode == 143
    chosen = facts["url"].rpartition(":")[2]
    assert err == f"Port {port} is taken; using {chosen}.\n"


@pytest.mark.usefixtures("book")
def test_installation_that_lacks_what_a_report_needs(notebooks: Path) -> None:
    with serving(notebooks, "--headless", "--port", "0", lacking="zmq") as (process, _):
        _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    last = err.splitlines()[-1]
    assert last.startswith("error: report profit ended (ModuleNotFoundError: zmq ")
    assert last.endswith("Try 'pnlbook doctor'.")


@pytest.mark.usefixtures("book")
def test_files_of_the_page_never_change_under_their_names(notebooks: Path) -> None:
    with serving(notebooks, "--headless", "--port", "0") as (_, line):
        _, _, page = asked(line, "/")
        style = re.search(r'<link rel="stylesheet" crossorigin href="\.(/assets/[^"]+)"', page)
        assert style
        status, headers, text = asked(line, style[1])
        assert (status, headers["content-type"]) == (200, "text/css")
        assert "immutable" in headers["cache-control"]
        assert "{" in text
        for name in ("none.css", "..%2Findex.html", "../index.html"):
            assert asked(line, f"/assets/{name}")[0] == 404


def test_the_page_begins_with_the_figures(notebooks: Path, tmp_path: Path) -> None:
    books.one_row(tmp_path / "book.duckdb")
    with serving(notebooks, "--headless", "--port", "0") as (_, line):
        for _ in range(2):  # before and after the report is loaded
            status, headers, page = asked(line, "/?basis=cash")
            assert (status, headers["cache-control"]) == (200, "no-store")
            assert page.startswith("<!DOCTYPE html>")
            figures, report = page.index('id="pnl-first"'), page.index('id="root"')
            assert page.index("<title>Small</title>") < figures < report
            assert ">12.35<" in page
            assert ">cash<" in page
        status, headers, _ = asked(line, "/?access_token=none")
        assert (status, headers["location"]) == (303, "/")


@pytest.mark.usefixtures("book")
def test_pages_of_other_sites_cannot_read_it(notebooks: Path) -> None:
    with serving(notebooks, "--headless", "--port", "0") as (_, line):
        for path in ("/", "/health", "/favicon.ico"):
            status, headers, _ = asked(line, path, Origin="http://elsewhere.example")
            assert status == 200
            assert not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.usefixtures("book")
def test_host_that_is_not_here(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("report", "--headless", "--host", "192.0.2.1")
    assert outcome.code == 2
    assert "cannot listen on 192.0.2.1" in outcome.err


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104 - what is asked for
        ("::1", "http://[::1]:80"),
    ],
)
def test_address(host: str, url: str) -> None:
    assert report._url(host, 80) == url


def test_reports_of_the_program_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert "profit" in report._reports()
