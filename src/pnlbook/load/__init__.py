"""Loading: stage → check → commit.

Sources are read, typed and checked in a scratch DuckDB; the book is opened for writing only for one
short transaction at the end. Either every source of a command is in, or none is.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pnlbook.book import BookLocked, attach, open_book, quote, run, setting
from pnlbook.errors import UsageError
from pnlbook.load.commit import Entry, commit, price, record_refusal
from pnlbook.load.mapping import FILE_NAME, Mapping, MappingError, read_mapping
from pnlbook.load.plan import DEFAULT_SOURCE, make_plan
from pnlbook.load.result import (
    SHOWN_REJECTS,
    DataRejected,
    FileRejected,
    FileResult,
    LoadOptions,
    LoadResult,
    Progress,
    Reject,
    SourceError,
)
from pnlbook.load.sources import (
    Source,
    check_readable,
    content_hash,
    find,
    format_by_name,
    prepare,
)
from pnlbook.load.stage import Staged, stage
from pnlbook.load.tables import BY_NAME, TABLES, Schema, read_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pnlbook.book import Waiting

__all__ = [
    "BY_NAME",
    "DataRejected",
    "FileRejected",
    "FileResult",
    "LoadOptions",
    "LoadResult",
    "MappingError",
    "Progress",
    "Reject",
    "SourceError",
    "load",
]

_IN_MEMORY = 700_000_000
_ORDER = {table.name: number for number, table in enumerate(TABLES)}


@dataclass(frozen=True)
class _BookFacts:
    """What a load needs to know of the book before it begins."""

    schema: Schema
    timezone: str
    price_max_age: str
    loaded: frozenset[tuple[str, str]]
    zones: frozenset[str]


@dataclass(frozen=True)
class _Request:
    """A source with its mapping and everything that decides what its bytes mean."""

    source: Source
    mapping: Mapping
    text: str
    content_hash: str
    size: int
    started_at: datetime


def load(
    book: Path,
    sources: Sequence[str],
    options: LoadOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[Waiting], None] | None = None,
) -> LoadResult:
    """Load files, folders, globs or `-` into the book and return what came of each file.

    Raises SourceError, FileRejected, DataRejected (the facts are as before), MappingError, UsageError
    and the errors of opening a book.
    """
    tell = on_progress or (lambda _progress: None)
    facts = _facts(book, options, on_wait)
    with _scratch(options) as (scratch, folder):
        found, notes = find(sources, folder)
        requests = [_request(source, options, facts) for source in found]
        fresh = [r for r in requests if (r.content_hash, r.text) not in facts.loaded]
        _place_stage(scratch, folder, sum(request.size for request in fresh))
        entries = [
            _entry(scratch, folder, request, f"s{number}", options, facts, tell)
            for number, request in enumerate(fresh)
        ]
        entries.sort(key=lambda entry: _ORDER.get(entry.table, 0))
        results = _finish(scratch, book, entries, options, facts, tell, on_wait)
    skipped = [_skipped(request) for request in requests if request not in fresh]
    return LoadResult(tuple(results + skipped), options.dry_run, tuple(notes))


def _facts(
    book: Path, options: LoadOptions, on_wait: Callable[[Waiting], None] | None
) -> _BookFacts:
    with open_book(book, timeout=options.lock_timeout, on_wait=on_wait) as connection:
        loaded = run(
            connection,
            "SELECT content_sha256, json_extract(mapping, '$.request')::VARCHAR FROM loads "
            "WHERE status = 'loaded'",
        )
        zones = run(connection, "SELECT name FROM pg_timezone_names()")
        return _BookFacts(
            read_schema(connection),
            setting(connection, "timezone") or "UTC",
            setting(connection, "price_max_age") or "7 days",
            frozenset((digest, request) for digest, request in loaded),
            frozenset(name for (name,) in zones),
        )


@contextmanager
def _scratch(options: LoadOptions) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Yield a scratch database and a folder that nobody else can read; both go at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pnlbook-"))
    connection = duckdb.connect(
        config={
            "memory_limit": options.memory_limit,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": "false",
        }
    )
    try:
        run(connection, "SET TimeZone = 'UTC'")
        yield connection, folder
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        if "No space left" not in str(error) and "directory size" not in str(error):
            raise
        where = "the disk of the book or of the scratch folder"
        problem = f"there is no room left on {where} ({folder.parent}; move it with TMPDIR)."
        raise SourceError(str(folder), problem) from error
    finally:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)


def _place_stage(connection: duckdb.DuckDBPyConnection, folder: Path, size: int) -> None:
    """Attach the database `stage`: in memory, or on disk when the sources are large."""
    where = ":memory:" if size <= _IN_MEMORY else str(folder / "stage.duckdb")
    run(connection, f"ATTACH {quote(where)} AS stage")
    run(connection, "USE stage")


def _request(source: Source, options: LoadOptions, facts: _BookFacts) -> _Request:
    check_readable(source)
    mapping = _mapping(source, options)
    zone = options.timezone or mapping.timezone or facts.timezone
    if zone not in facts.zones:
        message = f"unknown time zone {zone!r}. Use an IANA name such as UTC or Europe/Berlin."
        raise UsageError(message)
    text = json.dumps(
        {
            "table": options.table,
            "constants": dict(options.constants),
            "source": options.source,
            "timezone": zone,
            "mapping": mapping.model_dump(exclude_defaults=True),
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return _Request(
        source,
        mapping,
        text,
        content_hash(source.path),
        source.path.stat().st_size,
        datetime.now(UTC),
    )


def _mapping(source: Source, options: LoadOptions) -> Mapping:
    beside = source.path.parent / FILE_NAME
    path = options.mapping or (beside if beside.is_file() else None)
    mapping = Mapping() if path is None else read_mapping(path, source.name)
    given = {"encoding": options.encoding, "delimiter": options.delimiter}
    return mapping.model_copy(update={key: value for key, value in given.items() if value})


def _entry(
    scratch: duckdb.DuckDBPyConnection,
    folder: Path,
    request: _Request,
    name: str,
    options: LoadOptions,
    facts: _BookFacts,
    tell: Callable[[Progress], None],
) -> Entry:
    """Stage a source; one that cannot be taken apart is an entry of one reject, where allowed."""
    source = request.source
    try:
        prepared = prepare(source, folder, request.mapping.encoding)
        staged = stage(
            scratch,
            prepared,
            request.mapping,
            name,
            lambda names: make_plan(
                source, names, request.mapping, options, facts.schema, facts.timezone
            ),
            lambda table: facts.schema.rules[table],
            tell,
            folder,
        )
    except FileRejected as error:
        if options.max_rejects is not None:
            raise
        reject = Reject(source.location, None, None, None, error.problem, "")
        return _as_entry(request, options.table or "unknown", None, (reject,))
    return _as_entry(request, staged.plan.table.name, staged, tuple(staged.rejects))


def _as_entry(
    request: _Request, table: str, staged: Staged | None, rejects: tuple[Reject, ...]
) -> Entry:
    location = request.source.location
    return Entry(
        location=location,
        format=staged.prepared.format if staged else format_by_name(Path(location)) or "csv",
        table=table,
        source=staged.plan.source if staged else DEFAULT_SOURCE,
        request=request.text,
        content_hash=request.content_hash,
        size=request.size,
        started_at=request.started_at,
        staged=staged,
        rejects=rejects,
    )


def _finish(
    scratch: duckdb.DuckDBPyConnection,
    book: Path,
    entries: list[Entry],
    options: LoadOptions,
    facts: _BookFacts,
    tell: Callable[[Progress], None],
    on_wait: Callable[[Waiting], None] | None,
) -> list[FileResult]:
    if not entries:
        return []
    refused = sum(len(entry.rejects) for entry in entries)
    if options.max_rejects is not None and refused > options.max_rejects:
        raise _refusal(scratch, book, entries, options, on_wait)
    attach(scratch, book, "book", timeout=options.lock_timeout, on_wait=on_wait)
    price(scratch, entries, facts.price_max_age)
    return commit(scratch, entries, dry_run=options.dry_run, on_progress=tell)


def _refusal(
    scratch: duckdb.DuckDBPyConnection,
    book: Path,
    entries: list[Entry],
    options: LoadOptions,
    on_wait: Callable[[Waiting], None] | None,
) -> DataRejected:
    """Record what was refused and return the error that says so."""
    notes: tuple[str, ...] = ()
    refused = [entry for entry in entries if entry.rejects]
    numbers: list[int] | list[None] = [None] * len(refused)
    if not options.dry_run:
        try:
            attach(scratch, book, "book", timeout=options.lock_timeout, on_wait=on_wait)
            numbers = record_refusal(scratch, refused)
        except BookLocked as error:
            notes = (f"what was refused could not be recorded: {error}",)
    results = tuple(
        FileResult(
            number,
            entry.location,
            entry.format,
            entry.table,
            entry.staged.plan.recognised_by if entry.staged else "",
            rows_read=entry.staged.rows_read if entry.staged else len(entry.rejects),
            rows_refused=len(entry.rejects),
            rejects=entry.rejects[:SHOWN_REJECTS],
            notes=entry.staged.plan.notes if entry.staged else (),
        )
        for number, entry in zip(numbers, refused, strict=True)
    )
    result = LoadResult(results, options.dry_run, notes)
    return DataRejected(result, options.max_rejects or 0)


def _skipped(request: _Request) -> FileResult:
    location = request.source.location
    kind = format_by_name(Path(location)) or "csv"
    return FileResult(None, location, kind, "", "its content was loaded before", skipped=True)
