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
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import ROOT, Finding, ProcessFailed, Target, medians, process, take_turns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser

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


def first_chart(options: Options) -> list[Finding]:
    """Compare the time until the report shows a chart with the one until an empty app is seen."""
    book = options.scratch / "demo.duckdb"
    book.unlink(missing_ok=True)
    process((*_program(), "demo", str(book)))
    empty = options.scratch / "empty.py"
    empty.write_text(EMPTY_APP, encoding="utf-8")
    report = (*_program(), "report", "profit", "--headless", "--book", str(book))
    marimo = (
        sys.executable,
        "-m",
        "marimo",
        "run",
        str(empty),
        "--headless",
        "--no-token",
    )
    peer = "an empty marimo app"
    answered: dict[str, list[float]] = {"ours": [], peer: []}
    with system_browser() as browser:
        sides = {
            "ours": partial(shown, browser, report, "canvas.marks, svg.marks", answered["ours"]),
            peer: partial(shown, browser, marimo, "#ready", answered[peer]),
        }
        runs = take_turns(sides, options.turns)
    middle, listening = medians(runs), medians(answered)
    return [
        Finding(
            "first chart of the report",
            "s",
            middle["ours"],
            middle[peer],
            peer,
            Target("ours", "≤", 5, "s"),
            runs | {f"{name}, listening": figures for name, figures in answered.items()},
            (f"listening after {listening['ours']:.2f} s, the peer after {listening[peer]:.2f} s",),
        )
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


def shown(browser: Browser, command: Sequence[str], selector: str, answered: list[float]) -> float:
    """Return the seconds from starting a server to seeing what `selector` names on its page.

    The page starts without a cache. The seconds until the server listened go to `answered`.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        server = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, cwd=ROOT, start_new_session=True
        )
        try:
            address = _address(server, command, said.fileno())
            answered.append(time.perf_counter() - started)
            page.goto(address, wait_until="commit")
            page.locator(selector).first.wait_for(state="visible", timeout=1000 * PATIENCE)
            return time.perf_counter() - started
        finally:
            page.close()
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(PATIENCE)


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
