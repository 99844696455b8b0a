"""The commands put together, and one run of them."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from pnlbook import __version__
from pnlbook.cli import (
    backup,
    checks,
    demo,
    doctor,
    ending,
    init,
    keys,
    load,
    loads,
    migrate,
    report,
    restore,
    schedule,
    sql,
    undo,
    worklog,
)
from pnlbook.cli.run import with_run
from pnlbook.errors import ExitCode

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


_BACKUP: dict[str, Callable[..., None]] = {
    "create": backup.create,
    "list": backup.list_,
    "status": backup.status,
    "verify": restore.verify,
    "drill": restore.drill,
    "restore": restore.restore,
    "schedule": schedule.schedule,
    "run-due": backup.run_due,
    "prune": backup.prune,
    "catalog": restore.catalog,
}
for name, subcommand in _BACKUP.items():
    backup.group.command(name)(with_run(subcommand))
for panel, functions in {
    "Make a book": (init.init, demo.demo),
    "Bring data in": (load.load, loads.loads, loads.rejects, undo.undo, checks.checks),
    "Look at it": (sql.sql, report.report),
    "Take care of it": (doctor.doctor,),
}.items():
    for function in functions:
        app.command(rich_help_panel=panel)(with_run(function))
app.add_typer(worklog.group, name="worklog", rich_help_panel="Bring data in")
app.add_typer(backup.group, name="backup", rich_help_panel="Keep it safe")
app.add_typer(keys.group, name="keys", rich_help_panel="Keep it safe")
app.add_typer(migrate.group, name="migrate", rich_help_panel="Take care of it")


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are printed, none is raised."""
    try:
        code = app(args=list(arguments), prog_name="pnlbook", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = ending.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: every error becomes a sentence
        if not ending.signalled():
            if "--debug" in arguments:
                traceback.print_exc()
            return ending.failed(error, as_json="--json" in arguments)
        code = ending.INTERRUPTED
    if code == ending.INTERRUPTED:
        return ending.signalled() or ending.INTERRUPTED
    return int(code or 0)
