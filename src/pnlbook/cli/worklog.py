"""`pnlbook worklog`: logs of work as they grow, and what is made of those in the book."""

from __future__ import annotations

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
    from pnlbook.book import open_book
    from pnlbook.cli.logs import instant
    from pnlbook.cli.summary import plain
    from pnlbook.load.usage import Repricing
    from pnlbook.load.usage import reprice as price_anew

    repricing = Repricing(
        models=tuple(model or ()),
        since=None if since is None else instant(run, since),
        everything=everything,
    )
    with open_book(run.path, write=True, timeout=run.timeout, on_wait=run.on_wait) as connection:
        result = price_anew(connection, repricing, dry_run=dry_run)
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


for subcommand in (tail, reprice, prune):
    group.command()(with_run(subcommand))
