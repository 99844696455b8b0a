"""One run of a command: the options that every command has, and what they lead to.

A command is a function whose first argument is the Run; `with_run` gives it the common options.
Results go to stdout; notes, progress and errors go to stderr.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate

import typer

if TYPE_CHECKING:
    import duckdb

    from pnlbook.book import Waiting
    from pnlbook.config import Settings

PIPE_CLOSED = 141  # what a shell reports for a program that SIGPIPE ended
_PATIENCE = 0.3  # seconds of waiting for a lock that are not worth a word
PANEL = "Options of every command"


@dataclass(frozen=True)
class Run:
    """What the common options of one command say."""

    book: Path | None = None
    as_json: bool = False
    lock_timeout: float | None = None
    quiet: bool = False
    debug: bool = False
    _told: set[str] = field(default_factory=set, compare=False)

    @cached_property
    def settings(self) -> Settings:
        """The settings that stand beside the book or above it."""
        from pnlbook.config import load_settings

        return load_settings(self.settings_folder)

    @property
    def settings_folder(self) -> Path | None:
        """Where the settings are looked for: beside a book that is named, else here."""
        named = self.book or os.environ.get("PNLBOOK_BOOK")
        return Path(named).parent if named else None

    @property
    def path(self) -> Path:
        """The book to use."""
        return self.book or self.settings.book

    @property
    def timeout(self) -> float:
        """Seconds to wait for another process to release the book."""
        return self.settings.lock_timeout if self.lock_timeout is None else self.lock_timeout

    @contextmanager
    def open_book(self, path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the book for reading, for the length of the block."""
        import duckdb

        from pnlbook.book import QueryError, open_book

        with open_book(path or self.path, timeout=self.timeout, on_wait=self.on_wait) as connection:
            # A table name in a user's query never means a variable of this program.
            connection.execute("SET python_enable_replacements = false")
            try:
                yield connection
            except duckdb.Error as error:
                raise QueryError(error) from error

    def on_wait(self, waiting: Waiting) -> None:
        """Say once which process is waited for."""
        who = str(waiting.holder or "another process")
        if waiting.waited >= _PATIENCE and who not in self._told:
            self._told.add(who)
            self.note(f"waiting for {who}…")

    def note(self, text: str) -> None:
        """Tell a person something beside the result."""
        if not self.quiet:
            warn(text)

    def say(self, text: str, **facts: object) -> None:
        """Tell the result of an action: a sentence for a person, the facts for a machine."""
        if self.as_json:
            print_json(facts)
        elif not self.quiet:
            sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """Print to stderr, after what was printed to stdout so far."""
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_json(value: object) -> None:
    """Print one JSON value; what JSON does not know is printed as its text."""
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False, indent=2) + "\n")


def with_run(function: Callable[Concatenate[Run, ...], None]) -> Callable[..., None]:
    """Return the command with the common options, which reach `function` as its first argument."""

    @functools.wraps(function)
    def command(**values: Any) -> None:  # noqa: ANN401 - whatever the command takes
        run = Run(**{name: values.pop(name) for name in _COMMON})
        try:
            function(run, **values)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has gone; what is still buffered must not fail again at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None

    command.__doc__ = reflowed(function.__doc__ or "")
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    parameters = [*own, *_COMMON.values()]
    vars(command).pop("__wrapped__")  # so that its own signature is seen
    vars(command)["__signature__"] = inspect.Signature(parameters)
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def reflowed(text: str) -> str:
    """Return a docstring with its prose unwrapped, as a terminal of any width wants it."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(p if p.startswith(" ") else p.replace("\n", " ") for p in paragraphs)


def _common(
    book: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="The book to use; else PNLBOOK_BOOK, else pnlbook.toml, else ./book.duckdb.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for machines.", rich_help_panel=PANEL)
    ] = False,
    lock_timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="How long to wait for another process to release the book; 30 by default.",
            rich_help_panel=PANEL,
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            help="Print only the results asked for, and errors.",
            rich_help_panel=PANEL,
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=PANEL),
    ] = False,
) -> None:
    """Only its signature matters: the options that every command has."""


_COMMON = {
    parameter.name: parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    for parameter in inspect.signature(_common, eval_str=True).parameters.values()
}
