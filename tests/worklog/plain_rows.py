"""Rows that readings come to, as plain dictionaries without what is not told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.worklog.merging import Book

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pnlbook.worklog.importer import Findings

Merged = dict[tuple[str, str], dict[str, Any]]


def merged(readings: Iterable[Findings]) -> Merged:
    """Return the rows by kind of record and key, each reading being a load of its own."""
    book = Book()
    for findings in readings:
        book.load(findings)
    return {
        (kind.__name__, key): {name: value for name, value in row.items() if value is not None}
        for kind, rows in book.rows.items()
        for key, row in rows.items()
    }
