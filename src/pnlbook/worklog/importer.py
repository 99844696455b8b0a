"""What an importer of one kind of log is, and what it is given to work with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pnlbook.worklog.assignment import Assignments
    from pnlbook.worklog.records import Record


@dataclass(frozen=True)
class Position:
    """How far a log was read: bytes and lines from its beginning, and what its reader must know.

    head_bytes, head_sha256: its beginning, by which it is known again. state: the reader's own, as
    JSON; None at the beginning.
    """

    bytes_read: int = 0
    lines_read: int = 0
    head_bytes: int = 0
    head_sha256: str = ""
    state: str | None = None


@dataclass(frozen=True)
class Broken:
    """A line that cannot be read: what is wrong with it, and the line itself, shortened."""

    line: int
    reason: str
    raw: str


@dataclass
class Findings:
    """What was found in one log: records by kind, and what was passed over.

    skipped: records of types that the importer does not know, by type. left: bytes at the end that
    are no whole line yet. notes: what a person should be told. take: is given each record, which is
    then not held here; it changes no more.
    """

    records: dict[type[Record], list[Record]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    left: int = 0
    notes: list[str] = field(default_factory=list)
    take: Callable[[Record], None] | None = None

    def add(self, record: Record) -> None:
        """Keep a record."""
        if self.take is None:
            self.records.setdefault(type(record), []).append(record)
        else:
            self.take(record)


@dataclass(frozen=True)
class Reading:
    """How logs are to be read.

    with_content: keep the text of messages, secrets redacted; since: leave out records before that
    instant (microseconds since 1970); tell: called with the bytes read since it was last called.
    """

    assignments: Assignments
    with_content: bool = False
    since: int | None = None
    tell: Callable[[int], None] = lambda _bytes: None


@dataclass
class Sink:
    """Takes what is found in one log, from the instant on that was asked for."""

    reading: Reading
    findings: Findings

    def add(self, at: int, record: Record) -> None:
        """Keep a record that ends at an instant, unless that is before what was asked for."""
        if self.reading.since is None or at >= self.reading.since:
            self.findings.add(record)

    def skip(self, what: str) -> None:
        """Count what is passed over."""
        self.findings.skipped[what] += 1


class Importer(Protocol):
    """One kind of log: where its files are by default, which of a folder they are, how they read.

    `read` takes up at `position`, adds what it finds to `findings` and returns where it stopped;
    it raises FileRejected when a log cannot be read at all.
    """

    @property
    def name(self) -> str:
        """The kind's name on the command line; also the source of its rows."""

    def places(self) -> Sequence[Path]:
        """Return the folders or files that logs of this kind are in by default."""

    def find(self, place: Path) -> Sequence[Path]:
        """Return the logs at a place: itself, when it is one, or those within it."""

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read a log from `position` on."""
