"""`pnlbook sql`: the answer to any query, in the form asked for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from pnlbook.cli.formats import Result

TABLE_ROWS = 1000  # more rows than a person reads; the other formats print all


class Format(StrEnum):
    """The forms that a result can have."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"
    MARKDOWN = "markdown"


_ENDINGS = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".parquet": Format.PARQUET,
    ".md": Format.MARKDOWN,
    ".txt": Format.TABLE,
}


class BinaryOutput(UsageError):
    """Parquet was to be printed on a terminal."""

    def __init__(self) -> None:
        super().__init__("parquet is not text. Name a file with --output, or choose a --format.")


class UnknownEnding(UsageError):
    """The format is given neither by an option nor by the file's name."""

    def __init__(self, path: Path) -> None:
        names = ", ".join(format_.value for format_ in Format)
        super().__init__(f"the name {path} does not say a format. Give --format: {names}.")


def sql(
    run: Run,
    query: Annotated[
        str, typer.Argument(help="SQL to run; '-' reads it from stdin.", show_default=False)
    ],
    format_: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table, csv, json, jsonl, parquet or markdown; else by the ending of --output, "
            "else table.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write to this file, whole or not at all."
        ),
    ] = None,
) -> None:
    """Run SQL on the book, reading only, and print the result.

    DECIMAL is printed exactly; in JSON it is a string, and instants carry the book's time zone. A
    table shows the first 1000 rows, every other format all of them. While a result streams, nothing
    can be loaded; --output keeps that short.

    Examples:

      pnlbook sql "FROM node_profit()"
      pnlbook sql "FROM node_profit(since := '2025-10-01')" --format csv > profit.csv
      pnlbook sql "FROM node_earnings" --output earnings.parquet
      pnlbook sql - --format json < question.sql
    """
    form = _form(format_, output, as_json=run.as_json)
    if form is Format.PARQUET and output is None and sys.stdout.isatty():
        raise BinaryOutput
    text = sys.stdin.read() if query == "-" else query
    if form is Format.TABLE:
        _table(run, text, output)
    else:
        _stream(run, text, form, output)


def _form(given: Format | None, output: Path | None, *, as_json: bool) -> Format:
    if given is not None:
        return given
    if as_json:
        return Format.JSON
    if output is None:
        return Format.TABLE
    if output.suffix.lower() not in _ENDINGS:
        raise UnknownEnding(output)
    return _ENDINGS[output.suffix.lower()]


def _table(run: Run, text: str, output: Path | None) -> None:
    from pnlbook.cli import formats
    from pnlbook.cli.output import print_table
    from pnlbook.cli.values import NUMBERS

    with run.open_book() as connection:
        result = formats.prepare(connection, text)
        rows = formats.rows(connection, result, TABLE_ROWS + 1) if result else []
    if result is None:
        return
    right = [kind.id in NUMBERS for kind in result.kinds]
    with _destination(output) as write:
        print_table(result.names, rows[:TABLE_ROWS], right=right, write=write)
    if len(rows) > TABLE_ROWS:
        run.note(f"These are the first {TABLE_ROWS} rows; --format csv prints all.")
    elif not rows:
        run.note("No rows.")


def _stream(run: Run, text: str, form: Format, output: Path | None) -> None:
    from pnlbook.cli import formats

    with run.open_book() as connection:
        result = formats.prepare(connection, text)
        if result is None:
            return
        if form is Format.PARQUET:
            _parquet(connection, result, output)
            return
        with _destination(output) as write:
            formats.TEXT_FORMATS[form.value](connection, result, write)


def _parquet(connection: duckdb.DuckDBPyConnection, result: Result, output: Path | None) -> None:
    from pnlbook.cli.formats import write_parquet
    from pnlbook.cli.output import whole_file

    if output is not None:
        with whole_file(output) as partial:
            write_parquet(connection, result, partial)
        return
    with TemporaryDirectory() as folder:
        path = Path(folder, "result.parquet")
        write_parquet(connection, result, path)
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)


@contextmanager
def _destination(output: Path | None) -> Iterator[Callable[[str], int]]:
    """Give a function that writes to the file, if one is named, else to stdout."""
    if output is None:
        yield sys.stdout.write
        return
    from pnlbook.cli.output import file_writer

    with file_writer(output) as write:
        yield write
