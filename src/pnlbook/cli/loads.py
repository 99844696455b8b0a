"""`pnlbook loads` and `pnlbook rejects`: what came in, and what was refused and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from pnlbook.cli.formats import Result

_LOADS = """
SELECT load_id, date_trunc('second', committed_at) AS loaded_at,
    CASE WHEN undone_by IS NOT NULL THEN 'undone' WHEN format = 'undo' THEN 'undo' ELSE status
    END AS status,
    table_name, rows_read, rows_added, rows_superseded, rows_unchanged, rows_refused,
    amount_usd, location
FROM loads LEFT JOIN undone_loads() USING (load_id) ORDER BY load_id DESC
"""
_REJECTS = """
SELECT load_id, location, line, column_name AS "column", value, reason, raw
FROM rejects WHERE {condition} ORDER BY {order}
"""


class UnknownLoad(UsageError):
    """The book has no load of that number."""

    def __init__(self, load_id: int) -> None:
        super().__init__(f"there is no load {load_id} in this book. 'pnlbook loads' lists them.")


def loads(
    run: Run,
    load_id: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="Show everything about this load.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Show this many loads.")] = 20,
) -> None:
    """List what came in, newest first, or show one load whole.

    Examples:

      pnlbook loads
      pnlbook loads --limit 100
      pnlbook loads 7
    """
    with run.open_book() as connection:
        if load_id is None:
            _show(run, connection, f"{_LOADS} LIMIT {limit}", "Nothing was loaded yet.")
        else:
            _show_load(run, connection, load_id)


def rejects(
    run: Run,
    load_id: Annotated[
        int | None, typer.Option("--load", metavar="ID", help="Only those of this load.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Show this many rows.")] = 50,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write all of them to a CSV file instead."
        ),
    ] = None,
) -> None:
    """List the rows that were refused, newest load first: file, line, column, value and reason.

    The CSV file holds each row whole as well ('raw'): mend the rows there or in the source, and
    load again; rows that are in already stay as they are.

    Examples:

      pnlbook rejects
      pnlbook rejects --load 7
      pnlbook rejects --load 7 --output refused.csv
    """
    with run.open_book() as connection:
        if load_id is not None:
            _require(connection, load_id)
        condition = "true" if load_id is None else f"load_id = {load_id}"
        if output is not None:
            _export(run, connection, condition, output)
            return
        query = _REJECTS.format(condition=condition, order="load_id DESC, reject_id")
        _show(run, connection, f"{query} LIMIT {limit}", "None refused.")
        more = _count(connection, query) - limit
        if more > 0:
            run.note(f"… and {more} more; --limit and --output show them.")


def _show(run: Run, connection: duckdb.DuckDBPyConnection, query: str, nothing: str) -> None:
    from pnlbook.cli import formats
    from pnlbook.cli.output import print_table
    from pnlbook.cli.values import NUMBERS

    result = _prepared(connection, query)
    if run.as_json:
        formats.write_json(connection, result, sys.stdout.write)
        return
    rows = formats.rows(connection, result, sys.maxsize)
    if rows:
        shown = [n for n, name in enumerate(result.names) if name != "raw"]
        right = [result.kinds[n].id in NUMBERS for n in shown]
        names = [result.names[n] for n in shown]
        print_table(names, [[row[n] for n in shown] for row in rows], right=right)
    else:
        run.note(nothing)


def _show_load(run: Run, connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    from pnlbook.cli import formats
    from pnlbook.cli.output import print_table

    _require(connection, load_id)
    result = _prepared(connection, f"FROM loads WHERE load_id = {load_id}")
    if run.as_json:
        formats.write_jsonl(connection, result, sys.stdout.write)
        return
    [row] = formats.rows(connection, result, 1)
    print_table(["column", "value"], list(zip(result.names, row, strict=True)))


def _export(run: Run, connection: duckdb.DuckDBPyConnection, condition: str, output: Path) -> None:
    from pnlbook.cli import formats
    from pnlbook.cli.output import file_writer

    query = _REJECTS.format(condition=condition, order="load_id DESC, reject_id")
    result = _prepared(connection, query)
    with file_writer(output) as write:
        formats.write_csv(connection, result, write)
    number = _count(connection, query)
    run.say(f"Wrote {number} refused rows to {output}.", rows=number, output=output)


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    from pnlbook.cli import formats

    return formats.count(connection, _prepared(connection, query))


def _prepared(connection: duckdb.DuckDBPyConnection, query: str) -> Result:
    from pnlbook.cli import formats

    result = formats.prepare(connection, query)
    if result is None:
        raise AssertionError(query)
    return result


def _require(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    found = connection.execute("SELECT 1 FROM loads WHERE load_id = ?", [load_id]).fetchone()
    if found is None:
        raise UnknownLoad(load_id)
