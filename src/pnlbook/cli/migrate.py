"""`pnlbook migrate`: the schema of a book, up and down."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run, print_json, with_run
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from pnlbook.sql import Migration

group = typer.Typer(
    help="Bring the schema of a book up to date, or back.",
    context_settings={"help_option_names": ["--help", "-h"]},
)


class NotConfirmed(UsageError):
    """A step that deletes was not agreed to."""

    def __init__(self, warning: str) -> None:
        super().__init__(f"{warning} Nothing was changed; give --yes to go ahead.")


def up(
    run: Run,
    to: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Stop at this migration.")
    ] = None,
) -> None:
    """Apply the missing migrations, and install the macros and views of this program.

    Each migration is applied whole or not at all.

    Examples:

      pnlbook migrate up
      pnlbook migrate up --book team.duckdb
    """
    from pnlbook import migrate
    from pnlbook.load.derive import rollup_book

    done = migrate.up(run.path, to=to, timeout=run.timeout, on_wait=run.on_wait)
    if to is None and (
        done.applied or done.refreshed
    ):  # what is made of rows may be made otherwise
        rollup_book(run.path, timeout=run.timeout, on_wait=run.on_wait)
    if done.applied:
        text = f"{run.path}: applied {_names(done.applied)}."
    elif done.refreshed:
        text = f"{run.path}: refreshed the macros and views; the schema was up to date."
    else:
        text = f"{run.path} is up to date."
    numbers = [migration.number for migration in done.applied]
    run.say(text, book=run.path, applied=numbers, refreshed=done.refreshed)


def down(
    run: Run,
    to: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=0, help="Keep this migration and those before it."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take back the newest migration, or all above --to. The data in its tables is lost.

    Examples:

      pnlbook migrate down
      pnlbook migrate down --to 0 --yes
    """
    from pnlbook import migrate

    applied = [s for s in migrate.status(run.path, timeout=run.timeout) if s.applied_at]
    goal = max(len(applied) - 1, 0) if to is None else to
    names = [f"{s.number:04d}_{s.name}" for s in applied if s.number > goal]
    if not names:
        run.say(f"{run.path} has nothing to take back.", book=run.path, taken_back=[])
        return
    _confirm(f"Taking back {', '.join(reversed(names))} deletes the data in its tables.", yes=yes)
    undone = migrate.down(run.path, to=goal, timeout=run.timeout, on_wait=run.on_wait)
    run.say(
        f"{run.path}: took back {_names(undone)}.",
        book=run.path,
        taken_back=[m.number for m in undone],
    )


def status(run: Run) -> None:
    """List the migrations and when each was applied.

    Example:

      pnlbook migrate status
    """
    from pnlbook import migrate
    from pnlbook.cli.output import print_table

    steps = migrate.status(run.path, timeout=run.timeout, on_wait=run.on_wait)
    if run.as_json:
        print_json(
            [{"number": s.number, "name": s.name, "applied_at": _iso(s.applied_at)} for s in steps]
        )
        return
    rows = [[f"{s.number:04d}", s.name, _iso(s.applied_at) or "not applied"] for s in steps]
    print_table(["number", "name", "applied"], rows)


def new(
    run: Run,
    name: Annotated[str, typer.Argument(help="Lower-case words joined by '_'.")],
) -> None:
    """Write an empty migration with the next number into the source tree (for developers).

    Example:

      pnlbook migrate new add_budgets
    """
    from pnlbook import migrate

    path = migrate.new(name)
    run.say(f"Wrote {path}. Fill in its 'up' and 'down'.", migration=path)


def _confirm(warning: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed(warning)
    if not typer.confirm(f"{warning} Go on?", err=True):
        raise NotConfirmed(warning)


def _names(migrations: Sequence[Migration]) -> str:
    return ", ".join(f"{m.number:04d}_{m.name}" for m in migrations)


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None


for function in (up, down, status, new):
    group.command()(with_run(function))
