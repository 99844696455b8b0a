"""Logs of work in `pnlbook load`: how they are asked for, and what came of them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from pnlbook.cli.run import Run, print_json, warn
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pnlbook.load import Reject
    from pnlbook.worklog.result import WorkResult

_SHOWN_REJECTS = 10


class NotATime(UsageError):
    """--since is no date or time."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--since takes a date or time such as 2025-10-01, not {text!r}.")


def load_logs(
    run: Run,
    sources: Sequence[str],
    since: str | None,
    max_rejects: int | None,
    *,
    with_content: bool,
    dry_run: bool,
) -> None:
    """Load logs of work and print what came of them."""
    from pnlbook.cli.progress import Bar
    from pnlbook.worklog.loading import load_work
    from pnlbook.worklog.result import LogsRejected, WorkOptions

    options = WorkOptions(
        with_content=with_content,
        since=None if since is None else instant(run, since),
        work=run.settings.work,
        dry_run=dry_run,
        max_rejects=max_rejects,
        memory_limit=run.settings.memory_limit,
        lock_timeout=run.timeout,
    )
    try:
        with Bar(enabled=sys.stderr.isatty() and not run.quiet) as bar:
            result = load_work(
                run.path, sources, options, on_progress=bar.load, on_wait=run.on_wait
            )
    except LogsRejected as error:
        _print_rejects(error.rejects, len(error.rejects))
        raise
    _print(run, result)


def instant(run: Run, text: str) -> int:
    """Return what a time means on the clock of the book, in microseconds since 1970."""
    from pnlbook.book import QueryError

    try:
        with run.open_book() as connection:
            row = connection.execute("SELECT epoch_us(instant(?))", [text]).fetchone()
    except QueryError as error:
        raise NotATime(text) from error
    if row is None or row[0] is None:
        raise NotATime(text)
    return int(row[0])


def _print(run: Run, result: WorkResult) -> None:
    if run.as_json:
        print_json(_facts(result))
        return
    for note in result.notes:
        run.note(note)
    _print_rejects(result.rejects, result.rows_refused)
    if run.quiet:
        return
    _print_tables(result)
    for sentence in _sentences(result):
        sys.stdout.write(sentence + "\n")


def _facts(result: WorkResult) -> dict[str, object]:
    from pnlbook.cli.summary import plain

    cost = None if result.model_cost_usd is None else plain(result.model_cost_usd)
    tables = [asdict(t) | {"rows_unchanged": t.rows_unchanged} for t in result.tables]
    return asdict(result) | {
        "tables": tables,
        "model_cost_usd": cost,
        "skipped": dict(result.skipped),  # asdict() would count the pairs of a Counter
    }


def _print_tables(result: WorkResult) -> None:
    from pnlbook.cli.output import print_table

    if result.dry_run:
        sys.stdout.write("Dry run: the book stays as it is. It would be:\n")
    if not result.tables:
        return
    columns = ["table", "read", "added", "superseded", "unchanged"]
    rows = [
        [
            table.table,
            *map(str, (table.rows_read, table.rows_added)),
            *map(str, (table.rows_superseded, table.rows_unchanged)),
        ]
        for table in result.tables
    ]
    print_table(columns, rows, right=[False, True, True, True, True])


def _sentences(result: WorkResult) -> list[str]:
    from pnlbook.cli.summary import plain
    from pnlbook.reports.figures import count

    read = f"{count(result.logs_read, 'log')} read ({result.bytes_read / 1e6:,.1f} MB)"
    found = [f"{read}, {result.logs_unchanged:,} without anything new"]
    if result.rows_refused:
        found.append(f"{count(result.rows_refused, 'line')} refused")
    if result.first_at and result.last_at:
        found.append(f"from {result.first_at} to {result.last_at}")
    if result.model_cost_usd is not None:
        found.append(f"models cost {plain(result.model_cost_usd)} USD")
    if result.unpriced_messages:
        names = ", ".join(result.unpriced_models)
        found.append(
            f"without a known price: {count(result.unpriced_messages, 'message')} of {names}. "
            "Load prices of your own into model_prices, then 'pnlbook worklog reprice'."
        )
    if result.skipped:
        kinds = ", ".join(f"{name} ({number:,})" for name, number in sorted(result.skipped.items()))
        found.append(f"passed over, as nothing of them is counted: {kinds}")
    return found


def _print_rejects(rejects: Sequence[Reject], count: int) -> None:
    shown = rejects[:_SHOWN_REJECTS]
    for reject in shown:
        warn(f"refused: {reject}")
    if count > len(shown):
        warn(f"… and {count - len(shown):,} more: pnlbook rejects")
