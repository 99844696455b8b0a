"""`pnlbook report`: one marimo notebook as a web app on this machine."""

from __future__ import annotations

import ast
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import typer

from pnlbook.cli import ending, places
from pnlbook.cli.run import Run, print_json
from pnlbook.errors import PnlbookError, UsageError

PORT = 2718
START_TIMEOUT = 60.0  # seconds; a cold first start reads much from the disk
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class UnknownReport(UsageError):
    """There is no report of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(f"there is no report {name!r}. Those available: {names}.")


class ReportFailed(PnlbookError):
    """The report's server ended, or never answered."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"report {name} {what}; what it said is above. Try 'pnlbook doctor'.")


def report(
    run: Run,
    name: Annotated[
        str,
        typer.Argument(
            help="Which report.", autocompletion=lambda: sorted(_reports()), show_default=True
        ),
    ] = "profit",
    *,
    list_: Annotated[bool, typer.Option("--list", help="List the reports and stop.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="Open no browser.")] = False,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on. All but this machine's own let others in, unasked.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Port to listen on; a free one when it is taken."
        ),
    ] = PORT,
) -> None:
    """Open a report in the browser and print its address. Ctrl-C ends it.

    Examples:

      pnlbook report
      pnlbook report --list
      pnlbook report profit --headless --port 8080
    """
    reports = _reports()
    if list_:
        _list(run, reports)
        return
    if name not in reports:
        raise UnknownReport(name, sorted(reports))
    chosen = _free_port(host, port)
    url = _url(host, chosen)
    try:
        with _server(run, reports[name], host, chosen) as server:
            with run.open_book():
                pass  # whatever is wrong with the book is said here, not in the browser
            if port not in {0, chosen}:
                run.note(f"Port {port} is taken; using {chosen}.")
            _wait_for_answer(server, name, url)
            _announce(run, name, host, url, headless=headless)
            raise ReportFailed(name, f"ended (exit code {server.wait()})")
    except KeyboardInterrupt:
        if ending.signalled() not in {0, ending.INTERRUPTED}:
            raise  # not Ctrl-C, which is how a report is meant to end


def _reports() -> dict[str, Path]:
    """Return the notebooks by name."""
    return {path.stem: path for path in sorted(places.notebooks().glob("[!_]*.py"))}


def _list(run: Run, reports: dict[str, Path]) -> None:
    titles = {name: _title(path) for name, path in reports.items()}
    if run.as_json:
        print_json([{"name": name, "title": title} for name, title in titles.items()])
        return
    from pnlbook.cli.output import print_table

    print_table(["report", "title"], list(titles.items()))


def _title(path: Path) -> str:
    """Return the title that a notebook gives its app, without running it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "app_title":
            return str(ast.literal_eval(node.value))
    return ""


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port, 0):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, wanted))
            except OSError as error:
                if wanted == 0 or isinstance(error, socket.gaierror):
                    message = f"cannot listen on {host}: {error.strerror}. Give another --host."
                    raise UsageError(message) from error
            else:
                return int(probe.getsockname()[1])
    raise AssertionError


@contextmanager
def _server(run: Run, notebook: Path, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Keep the report's server running for the length of the block; it takes a while to answer."""
    options = ["--headless", "--no-token", "--no-sandbox", "--host", host, "--port", str(port)]
    server = subprocess.Popen(  # noqa: S603 - this Python, and a notebook of this package
        [sys.executable, "-m", "marimo", "--quiet", "run", str(notebook), *options],
        env=os.environ | {"PNLBOOK_BOOK": str(run.path.resolve())},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        start_new_session=True,  # Ctrl-C is for this process, which ends the server
    )
    try:
        yield server
    finally:
        server.kill()  # it holds nothing, and a gentle end is noisy
        server.wait()


def _wait_for_answer(server: subprocess.Popen[bytes], name: str, url: str) -> None:
    end = time.monotonic() + START_TIMEOUT
    while server.poll() is None:
        try:
            with urlopen(f"{url}/health", timeout=5):  # noqa: S310 - a local http address
                return
        except (URLError, OSError):
            if time.monotonic() > end:
                raise ReportFailed(name, f"did not start in {START_TIMEOUT:.0f} s") from None
            time.sleep(0.05)
    raise ReportFailed(name, f"ended at its start (exit code {server.returncode})")


def _url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a look-up
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _announce(run: Run, name: str, host: str, url: str, *, headless: bool) -> None:
    if run.as_json:
        print_json({"report": name, "url": url, "book": run.path})
    else:
        sys.stdout.write(f"Report {name} of {run.path}: {url} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    if host not in _LOCAL:
        run.note(f"Anyone who can reach {host} can read it; it asks for no password.")
    if not headless:
        _open_browser(url)


def _open_browser(url: str) -> None:
    import webbrowser

    # Without a display, a text browser would take over this terminal.
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)
