"""`pnlbook report`: one marimo notebook as a web app on this machine."""

from __future__ import annotations

import os
import socket
import sys
from typing import Annotated

import typer

from pnlbook.cli import ending, places
from pnlbook.cli.run import Run, print_json
from pnlbook.errors import PnlbookError, UsageError
from pnlbook.reports.notebook import Notebook

PORT = 2718
_BEAT = 0.2  # seconds; Polars lets Ctrl-C not interrupt a longer wait
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class UnknownReport(UsageError):
    """There is no report of that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(f"there is no report {name!r}. Those available: {names}.")


class ReportFailed(PnlbookError):
    """The report's server ended."""

    def __init__(self, name: str, error: Exception | None) -> None:
        why = f"{type(error).__name__}: {error}" if error else "it said nothing"
        super().__init__(f"report {name} ended ({why}). Try 'pnlbook doctor'.")


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
    with run.open_book():
        pass  # whatever is wrong with the book is said here, not in the browser
    listening = _listen(host, port)
    chosen = int(listening.getsockname()[1])
    if port not in {0, chosen}:
        run.note(f"Port {port} is taken; using {chosen}.")
    os.environ["PNLBOOK_BOOK"] = str(run.path.resolve())  # where the notebook looks for it
    from pnlbook.serve import ReportServer

    server = ReportServer(reports[name], listening)
    server.start()
    try:
        _announce(run, name, host, _url(host, chosen), headless=headless)
        while server.is_alive():
            server.join(_BEAT)
    except KeyboardInterrupt:
        if ending.signalled() not in {0, ending.INTERRUPTED}:
            raise  # not Ctrl-C, which is how a report is meant to end
    else:
        raise ReportFailed(name, server.error) from server.error


def _reports() -> dict[str, Notebook]:
    """Return the notebooks by name."""
    paths = sorted(places.notebooks().glob("[!_]*.py"))
    return {notebook.name: notebook for notebook in map(Notebook, paths)}


def _list(run: Run, reports: dict[str, Notebook]) -> None:
    if run.as_json:
        print_json([{"name": name, "title": report.title} for name, report in reports.items()])
        return
    from pnlbook.cli.output import print_table

    titles = [(name, report.title) for name, report in reports.items()]
    print_table(["report", "title"], titles)


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections, which wait until the server answers them."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (port, 0):
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, wanted))
            listening.listen(socket.SOMAXCONN)
        except OSError as error:
            listening.close()
            if wanted == 0 or isinstance(error, socket.gaierror):
                message = f"cannot listen on {host}: {error.strerror}. Give another --host."
                raise UsageError(message) from error
        else:
            return listening
    raise AssertionError


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
