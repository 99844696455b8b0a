"""Reading figures from a book: macros by name with bound parameters, answers as Polars frames.

The book is open only while its queries run, so a report on a screen never keeps a load waiting.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import duckdb

from pnlbook.book import QueryError, open_book
from pnlbook.config import load_settings
from pnlbook.errors import PnlbookError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    import polars as pl

T = TypeVar("T")

# Arguments of a macro by name; None is its own default.
Arguments: TypeAlias = "dict[str, str | date | int | None]"


@dataclass(frozen=True)
class Call:
    """One macro call: its name and named arguments; `leading` are the arguments without a name."""

    macro: str
    named: Arguments
    leading: tuple[str | None, ...] = ()

    @property
    def sql(self) -> str:
        """Return the statement with a placeholder for each argument."""
        leading = [f"${number}" for number, _ in enumerate(self.leading, 1)]
        first = len(leading) + 1
        named = [f"{name} := ${number}" for number, name in enumerate(self.named, first)]
        return f"FROM {self.macro}({', '.join(leading + named)})"

    @property
    def parameters(self) -> list[Any]:
        """Return the arguments in the order of their placeholders."""
        return [*self.leading, *self.named.values()]


class Reader:
    """What may be asked while the book is open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def call(self, call: Call) -> pl.DataFrame:
        """Return the rows of a macro."""
        return self.rows(call.sql, call.parameters)

    def rows(self, statement: str, parameters: list[Any] | None = None) -> pl.DataFrame:
        """Return the rows of a statement."""
        try:
            rows: pl.DataFrame = self._connection.sql(statement, params=parameters or None).pl()
        except duckdb.Error as error:
            raise QueryError(error) from error
        return rows


@dataclass(frozen=True)
class Source:
    """The book that a report reads, and how many seconds it waits while a load writes."""

    path: Path
    timeout: float

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Open the book for the queries of the block, which all see the same state of it."""
        with open_book(self.path, timeout=self.timeout) as connection:
            connection.execute("SET enable_external_access = false")
            yield Reader(connection)

    def call(self, call: Call) -> pl.DataFrame:
        """Return the rows of one macro and close the book at once."""
        with self.reader() as reader:
            return reader.call(call)


def find_source() -> Source:
    """Return the book that the environment, `pnlbook.toml` or the current folder names."""
    settings = load_settings()
    return Source(settings.book, settings.lock_timeout)


def attempt(read: Callable[[], T]) -> tuple[T | None, str]:
    """Return what `read` gives, or None and the sentence that says why there is nothing to show."""
    try:
        return read(), ""
    except PnlbookError as error:
        return None, str(error)
