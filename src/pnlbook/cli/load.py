"""`pnlbook load`: sources into the book, and a summary to compare with the source."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pnlbook.cli.logs import load_logs
from pnlbook.cli.run import Run
from pnlbook.errors import UsageError
from pnlbook.worklog import kinds


class NotANumberOfRows(UsageError):
    """--max-rejects is neither a number nor `all`."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--max-rejects takes a number of rows or 'all', not {text!r}.")


class FilesAmongLogs(UsageError):
    """Logs of work were named with files, or with options that are for files."""

    def __init__(self, log: str) -> None:
        super().__init__(
            f"{log} is a log of work: load it in a command of its own, without files and without "
            "--as, --mapping, --source, --set, --timezone, --encoding, --delimiter."
        )


class OnlyOfLogs(UsageError):
    """An option was given that only logs of work have."""

    def __init__(self) -> None:
        super().__init__(
            "--since and --with-content are for logs of work "
            f"({', '.join(kinds.NAMES)}), not for files."
        )


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
            "Excel; also gzip or zstd. Or logs of work: claude-code, codex, git, otlp, aider, "
            "spool, each also KIND:PATH (a file of such a name is ./git).",
            autocompletion=lambda: list(kinds.NAMES),
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
        str | None,
        typer.Option(
            metavar="N|all",
            help="Rows that may be refused before the whole load is; 0 by default, of logs all.",
            show_default=False,
        ),
    ] = None,
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
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Of logs: leave out what is older, e.g. 2025-10-01."),
    ] = None,
    with_content: Annotated[
        bool,
        typer.Option(
            "--with-content",
            help="Of logs: keep the texts of messages; obvious secrets are masked.",
        ),
    ] = False,
) -> None:
    """Load files into the book; loading the same again adds nothing.

    All sources of one command go in together or not at all. A row that is wrong is refused with
    its line, column and reason ('pnlbook rejects'), and the load with it unless --max-rejects
    allows it. A row whose key is known replaces the old version, which stays in history.

    Logs of work are read from where the last load stopped. Which node and project they belong to
    is said by the rules 'work' in pnlbook.toml; by default the agent, and the repository or folder.

    Examples:

      pnlbook load earnings.csv
      pnlbook load exports/ --dry-run
      pnlbook load 'costs-*.csv' --as deployment_costs --max-rejects all
      pnlbook load payouts.csv --set payment_type=bonus --set payment_status=paid
      zcat big.csv.gz | pnlbook load - --as node_earnings
      pnlbook load claude-code git:~/code/shop --since 2025-10-01
    """
    logs = [name for name in sources if kinds.split(name)]
    files_only = (table, mapping, source, given, timezone, encoding, delimiter)
    if logs:
        if len(logs) < len(sources) or any(files_only):
            raise FilesAmongLogs(logs[0])
        allowed = None if max_rejects is None else _max_rejects(max_rejects)
        load_logs(run, logs, since, allowed, with_content=with_content, dry_run=dry_run)
        return
    if since or with_content:
        raise OnlyOfLogs
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
        max_rejects=_max_rejects(max_rejects or "0"),
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
