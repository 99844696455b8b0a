"""`pnlbook load`: sources into the book, and a summary to compare with the source."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pnlbook.cli.run import Run
from pnlbook.errors import UsageError


class NotANumberOfRows(UsageError):
    """--max-rejects is neither a number nor `all`."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--max-rejects takes a number of rows or 'all', not {text!r}.")


class NotAConstant(UsageError):
    """--set is not COLUMN=VALUE."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--set takes COLUMN=VALUE, not {text!r}.")


def load(
    run: Run,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Files, folders, globs, or '-' for stdin: CSV, TSV, JSON, JSON lines, Parquet, "
            "Excel; also gzip or zstd.",
            show_default=False,
        ),
    ],
    *,
    table: Annotated[
        str | None,
        typer.Option("--as", metavar="TABLE", help="Table the rows go to; else it is recognised."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Column names and formats; else load.toml beside it."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="System the rows come from; part of their identity."),
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="COLUMN=VALUE", help="Value for a column that the files lack."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")
    ] = False,
    max_rejects: Annotated[
        str,
        typer.Option(metavar="N|all", help="Rows that may be refused before the whole load is."),
    ] = "0",
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Zone of times written without one; else the book's."),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Encoding of text files; else it is recognised."),
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(metavar="CHAR", help="Field separator of text files; else it is recognised."),
    ] = None,
) -> None:
    """Load files into the book; loading the same again adds nothing.

    All sources of one command go in together or not at all. A row that is wrong is refused with
    its line, column and reason ('pnlbook rejects'), and the load with it unless --max-rejects
    allows it. A row whose key is known replaces the old version, which stays in history.

    Examples:

      pnlbook load earnings.csv
      pnlbook load exports/ --dry-run
      pnlbook load 'costs-*.csv' --as deployment_costs --max-rejects all
      pnlbook load payouts.csv --set payment_type=bonus --set payment_status=paid
      zcat big.csv.gz | pnlbook load - --as node_earnings
    """
    from pnlbook.cli.progress import Bar
    from pnlbook.cli.summary import print_result
    from pnlbook.load import DataRejected, LoadOptions
    from pnlbook.load import load as run_load

    options = LoadOptions(
        table=table,
        mapping=mapping,
        source=source,
        constants=tuple(_constant(text) for text in given or ()),
        dry_run=dry_run,
        max_rejects=_max_rejects(max_rejects),
        timezone=timezone,
        encoding=encoding,
        delimiter=delimiter,
        memory_limit=run.settings.memory_limit,
        lock_timeout=run.timeout,
    )
    try:
        with Bar(enabled=sys.stderr.isatty() and not run.quiet) as bar:
            result = run_load(run.path, sources, options, on_progress=bar.load, on_wait=run.on_wait)
    except DataRejected as error:
        print_result(run, error.result)
        raise
    print_result(run, result)


def _max_rejects(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise NotANumberOfRows(text)
    return int(text)


def _constant(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise NotAConstant(text)
    return column.strip(), value.strip()
