"""`pnlbook demo`: a book filled with sample data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pnlbook.cli import places
from pnlbook.cli.run import Run


def demo(
    run: Run,
    path: Annotated[Path, typer.Argument(help="Where to make it.")] = Path("demo.duckdb"),
) -> None:
    """Make a book filled with sample data, to look around in.

    One that is there already stays as it is, but for a schema that is out of date.

    Examples:

      pnlbook demo
      pnlbook sql "FROM node_profit()" --book demo.duckdb
    """
    from pnlbook import migrate

    created = not path.exists()
    if created:
        _fill(run, path)
    else:
        migrate.create(path)  # raises for a file that is no book
        migrate.up(path, timeout=run.timeout, on_wait=run.on_wait)
    done = "Made" if created else "Already there:"
    run.say(f"{done} {path}, the sample book.", book=path, created=created)


def _fill(run: Run, path: Path) -> None:
    """Make the book under another name, so that it is never seen half full."""
    from pnlbook import migrate
    from pnlbook.cli.output import whole_file
    from pnlbook.load import LoadOptions, load

    with whole_file(path) as partial:
        migrate.create(partial)
        load(partial, [str(places.sample())], LoadOptions(lock_timeout=run.timeout))
