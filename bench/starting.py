"""How soon something is there: the help of the command line, and the first chart in a browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import ROOT, Finding, ProcessFailed, Target, medians, process, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, Page

    from bench.measure import Options

PROGRAM = (sys.executable, "-m", "pnlbook")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 60.0  # seconds until a page that shows nothing is given up
# Bars for revenue and costs, drawn by the server or by Vega.
CHART = ".pnl-sketch rect, #root svg.marks"
LIVE_CHART = "body:not(:has(#pnl-first)) #root svg.marks"
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
EMPTY_APP = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    mo.Html('<p id="ready">ready</p>')
    return


if __name__ == "__main__":
    app.run()
"""


class NothingShown(Exception):
    """A page was waited for in vain."""

    def __init__(self, command: Sequence[str], said: str) -> None:
        super().__init__(f"{' '.join(command)} named no address within {PATIENCE:.0f} s: {said}")


def help_of_program(options: Options) -> list[Finding]:
    """Compare the program's help with an empty Python and with the import of Typer."""
    commands = {
        "ours": (*_program(), "--help"),
        "python -c pass": (sys.executable, "-c", "pass"),
        "python -c 'import typer'": (sys.executable, "-c", "import typer"),
    }
    sides = {name: partial(_duration, command) for name, command in commands.items()}
    take_turns(sides, 1)
    runs = take_turns(sides, 3 * options.turns)
    middle = medians(runs)
    peer = "python -c 'import typer'"
    return [
        Finding(
            "pnlbook --help",
            "s",
            middle["ours"],
            middle[peer],
            peer,
            Target("ours", "≤", 0.4, "s"),
            runs,
            (f"python -c pass {middle['python -c pass']:.3f} s",),
        )
    ]


def _duration(command: Sequence[str]) -> float:
    return process(command).seconds


def _program() -> tuple[str, ...]:
    script = Path(sys.executable).with_name("pnlbook")
    return (str(script),) if script.exists() else PROGRAM


@dataclass
class Start:
    """A server with a page, and the seconds from its start until something is there, turn by turn.

    first and last: selectors of what is seen first, and of what is there once the page is complete.
    """

    command: Sequence[str]
    first: str
    last: str
    listening: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)


def first_chart(options: Options) -> list[Finding]:
    """Compare the time until the report shows a chart with the one until an empty app is seen."""
    book = options.scratch / "demo.duckdb"
    book.unlink(missing_ok=True)
    process((*_program(), "demo", str(book)))
    empty = options.scratch / "empty.py"
    empty.write_text(EMPTY_APP, encoding="utf-8")
    report = (*_program(), "report", "profit", "--headless", "--book", str(book))
    marimo = (sys.executable, "-m", "marimo", "run", str(empty), "--headless", "--no-token")
    peer = "an empty marimo app"
    starts = {
        "ours": Start(report, CHART, LIVE_CHART),
        peer: Start(marimo, "#ready", "#ready"),
    }
    with system_browser() as browser:
        seen = take_turns(
            {name: partial(shown, browser, start) for name, start in starts.items()}, options.turns
        )
    listening = {f"{name}, listening": start.listening for name, start in starts.items()}
    complete = {"ours, interactive": starts["ours"].complete, peer: seen[peer]}
    middle, middle_complete = medians(seen), medians(complete)
    ready, peers = (f"{middle:.2f}" for middle in medians(listening).values())
    return [
        Finding(
            "first chart of the report",
            "s",
            middle["ours"],
            middle[peer],
            peer,
            Target("ours", "≤", 5, "s"),
            seen | listening,
            (f"listening after {ready} s, the peer after {peers} s",),
        ),
        Finding(
            "interactive charts of the report",
            "s",
            middle_complete["ours, interactive"],
            middle[peer],
            peer,
            Target("ours", "≤", 5, "s"),
            complete,
        ),
    ]


@contextmanager
def system_browser() -> Iterator[Browser]:
    """Start the system's Chromium, which then takes no part in what is measured."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only this benchmark needs it

    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(BROWSER_ARGUMENTS)
        )
        yield browser
        browser.close()


def shown(browser: Browser, start: Start) -> float:
    """Return the seconds from starting a server to seeing the first of its page.

    The page starts without a cache. The seconds to the other moments go to `start`.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        server = subprocess.Popen(
            start.command, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True
        )
        try:
            address = _address(server, start.command, said.fileno())
            start.listening.append(time.perf_counter() - started)
            page.goto(address, wait_until="commit")
            _wait_for(page, start.first)
            seconds = time.perf_counter() - started
            _wait_for(page, start.last)
            start.complete.append(time.perf_counter() - started)
            return seconds
        finally:
            page.close()
            with suppress(ProcessLookupError):  # it ended by itself, which was told
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(PATIENCE)


def _wait_for(page: Page, selector: str) -> None:
    """Wait until what `selector` names has a place in the page, and was painted there."""
    page.locator(selector).first.wait_for(state="visible", timeout=1000 * PATIENCE)
    page.evaluate(PAINTED)


def _address(server: subprocess.Popen[bytes], command: Sequence[str], said: int) -> str:
    """Wait until the server says where it listens, and does."""
    deadline = time.monotonic() + PATIENCE
    text = ""
    while time.monotonic() < deadline:
        text = os.pread(said, 65536, 0).decode(errors="replace")
        found = re.search(r"http://(127\.0\.0\.1|localhost):(\d+)[^\s\x1b]*", text)
        if found and _answers(int(found[2])):
            return found[0].rstrip(".,")
        if server.poll() is not None:
            raise ProcessFailed(command, server.returncode, text)
        time.sleep(0.01)
    raise NothingShown(command, text)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return False
    return True
