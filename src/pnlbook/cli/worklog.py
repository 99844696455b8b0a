"""`pnlbook worklog`: logs of work as they grow, and what is made of those in the book."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from pnlbook.cli.prune import prune
from pnlbook.cli.run import Run, with_run
from pnlbook.cli.tail import tail

group = typer.Typer(
    help="Follow logs of work, and look after what is made of them.",
    context_settings={"help_option_names": ["--help", "-h"]},
)


def reprice(
    run: Run,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this model, as logs name it; may be given again."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only messages sent since then, e.g. 2025-10-01."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also messages that have a price already.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change and leave the book as it is.")
    ] = False,
) -> None:
    """Price messages anew by the prices that the book has now: those without a price, or --all.

    Without this, a price that comes later changes no past figure. What changes is a load of its
    own and the old versions are kept, so that as_of still shows the figures from before. A cost
    that the source of a message gave stays.

    Examples:

      pnlbook worklog reprice --dry-run
      pnlbook worklog reprice --model my-model --all --since 2026-01-01
    """
    from pnlbook.cli.logs import instant
    from pnlbook.cli.summary import plain
    from pnlbook.load.derive import reprice_book
    from pnlbook.load.usage import Repricing

    repricing = Repricing(
        models=tuple(model or ()),
        since=None if since is None else instant(run, since),
        everything=everything,
    )
    result = reprice_book(
        run.path, repricing, dry_run=dry_run, timeout=run.timeout, on_wait=run.on_wait
    )
    before, after = plain(result.before_usd), plain(result.after_usd)
    change = result.after_usd - result.before_usd
    told = f"{result.changed:,} of {result.messages:,} messages"
    told = f"Dry run: it would price {told} anew" if dry_run else f"Priced {told} anew"
    run.say(
        f"{told}: {'+' if change > 0 else ''}{plain(change)} USD, from {before} to {after}.",
        load_id=result.load_id,
        dry_run=dry_run,
        messages=result.messages,
        changed=result.changed,
        unpriced=result.unpriced,
        before_usd=before,
        after_usd=after,
        change_usd=plain(change),
    )
    if result.unpriced:
        are = "is" if result.unpriced == 1 else "are"
        run.note(
            f"{result.unpriced:,} {are} without a price still: 'pnlbook checks' names their models "
            "(unpriced). Load prices of them as model_prices."
        )


def rollup(
    run: Run,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only from this day on; by default all days."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Only before this day."),
    ] = None,
) -> None:
    """Make the figures of each day of work anew from the rows: work_metrics_daily.

    Every load keeps them up to date by itself. This is for books whose rows were changed past
    pnlbook, or whose threshold of idle time (book_settings, work_idle_seconds) was. Only what
    differs is written.

    Examples:

      pnlbook worklog rollup
      pnlbook worklog rollup --since 2025-10-01
    """
    from pnlbook.load.derive import rollup_book

    made = rollup_book(
        run.path,
        since=since and since.date(),
        until=until and until.date(),
        timeout=run.timeout,
        on_wait=run.on_wait,
    )
    run.say(
        f"Looked at {made.days:,} days and {made.sessions:,} sessions; "
        f"{made.days_changed:,} days and {made.sessions_changed:,} sessions differed.",
        **asdict(made),
    )


for subcommand in (tail, rollup, reprice, prune):
    group.command()(with_run(subcommand))
