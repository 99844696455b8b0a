"""What every reader gives: text columns in the order of the source, and the rows it refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pnlbook.load.result import Reject


@dataclass(frozen=True)
class Lines:
    """Where the rows stood that were read.

    line: SQL over the staged table's `rowid` (0, 1, …) that gives the line of a row.
    rejects: rows that could not even be taken apart.
    again: another way to read the source, when this one was not up to it.
    """

    line: str
    rejects: list[Reject] = field(default_factory=list)
    again: Raw | None = None


@dataclass(frozen=True)
class Raw:
    """A source as text columns.

    columns: names as the source has them. relation: SQL that yields them, in order, as c0, c1, ….
    lines: called with the number of rows staged, after `relation` was read in whole.
    has_empty_texts: whether an empty cell may come as '' and not as NULL.
    """

    columns: tuple[str, ...]
    relation: str
    lines: Callable[[int], Lines]
    has_empty_texts: bool = True

    def cell(self, column: int) -> str:
        """Return the SQL of a column's text, NULL where the cell is empty."""
        return f"nullif(c{column}, '')" if self.has_empty_texts else f"c{column}"
