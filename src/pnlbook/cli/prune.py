"""`pnlbook worklog prune`: the spool of the live logger does not grow for ever."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pnlbook.cli.run import Run


def prune(
    run: Run,
    spool: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SPOOL]",
            help="The folder of the spool; by default the one that programs write to.",
            show_default=False,
        ),
    ] = None,
    days: Annotated[
        int, typer.Option(metavar="N", min=0, help="Keep what was written in the last N days.")
    ] = 30,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go and remove nothing.")
    ] = False,
) -> None:
    """Remove files of the live logger's spool that are in the book whole.

    A file goes only once its writer has ended and the book has read it to the end. What is gone
    cannot be loaded again otherwise: with the text of messages, by other rules 'work', or into
    another book.

    Examples:

      pnlbook load spool && pnlbook worklog prune
      pnlbook worklog prune --days 0 --dry-run
    """
    from pnlbook.worklog.pruning import prune as remove
    from pnlbook.worklog.spool import default_folder

    folder = spool or Path(default_folder())
    with run.open_book() as connection:
        pruned = remove(connection, folder, days, dry_run=dry_run)
    verb = "would be removed" if dry_run else "removed"
    run.say(
        f"{len(pruned.files):,} files ({pruned.size / 1e6:,.1f} MB) of {folder} {verb}, "
        f"{pruned.kept:,} kept.",
        folder=str(folder),
        files=[str(path) for path in pruned.files],
        bytes=pruned.size,
        kept=pruned.kept,
        dry_run=dry_run,
    )
