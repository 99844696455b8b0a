"""The spool of the live logger as a kind of log.

Every entry carries its id, and what begins and ends is told in two parts, so that however often and
in whatever pieces a spool is read, each counts once. Prompts, the text of messages and diffs are
kept only when asked for; the rest (descriptions, names, summaries, errors) are the program's own
words and are kept, with obvious secrets redacted.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pyarrow as pa

from pnlbook.load import FileRejected
from pnlbook.worklog import records
from pnlbook.worklog.assignment import Place
from pnlbook.worklog.importer import Broken, Position
from pnlbook.worklog.lines import NotARecord, read_lines
from pnlbook.worklog.redaction import redact
from pnlbook.worklog.spool import SUFFIX, default_folder, is_live
from pnlbook.worklog.told import CHOICES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pnlbook.worklog.importer import Findings, Reading
    from pnlbook.worklog.records import Record

_T = TypeVar("_T")
NAME = "spool"
_END_OF_TIME = 253_402_300_800_000_000  # the year 10000
_LARGEST = 2**63 - 1
_SHOWN = 10_000
_KINDS: Mapping[str, type[Record]] = {
    "session": records.Session,
    "task": records.Task,
    "change": records.Change,
    "tool": records.Tool,
    "message": records.Message,
    "error": records.Error,
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "session": ("status",),
    "task": ("status",),
    "change": ("file_path", "change_type"),
    "tool": ("tool_name",),
    "message": ("role",),
    "error": ("error_type",),
}
# A part that tells no beginning was written later than that, so that the least of both stands.
_BEGINNING: Mapping[str, str] = {
    "session": "started_at",
    "task": "started_at",
    "change": "changed_at",
    "tool": "used_at",
    "message": "sent_at",
    "error": "occurred_at",
}
_CONTENT = frozenset({"initial_prompt", "content", "diff"})
_IDS = frozenset({"session_id", "task_id", "agent_id", "node_id", "project_id", "file_path"})
_PLACE = ("agent", "cwd", "branch")


class SpoolImporter:
    """Reads the files of a spool; those of living writers grow."""

    name = NAME

    def places(self) -> Sequence[Path]:
        """Return the folder that programs write to unless they are told otherwise."""
        return [Path(default_folder())]

    def find(self, place: Path) -> Sequence[Path]:
        """Return the files of a spool, the oldest first."""
        if place.is_file():
            return [place]
        return sorted(path for path in place.glob(f"*{SUFFIX}") if path.is_file())

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read a file from `position` on; a torn last line is set aside once its writer is gone."""
        is_final = not is_live(log)  # asked first: nothing is added to what is read thereafter
        end = read_lines(log, position, reading, findings, _Parser(position, reading, findings))
        if is_final and findings.left:
            aside = _set_aside(log, end, findings)
            end = read_lines(log, aside, reading, findings, _Parser(aside, reading, findings))
        return end


IMPORTER = SpoolImporter()


def _set_aside(log: Path, end: Position, findings: Findings) -> Position:
    """Tell the torn last line, and return the position behind it."""
    try:
        with log.open("rb") as file:
            file.seek(end.bytes_read)
            torn = file.read()
    except OSError as error:
        raise FileRejected(str(log), f"it cannot be read ({error.strerror}).") from error
    raw = torn[:_SHOWN].decode("utf-8", errors="backslashreplace")
    reason = "it is torn: the program ended while it wrote this line."
    findings.broken.append(Broken(end.lines_read + 1, reason, raw))
    findings.lines += 1
    findings.left = 0
    return replace(end, bytes_read=end.bytes_read + len(torn), lines_read=end.lines_read + 1)


class _Writer(msgspec.Struct):
    """What the first entry of a file says of the process that wrote it."""

    agent: str = "python"
    cwd: str | None = None
    pid: int | None = None


class _Parser:
    """Turns entries into records."""

    def __init__(self, position: Position, reading: Reading, findings: Findings) -> None:
        self._reading = reading
        self._findings = findings
        state = position.state
        self._writer = msgspec.json.decode(state, type=_Writer) if state else _Writer()

    def line(self, number: int, data: bytes) -> None:
        """Take an entry. Raises NotARecord."""
        entry = _entry(data)
        kind, identity, at = entry.pop("kind"), entry.pop("id"), entry.pop("at")
        if kind == "writer":
            self._writer = _converted(entry, _Writer)
        elif self._reading.since is None or at >= self._reading.since:
            if kind == "lost":
                self._findings.add(self._loss(number, identity, at, entry))
            elif kind in _KINDS:
                self._findings.add(self._record(number, kind, identity, at, entry))
            else:
                self._findings.skipped[f"{kind}"] += 1

    def finish(self) -> None:
        """Add nothing: every entry is a record, or a part of one, by itself."""

    def state(self) -> str:
        """Return what is known of the writer."""
        return msgspec.json.encode(self._writer).decode()

    def _record(
        self, number: int, kind: str, identity: str, at: int, entry: dict[str, Any]
    ) -> Record:
        place = self._place(entry)
        entry.setdefault(_BEGINNING[kind], at)
        values = self._values(kind, entry)
        missing = [name for name in _NEEDED[kind] if values.get(name) is None]
        if missing:
            problem = f"{', '.join(missing)} is not told"
            raise NotARecord(problem)
        node, project = self._reading.assignments.of(place)
        values["node_id"] = values.get("node_id") or node
        values["project_id"] = values.get("project_id") or project
        if kind == "message":
            self._settle_cost(values, place)
        elif kind == "change":
            values["origin"] = "edit"
        return _KINDS[kind](key=identity, line=number, **values)

    def _place(self, entry: Mapping[str, Any]) -> Place:
        agent, cwd, branch = (_text_or_none(entry.get(name)) for name in _PLACE)
        return Place(agent or self._writer.agent, cwd or self._writer.cwd, branch)

    def _values(self, kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns that an entry tells, checked. Raises NotARecord."""
        checks, values = _CHECKS[kind], {}
        for name, value in entry.items():
            check = checks.get(name)
            if check is None:
                if name not in _PLACE:
                    self._findings.skipped[f"{kind}.{name}"] += 1
            elif value is not None and (name not in _CONTENT or self._reading.with_content):
                values[name] = check(name, value)
        _check_successes(values)
        return values

    def _settle_cost(self, values: dict[str, Any], place: Place) -> None:
        if values.get("cost_usd") is not None:
            values.setdefault("cost_basis", "actual")
        elif self._reading.assignments.is_subscription(place):
            values["cost_basis"] = "estimate"

    def _loss(self, number: int, identity: str, at: int, entry: Mapping[str, Any]) -> Record:
        """Return the error that stands for records which could not be written."""
        count, reason = entry.get("count"), _text_or_none(entry.get("reason"))
        since = entry.get("first_at")
        said = f"{count} records of process {self._writer.pid} could not be written: {reason}"
        self._findings.notes.append(f"{said}.")
        node, project = self._reading.assignments.of(self._place({}))
        return records.Error(
            key=identity,
            line=number,
            node_id=node,
            project_id=project,
            error_type="records_lost",
            error_message=said,
            occurred_at=since if isinstance(since, int) and 0 <= since <= at else at,
        )


def _entry(data: bytes) -> dict[str, Any]:
    """Return an entry that has its kind, id and instant. Raises NotARecord."""
    entry = _converted(_decoded(data), dict[str, Any])
    for name, kind in (("kind", str), ("id", str), ("at", int)):
        if not isinstance(entry.get(name), kind) or not entry[name]:
            problem = f"{name} is not told, or is no {kind.__name__}"
            raise NotARecord(problem)
    _instant("at", entry["at"])
    return entry


def _decoded(data: bytes) -> object:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = f"it is no JSON: {error}"
        raise NotARecord(problem) from error


def _converted(value: object, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise NotARecord(str(error)) from error


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _wrong(name: str, value: object, wanted: str) -> NotARecord:
    return NotARecord(f"{name} is {str(value)[:100]!r}, which is not {wanted}")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a text")
    return value if name in _IDS else redact(value)


def _choice(name: str, value: object) -> object:
    if value not in CHOICES[name]:
        raise _wrong(name, value, f"one of {', '.join(CHOICES[name])}")
    return value


def _texts(name: str, value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(name, value, "a list of texts")
    return value


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        raise _wrong(name, value, "a number from 0 on")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _instant(name: str, value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < _END_OF_TIME:
        raise _wrong(name, value, "an instant in microseconds since 1970")
    return value


def _decimal(kind: pa.Decimal128Type) -> Callable[[str, Any], Decimal]:
    """Return what checks an amount from 0 on, and rounds it to the column's scale."""
    unit = Decimal(1).scaleb(-kind.scale)
    bound = Decimal(10) ** (kind.precision - kind.scale)

    def check(name: str, value: object) -> Decimal:
        try:
            amount = Decimal(str(value))
            if not isinstance(value, bool) and 0 <= amount < bound:
                return amount.quantize(unit)
        except InvalidOperation:
            pass
        raise _wrong(name, value, f"a number from 0 to {bound}")

    return check


def _check_of(name: str, kind: pa.DataType) -> Callable[[str, Any], Any]:
    """Return what checks a column's values, by its name or its type."""
    if name in CHOICES:
        return _choice
    if pa.types.is_decimal(kind):
        return _decimal(kind)
    return _BY_TYPE[kind]


def _check_successes(values: Mapping[str, Any]) -> None:
    done, tried = values.get("success_count"), values.get("invocation_count")
    if done is not None and tried is not None and done > tried:
        problem = f"success_count is {done}, but there were {tried} invocations"
        raise NotARecord(problem)


_BY_TYPE: Mapping[pa.DataType, Callable[[str, Any], Any]] = {
    pa.string(): _text,
    pa.list_(pa.string()): _texts,
    pa.int64(): _count,
    pa.bool_(): _flag,
    pa.timestamp("us", "UTC"): _instant,
}
_CHECKS: Mapping[str, Mapping[str, Callable[[str, Any], Any]]] = {
    kind: {name: _check_of(name, column.type) for name, column in records.columns(record).items()}
    | dict.fromkeys(("node_id", "project_id"), _text)
    for kind, record in _KINDS.items()
}
