"""What a load did, in words and as JSON, so that it can be compared with the source."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from pnlbook.cli.run import Run, print_json, warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from pnlbook.load import FileResult, LoadResult

SHOWN_REJECTS = 10
_COUNTS = ("rows_read", "rows_added", "rows_superseded", "rows_unchanged", "rows_refused")
_SUMS = (*_COUNTS, "first_at", "last_at", "amount_usd", "unpriced_rows")


def print_result(run: Run, result: LoadResult) -> None:
    """Print what came of each file and of all together; --quiet leaves only what was refused."""
    if run.as_json:
        print_json(_facts(result))
        return
    for note in (*(n for file in result.files for n in _notes(file)), *result.notes):
        run.note(note)
    for file in result.files:
        _print_rejects(file)
    if not run.quiet:
        _print_files(result)


def plain(amount: Decimal | None) -> str:
    """Return an amount in plain digits, with two decimals or as many as it has."""
    if amount is None:
        return ""
    whole, _, decimals = f"{amount:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _facts(result: LoadResult) -> dict[str, object]:
    files = []
    for file in result.files:
        amount = None if file.amount_usd is None else plain(file.amount_usd)
        files.append(asdict(file) | {"amount_usd": amount})
    total = {name: getattr(result, name) for name in _SUMS}
    if result.amount_usd is not None:
        total["amount_usd"] = plain(result.amount_usd)
    return {"dry_run": result.dry_run, "files": files, "total": total, "notes": result.notes}


def _print_files(result: LoadResult) -> None:
    from pnlbook.cli.output import print_table

    if result.dry_run:
        sys.stdout.write("Dry run: the book stays as it is. It would be:\n")
    columns = ["file", "table", "read", "added", "superseded", "unchanged", "refused", "usd"]
    rows = [_row(file.location, file.table, file) for file in result.files]
    if len(rows) > 1:
        rows.append(_row("total", "", result))
    print_table(columns, rows, right=[False, False, *[True] * 6])
    if result.first_at and result.last_at:
        sys.stdout.write(f"from {result.first_at} to {result.last_at}\n")


def _row(location: str, table: str, counts: FileResult | LoadResult) -> list[str | None]:
    numbers = [str(getattr(counts, name)) for name in _COUNTS]
    return [location, table, *numbers, plain(counts.amount_usd)]


def _notes(file: FileResult) -> Iterator[str]:
    if file.skipped:
        yield f"{file.location}: this very file was loaded before; nothing to do."
    elif file.recognised_by:
        yield f"{file.location}: table {file.table}, {file.recognised_by}."
    if file.unpriced_rows:
        yield f"{file.location}: {file.unpriced_rows} rows have no known USD value (unpriced)."
    for note in file.notes:
        yield f"{file.location}: {note}"


def _print_rejects(file: FileResult) -> None:
    shown = file.rejects[:SHOWN_REJECTS]
    for reject in shown:
        warn(f"refused: {reject}")
    more = file.rows_refused - len(shown)
    if more > 0:
        where = "" if file.load_id is None else f": pnlbook rejects --load {file.load_id}"
        warn(f"… and {more} more{where}")
