"""Loading logs of work: find → read what is new → put together → commit.

As in every load, reading happens outside the book, and all logs of a command go in or none does.
Loading again reads only what logs have gained since, and adds nothing twice.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pnlbook.book import attached, open_book, run, setting, transaction
from pnlbook.load import FileRejected, Progress, Reject, SourceError
from pnlbook.load.derive import after_load
from pnlbook.load.record import UNNAMED, iso, unknown_names
from pnlbook.load.scratch import Scratch, open_scratch, scratch_folder
from pnlbook.load.tables import Schema, read_schema
from pnlbook.worklog import kinds
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.commit import Committed, Log, commit
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.lines import continues
from pnlbook.worklog.records import TABLES
from pnlbook.worklog.result import LogsRejected, TableResult, WorkResult
from pnlbook.worklog.staging import Staging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb

    from pnlbook.book import Waiting
    from pnlbook.worklog.importer import Importer
    from pnlbook.worklog.records import Record
    from pnlbook.worklog.result import WorkOptions

_SHOWN = 20


@dataclass(frozen=True)
class _Known:
    """A log that was read before: how it was asked for, from when on, and how far."""

    request: str
    since: int | None
    position: Position


@dataclass(frozen=True)
class _Facts:
    """What a load needs to know of the book."""

    schema: Schema
    timezone: str
    known: Mapping[tuple[str, str], _Known]


@dataclass(frozen=True)
class _Source:
    """A log to read, and from where on."""

    importer: Importer
    path: Path
    position: Position

    @property
    def size(self) -> int:
        """Bytes that are new, as far as a size tells."""
        with suppress(OSError):
            if self.path.is_file():
                return max(0, self.path.stat().st_size - self.position.bytes_read)
        return 0


@dataclass
class _Read:
    """What the logs of a load held."""

    logs: list[Log] = field(default_factory=list)
    unchanged: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def broken(self) -> tuple[Reject, ...]:
        """Lines that cannot be read."""
        return tuple(reject for log in self.logs for reject in log.broken)


def load_work(
    book: Path,
    sources: Sequence[str],
    options: WorkOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[Waiting], None] | None = None,
) -> WorkResult:
    """Load logs of work (`claude-code`, `git:PATH`, …) into the book, and say what came of it.

    Raises SourceError when a named place is not there, LogsRejected (the book is as before) and the
    errors of opening a book.
    """
    with open_book(book, timeout=options.lock_timeout, on_wait=on_wait) as connection:
        facts = _read_facts(connection)
    request = _request(options)
    tell = on_progress or (lambda _progress: None)
    with (
        scratch_folder() as folder,
        open_scratch(folder, options.memory_limit, tell) as scratch,
    ):
        run(scratch.connection, "ATTACH ':memory:' AS stage")
        found = [
            _placed(importer, path, facts, request, options) for importer, path in _find(sources)
        ]
        staging = Staging(scratch.connection)
        read = _read(scratch, staging, found, options, request)
        allowed = options.max_rejects
        if allowed is not None and len(read.broken) > allowed:
            raise LogsRejected(len(read.broken), allowed, read.broken[:_SHOWN])
        if not read.logs:
            return _nothing(read, options)
        staging.merge()
        with attached(
            scratch.connection, book, "book", timeout=options.lock_timeout, on_wait=on_wait
        ):
            return _commit(scratch, read, facts, options)


def _read_facts(connection: duckdb.DuckDBPyConnection) -> _Facts:
    rows = run(
        connection,
        "SELECT source, location, request, epoch_us(since), bytes_read, lines_read, head_bytes, "
        "head_sha256, state FROM work_files",
    )
    known = {
        (source, location): _Known(asked, since, Position(*position))
        for source, location, asked, since, *position in rows
    }
    return _Facts(read_schema(connection), setting(connection, "timezone") or "UTC", known)


def _request(options: WorkOptions) -> str:
    rules = [rule.model_dump(exclude_defaults=True) for rule in options.work]
    asked = {"with_content": options.with_content, "work": rules}
    return json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _find(sources: Sequence[str]) -> Iterator[tuple[Importer, Path]]:
    """Yield every log of the sources, once."""
    seen: set[tuple[str, Path]] = set()
    for source in sources:
        kind, place = kinds.split(source) or (source, None)
        importer = kinds.importer(kind)
        places = [place] if place is not None else importer.places()
        if place is not None and not place.exists():
            raise SourceError(source, "there is no such file or folder.")
        logs = [log for one in places if one.exists() for log in importer.find(one)]
        if not logs:
            looked = ", ".join(str(one) for one in places) or "nowhere"
            problem = f"no such logs were found (looked in {looked}). Name a place: {kind}:PATH."
            raise SourceError(source, problem)
        for log in logs:
            path = log.resolve()
            if (kind, path) not in seen:
                seen.add((kind, path))
                yield importer, path


def _placed(
    importer: Importer, path: Path, facts: _Facts, request: str, options: WorkOptions
) -> _Source:
    """Return where to take a log up: its beginning, where it or what is asked for has changed."""
    known = facts.known.get((importer.name, str(path)))
    if known is None or known.request != request or not _covers(known.since, options.since):
        return _Source(importer, path, Position())
    if path.is_file() and not continues(path, known.position):
        return _Source(importer, path, Position())
    return _Source(importer, path, known.position)


def _covers(before: int | None, now: int | None) -> bool:
    """Whether what was read since one instant holds all that is asked for since another."""
    return before is None or (now is not None and now >= before)


def _read(
    scratch: Scratch,
    staging: Staging,
    sources: Sequence[_Source],
    options: WorkOptions,
    request: str,
) -> _Read:
    read = _Read()
    tally = _Tally(scratch.tell, sum(source.size for source in sources))
    assignments = Assignments(options.work)
    reading = Reading(assignments, options.with_content, options.since, tally.count)
    for source in sources:
        tally.place = str(source.path)
        number = len(read.logs)

        def take(record: Record, number: int = number) -> None:
            staging.add(number, record)
            tally.rows += 1

        findings = Findings(take=take)
        try:
            log = _read_log(source, reading, request, findings)
        except FileRejected as error:
            findings, log = Findings(notes=[f"{error.problem} It was left out."]), None
        read.skipped.update(findings.skipped)
        read.notes += [f"{source.path}: {note}" for note in findings.notes]
        if log is None:
            staging.withdraw(number)
            read.unchanged += 1
            continue
        read.logs.append(log)
    return read


@dataclass
class _Tally:
    """How far the reading of all logs is."""

    tell: Callable[[Progress], None]
    total: int
    place: str = ""
    rows: int = 0
    done: int = 0

    def count(self, size: int) -> None:
        """Tell that so many bytes more were read."""
        self.done += size
        self.tell(Progress("reading", self.place, self.rows, self.done, self.total))


def _read_log(source: _Source, reading: Reading, request: str, findings: Findings) -> Log | None:
    """Read what is new in a log into `findings`; None when nothing is. Raises FileRejected."""
    started = datetime.now(UTC)
    end = source.importer.read(source.path, source.position, reading, findings)
    if findings.left:
        findings.notes.append(
            f"its last line is not whole yet ({findings.left:,} bytes); it is read once it is."
        )
    if end == source.position:
        return None
    location = str(source.path)
    broken = [
        Reject(location, one.line, None, None, one.reason, one.raw) for one in findings.broken
    ]
    size = end.bytes_read - source.position.bytes_read
    return Log(
        source.importer.name, location, request, reading.since, started, size, end, tuple(broken)
    )


def _commit(scratch: Scratch, read: _Read, facts: _Facts, options: WorkOptions) -> WorkResult:
    connection = scratch.connection
    scratch.tell(Progress("writing", f"{len(read.logs):,} logs", 0, 0, 0))
    with transaction(connection, dry_run=options.dry_run):
        committed = commit(connection, read.logs, facts.schema)
        after_load(connection, committed.first_load)
        return _result(connection, read, committed, facts, options)


def _nothing(read: _Read, options: WorkOptions) -> WorkResult:
    return WorkResult(
        logs_unchanged=read.unchanged,
        skipped=read.skipped,
        dry_run=options.dry_run,
        notes=tuple(read.notes),
    )


def _result(
    connection: duckdb.DuckDBPyConnection,
    read: _Read,
    committed: Committed,
    facts: _Facts,
    options: WorkOptions,
) -> WorkResult:
    tables = run(
        connection,
        "SELECT table_name, sum(rows_read)::BIGINT, sum(rows_added)::BIGINT, "
        "sum(rows_superseded)::BIGINT FROM work_counts GROUP BY ALL ORDER BY ALL",
    )
    (span,) = run(
        connection, "SELECT epoch_us(min(first_at)), epoch_us(max(last_at)) FROM work_counts"
    )
    ((cost, unpriced, models),) = run(
        connection,
        "SELECT sum(cost_usd), count(*) FILTER (unpriced), "
        "list_sort(list(DISTINCT coalesce(model, '(not named)')) FILTER (unpriced)) "
        "FROM (SELECT *, cost_usd IS NULL AND has_tokens(communication_log) AS unpriced "
        "FROM communication_log WHERE load_id >= ?)",
        [committed.first_load],
    )
    rejects = (*read.broken, *committed.refused)
    facts_of = " UNION ".join(
        f"SELECT {{0}} FROM {table} WHERE load_id >= {committed.first_load}"
        for table in TABLES.values()
    )
    unknown = [
        note
        for column in UNNAMED
        for note in unknown_names(connection, column, facts_of.format(column))
    ]
    return replace(
        _nothing(read, options),
        logs_read=len(read.logs),
        bytes_read=sum(log.bytes_read for log in read.logs),
        tables=tuple(TableResult(*row) for row in tables),
        first_at=iso(span[0], facts.timezone),
        last_at=iso(span[1], facts.timezone),
        model_cost_usd=cost,
        unpriced_messages=unpriced,
        unpriced_models=tuple(models or ()),
        rejects=rejects[:_SHOWN],
        rows_refused=len(rejects),
        notes=(*read.notes, *unknown),
    )
