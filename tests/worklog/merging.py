"""Records put together in plain Python by the rules of their columns, as a book would hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.importer import Findings, Importer, Position, Reading
from pnlbook.worklog.records import TABLES, Merge, Record, columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

R = TypeVar("R", bound=Record)


@dataclass
class Book:
    """Rows by kind and key; loads are put together with what is there."""

    rows: dict[type[Record], dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in TABLES}
    )

    def load(self, *logs: Findings) -> Book:
        """Take the records of logs in, as one load."""
        for kind in TABLES:
            parts: dict[str, list[Record]] = {}
            for log in logs:
                for record in log.records.get(kind, ()):
                    parts.setdefault(record.key, []).append(record)
            for key, found in parts.items():
                self._meet(kind, key, {n: _merged(kind, n, found) for n in columns(kind)})
        return self

    def of(self, kind: type[R]) -> dict[str, R]:
        """Return the rows of a kind as records, by key."""
        return {key: kind(key=key, line=0, **row) for key, row in self.rows[kind].items()}

    def only(self, kind: type[R]) -> R:
        """Return the one row of a kind."""
        (row,) = self.of(kind).values()
        return row

    def _meet(self, kind: type[Record], key: str, row: dict[str, Any]) -> None:
        known = self.rows[kind].get(key)
        if known is None:
            self.rows[kind][key] = row
            return
        for name, column in columns(kind).items():
            if column.merge is Merge.NEW:
                known[name] = known[name] if row[name] is None else row[name]
            else:
                known[name] = _pick(column.merge, [known[name], row[name]])


def _merged(kind: type[Record], name: str, parts: Iterable[Record]) -> Any:  # noqa: ANN401 - any
    return _pick(columns(kind)[name].merge, [getattr(part, name) for part in parts])


def _pick(merge: Merge, values: list[Any]) -> Any:  # noqa: ANN401 - a column of any type
    told = [value for value in values if value is not None]
    if not told or (merge is Merge.ALL and len(told) < len(values)):
        return None
    return min(told) if merge in {Merge.MIN, Merge.ALL} else max(told)


def read(
    importer: Importer,
    data: bytes,
    cuts: Sequence[int] = (),
    *,
    name: str = "log.jsonl",
    reading: Reading | None = None,
) -> list[Findings]:
    """Read a log that grew: once at each cut (a number of bytes) and once when it is whole."""
    found, position = [], Position()
    with TemporaryDirectory() as folder:
        log = Path(folder) / name
        for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
            log.write_bytes(data[:end])
            findings = Findings()
            position = importer.read(log, position, reading or Reading(Assignments()), findings)
            found.append(findings)
    return found


def booked(importer: Importer, data: bytes, cuts: Sequence[int] = (), **how: Any) -> Book:  # noqa: ANN401 - as read
    """Return the book after a load at each cut and one of the whole log."""
    book = Book()
    for findings in read(importer, data, cuts, **how):
        book.load(findings)
    return book
