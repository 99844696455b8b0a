"""What happens in logs of work while they grow: once each, in the order of its instants."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from pnlbook.worklog.entries import now
from pnlbook.worklog.growing import SPOOL, GrowingLog, GrowingLogs
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pnlbook.worklog.importer import Reading
    from pnlbook.worklog.records import Record

_MICROS = 1_000_000
_REMEMBERED = 100_000  # records
_OVER = frozenset({"completed", "failed", "noted"})

Key = tuple[str, str]


@dataclass(frozen=True)
class Event:
    """Something that happened: `state` is live, began, called, completed, failed or noted.

    record: what is known of it by then, put together.
    """

    at: int
    source: str
    state: str
    record: Record


@dataclass
class _Known:
    """A record as far as it was met, where last, and in which state it was shown."""

    record: Record
    log: GrowingLog
    shown: str | None = None


class Following:
    """Follows the logs of some sources; what happened before `since` (µs) is not shown.

    Raises NothingToFollow when a place that is named is not there.
    """

    def __init__(self, sources: Sequence[str], reading: Reading, since: int | None = None) -> None:
        self._since = now() if since is None else since
        self._logs = GrowingLogs(sources, self._since / _MICROS)
        self._reading = reading
        self._known: dict[Key, _Known] = {}
        self._unsettled: dict[Key, _Known] = {}  # messages of models, whose tokens still grow
        self._first = True

    def poll(self) -> list[Event]:
        """Return what happened since the last time; the first time also what goes on."""
        read = self._logs.read(self._reading)
        touched = dict.fromkeys(self._take(log, record) for log, record in read)
        events = [event for key in touched for event in self._happened(self._known[key])]
        settled = self._unsettled.keys() - touched.keys()
        events += [_noted(self._unsettled.pop(key)) for key in settled]
        events = [event for event in events if event.at >= self._since]
        if self._first:
            self._first = False
            begun = {event.record.key for event in events}
            events += [e for known in self._known.values() for e in self._going_on(known, begun)]
        self._forget()
        return sorted(events, key=lambda event: (event.at, _rank(event)))

    def _take(self, log: GrowingLog, record: Record) -> Key:
        """Put a record together with what was known of it."""
        key = type(record).__name__, record.key
        known = self._known.pop(key, None) or _Known(record, log)
        told = {one.name: getattr(record, one.name) for one in fields(record)}
        told = {name: value for name, value in told.items() if value is not None}
        known.record, known.log = replace(known.record, **told), log
        self._known[key] = known  # behind those that were met longer ago
        return key

    def _happened(self, known: _Known) -> Iterator[Event]:
        """Yield what a record tells that was not shown before."""
        record, shown = known.record, known.shown
        state, at = _state(record, known.log.source)
        if at is None or shown == state or shown in _OVER:
            return
        if isinstance(record, Message) and record.role == "assistant":
            self._unsettled[type(record).__name__, record.key] = known
            return
        known.shown = state
        if isinstance(record, Session | Task) and shown is None and state != "began":
            yield Event(record.started_at or at, known.log.source, "began", record)
        yield Event(at, known.log.source, state, record)

    def _going_on(self, known: _Known, begun: set[str]) -> Iterator[Event]:
        """Yield a session that goes on and began before what is shown."""
        record = known.record
        is_open = isinstance(record, Session) and known.shown == "began"
        if is_open and record.key not in begun and known.log.is_in_use():
            yield Event(self._since, known.log.source, "live", record)

    def _forget(self) -> None:
        for key in list(self._known)[: max(0, len(self._known) - _REMEMBERED)]:
            del self._known[key]


def _rank(event: Event) -> int:
    """Return the place of an event among others of its instant: what encloses them is outside."""
    outside = {Session: 2, Task: 1}.get(type(event.record), 0)
    return outside if event.state in {"completed", "failed"} else -outside


def _noted(known: _Known) -> Event:
    known.shown = "noted"
    _, at = _state(known.record, known.log.source)
    return Event(at or 0, known.log.source, "noted", known.record)


def _state(record: Record, source: str) -> tuple[str, int | None]:
    """Return how far what a record tells has come, and the instant of that."""
    if isinstance(record, Tool):
        return _state_of_tool(record)
    if isinstance(record, Session | Task):
        # Transcripts do not tell when a session is over.
        ends = source == SPOOL or isinstance(record, Task)
        if ends and record.status in {"completed", "failed"}:
            return record.status, record.completed_at
        return "began", record.started_at
    if isinstance(record, Message):
        return "noted", record.completed_at or record.sent_at
    if isinstance(record, Change):
        return "noted", record.changed_at
    return "noted", record.occurred_at if isinstance(record, Error) else None


def _state_of_tool(record: Tool) -> tuple[str, int | None]:
    if record.success_count is None:
        return "called", record.used_at
    at = record.used_at
    if at is not None and record.total_duration_ms is not None:
        at += int(record.total_duration_ms * 1000)
    failed = record.success_count < (record.invocation_count or 1)
    return ("failed" if failed else "completed"), at
