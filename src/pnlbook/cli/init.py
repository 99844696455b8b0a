"""`pnlbook init`: a new book."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pnlbook.cli.run import Run


def init(
    run: Run,
    path: Annotated[
        Path | None, typer.Argument(help="Where to make it; default: the book in use.")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Reporting time zone, an IANA name: its midnight begins the days and months. "
            "Default: UTC, or what an existing book has.",
        ),
    ] = None,
) -> None:
    """Make a new, empty book; a book that is there already keeps its data.

    Examples:

      pnlbook init
      pnlbook init team.duckdb --timezone Europe/Berlin
    """
    from pnlbook import migrate
    from pnlbook.book import setting
    from pnlbook.load.derive import rollup_book

    path = path or run.path
    created = migrate.create(path, timezone=timezone or "UTC")
    if timezone and not created:
        migrate.change_timezone(path, timezone, timeout=run.timeout, on_wait=run.on_wait)
        rollup_book(path, timeout=run.timeout, on_wait=run.on_wait)  # days begin elsewhere now
    with run.open_book(path) as connection:
        zone = setting(connection, "timezone")
    done = "Made" if created else "Already there:"
    run.say(f"{done} {path}, reporting in {zone}.", book=path, created=created, timezone=zone)
