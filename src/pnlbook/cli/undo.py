"""`pnlbook undo`: taking a load back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run

if TYPE_CHECKING:
    from pnlbook.load.undo import Undone


def undo(
    run: Run,
    load_id: Annotated[int, typer.Argument(metavar="ID", help="The load, as 'loads' lists it.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be, and change nothing.")
    ] = False,
) -> None:
    """Take a load back: the rows that it added go, and what it replaced stands again.

    Nothing is forgotten: figures as_of the load still show it, and the same file can be loaded
    again. A load that later ones have built on is refused; undo those first.

    Examples:

      pnlbook undo 7
      pnlbook undo 7 --dry-run
    """
    from pnlbook.load.undo import undo as take_back

    done = take_back(run.path, load_id, dry_run=dry_run, timeout=run.timeout, on_wait=run.on_wait)
    run.say(
        _sentence(done, dry_run=dry_run),
        load_id=done.load_id,
        undo_load_id=done.undo_id,
        table=done.table,
        location=done.location,
        rows_removed=done.rows_removed,
        rows_restored=done.rows_restored,
        dry_run=dry_run,
    )


def _sentence(done: Undone, *, dry_run: bool) -> str:
    from pnlbook.load.tables import WORK_LOG

    head = "A dry run: would undo" if dry_run else f"Load {done.undo_id}: undid"
    table = "work" if done.table == WORK_LOG else done.table
    return (
        f"{head} load {done.load_id}, {done.location}: {done.rows_removed:,} rows of {table} "
        f"removed, {done.rows_restored:,} as they were before it."
    )
