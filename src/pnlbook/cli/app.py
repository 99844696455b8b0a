"""The commands put together, and the one place where errors become sentences and exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from pnlbook import __version__
from pnlbook.cli import checks, demo, doctor, init, load, loads, migrate, report, sql
from pnlbook.cli.run import with_run
from pnlbook.errors import ExitCode, PnlbookError

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended

EPILOG = """\
Exit codes:

  0  done
  1  failed
  2  the command line or a setting cannot be understood
  3  data was rejected; the facts are as they were
  4  the book is locked by another process
  5  a check found what must not be
  6  a remote store failed
"""

app = typer.Typer(
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog=EPILOG,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"pnlbook {__version__}\n")
        raise typer.Exit


@app.callback(no_args_is_help=False, invoke_without_command=True)
def pnlbook(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Profit and loss from files to figures, in one DuckDB file: the book.

    A first look:

      pnlbook demo
      pnlbook report --book demo.duckdb

    Your own figures:

      pnlbook init
      pnlbook load earnings.csv costs.csv
      pnlbook sql "FROM node_profit()"
    """
    _ = version
    if context.invoked_subcommand is None:
        with contextlib.redirect_stdout(sys.stderr):
            context.get_help()
        raise typer.Exit(ExitCode.USAGE)


for panel, functions in {
    "Make a book": (init.init, demo.demo),
    "Bring data in": (load.load, loads.loads, loads.rejects, checks.checks),
    "Look at it": (sql.sql, report.report),
    "Take care of it": (doctor.doctor,),
}.items():
    for function in functions:
        app.command(rich_help_panel=panel)(with_run(function))
app.add_typer(migrate.group, name="migrate", rich_help_panel="Take care of it")


def main() -> None:
    """Run the command line of this process and exit."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminated)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are printed, none is raised."""
    try:
        code = app(args=list(arguments), prog_name="pnlbook", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: every error becomes a sentence
        if "--debug" in arguments:
            traceback.print_exc()
        return _failed(error, as_json="--json" in arguments)
    return int(code or 0)


def _failed(error: Exception, *, as_json: bool) -> int:
    code = _exit_code(error)
    sentence = _sentence(error)
    if as_json:
        facts = {"kind": type(error).__name__, "message": sentence, "exit_code": int(code)}
        sys.stderr.write(json.dumps({"error": facts}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{_red('error:')} {sentence}\n")
    _drop_output()
    return int(code)


def _exit_code(error: Exception) -> int:
    if isinstance(error, PnlbookError):
        return error.exit_code
    return ExitCode.USAGE if _is_usage(error) else ExitCode.FAILED


def _sentence(error: Exception) -> str:
    if isinstance(error, PnlbookError):
        return str(error)
    if _is_usage(error):
        return _usage(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    return (
        f"unexpected {type(error).__name__}: {error}\n"
        "This is a defect of pnlbook; run again with --debug to see where."
    )


def _is_usage(error: Exception) -> bool:
    # Click's own class, or that of the copy of Click inside newer versions of Typer.
    return hasattr(error, "format_message")


def _usage(error: Exception) -> str:
    sentence = str(error.format_message())  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    if context is None:
        return sentence
    return f"{sentence.rstrip('.')}. See '{context.command_path} --help'."


def _red(text: str) -> str:
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[1;31m{text}\x1b[0m" if colour else text


def _drop_output() -> None:
    """Keep the interpreter from complaining at exit when stdout cannot be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno in {errno.EPIPE, errno.ENOSPC, errno.EIO}:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminated(number: int, _frame: object) -> None:
    # An exception, so that files being written are taken away.
    sys.exit(128 + number)
