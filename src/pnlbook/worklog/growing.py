"""Logs of work as they grow: what was added to each since they were last looked at."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.errors import UsageError
from pnlbook.load import FileRejected
from pnlbook.worklog import kinds
from pnlbook.worklog.importer import Findings, Position
from pnlbook.worklog.lines import continues
from pnlbook.worklog.spool import is_live

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pnlbook.worklog.importer import Importer, Reading
    from pnlbook.worklog.records import Record

SPOOL = "spool"  # the one kind whose logs tell whether their writer lives, and when sessions end
_LATELY = 600  # seconds since its last change in which another log is held to be in use
_LOOK_AGAIN = 2.0  # seconds between searches for new logs


class NothingToFollow(UsageError):
    """A source is no kind of log, or is not there."""

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")


@dataclass
class GrowingLog:
    """A log, and how far it was read; position: None where it was at rest and was not."""

    importer: Importer
    path: Path
    position: Position | None
    size: int

    @property
    def source(self) -> str:
        """The kind of log."""
        return self.importer.name

    def is_in_use(self) -> bool:
        """Whether somebody is at work on what it tells, as far as that can be known."""
        if self.source == SPOOL:
            return is_live(self.path)
        return self.changed() >= time.time() - _LATELY

    def changed(self) -> float:
        """Return when it was last changed, in seconds since 1970."""
        with suppress(OSError):
            return self.path.stat().st_mtime
        return 0.0

    def read(self, reading: Reading) -> Iterator[Record]:
        """Yield what was added since the last reading."""
        size = _size(self.path)
        if size == self.size:
            return
        position = self.position or Position()
        if not continues(self.path, position):
            position = Position()
        findings = Findings()
        try:
            self.position = self.importer.read(self.path, position, reading, findings)
        except FileRejected:  # it has gone meanwhile; it may come back
            return
        self.size = size
        for records in findings.records.values():
            yield from records


class GrowingLogs:
    """The logs of some sources (`spool`, `codex:PATH`); those at rest are read once they grow.

    since: instant in seconds since 1970; what was changed after it is not at rest. Raises
    NothingToFollow when a place that is named is not there.
    """

    def __init__(self, sources: Sequence[str], since: float) -> None:
        self._places = [place for source in sources for place in _places(source)]
        self._since = since
        self._logs: dict[Path, GrowingLog] = {}
        self._looked: float | None = None

    def read(self, reading: Reading) -> Iterator[tuple[GrowingLog, Record]]:
        """Yield what was added to each log since the last time."""
        self._look()
        for log in self._logs.values():
            for record in log.read(reading):
                yield log, record

    def _look(self) -> None:
        """Find new logs."""
        first = self._looked is None
        if self._looked is not None and time.monotonic() - self._looked < _LOOK_AGAIN:
            return
        self._looked = time.monotonic()
        for importer, place in self._places:
            for path in importer.find(place) if place.exists() else ():
                if path in self._logs:
                    continue
                log = GrowingLog(importer, path, Position(), -1)
                if first and not log.is_in_use() and log.changed() < self._since:
                    log.position, log.size = None, _size(path)
                self._logs[path] = log


def _places(source: str) -> Iterator[tuple[Importer, Path]]:
    kind, place = kinds.split(source) or (source, None)
    if kind not in kinds.NAMES:
        names = ", ".join(kinds.NAMES)
        raise NothingToFollow(source, f"there is no such kind of log. There are {names}.")
    importer = kinds.importer(kind)
    if place is not None and not place.exists():
        raise NothingToFollow(source, "there is no such file or folder.")
    for one in importer.places() if place is None else [place]:
        yield importer, one


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
