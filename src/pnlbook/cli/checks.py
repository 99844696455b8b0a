"""`pnlbook checks`: what the book holds that it should not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run, print_json
from pnlbook.errors import ExitCode

if TYPE_CHECKING:
    import duckdb

    from pnlbook.sql import Check

FIRST_ROWS = 5


@dataclass(frozen=True)
class Outcome:
    """What a check found: how many rows offend, and the first of them as texts."""

    check: Check
    offending: int
    columns: tuple[str, ...]
    first: list[tuple[str | None, ...]]

    @property
    def state(self) -> str:
        """Return ok, warn or fail."""
        return self.check.severity if self.offending else "ok"


def checks(
    run: Run,
    rows: Annotated[
        int, typer.Option(metavar="N", min=0, help="Show this many offending rows of a check.")
    ] = FIRST_ROWS,
) -> None:
    """Run the data checks; exit code 5 when one that must hold does not.

    A check marked 'fail' must hold; one marked 'warn' is worth a look.

    Examples:

      pnlbook checks
      pnlbook checks --rows 50
      pnlbook checks --json
    """
    from pnlbook import sql

    with run.open_book() as connection:
        outcomes = [run_check(connection, check, rows) for check in sql.checks()]
    if run.as_json:
        print_json([_facts(outcome) for outcome in outcomes])
    else:
        _print(outcomes)
    if any(outcome.state == "fail" for outcome in outcomes):
        raise typer.Exit(ExitCode.INTEGRITY)


def run_check(connection: duckdb.DuckDBPyConnection, check: Check, first: int) -> Outcome:
    """Run one check and keep the `first` offending rows."""
    from pnlbook.cli import formats

    result = formats.prepare(connection, check.sql)
    if result is None:
        message = f"check {check.name} returns no rows to count"
        raise ValueError(message)
    rows = formats.rows(connection, result, first)
    return Outcome(check, formats.count(connection, result), result.names, rows)


def _facts(outcome: Outcome) -> dict[str, object]:
    return {
        "name": outcome.check.name,
        "severity": outcome.check.severity,
        "description": outcome.check.description,
        "state": outcome.state,
        "offending_rows": outcome.offending,
        "first_rows": [dict(zip(outcome.columns, row, strict=True)) for row in outcome.first],
    }


def _print(outcomes: list[Outcome]) -> None:
    from pnlbook.cli.output import print_table

    columns = ["state", "rows", "check", "what it looks for"]
    rows = [[o.state, str(o.offending), o.check.name, o.check.description] for o in outcomes]
    print_table(columns, rows, right=[False, True, False, False])
    for outcome in outcomes:
        if outcome.first:
            sys.stdout.write(f"\n{outcome.state}: {outcome.check.name}\n")
            print_table(outcome.columns, outcome.first)
            if outcome.offending > len(outcome.first):
                sys.stdout.write(f"… and {outcome.offending - len(outcome.first)} more\n")
