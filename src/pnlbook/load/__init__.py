"""Loading: stage → check → commit.

Sources are read, typed and checked in a scratch DuckDB; the book is opened for writing only for one
short transaction at the end. Either every source of a command is in, or none is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pnlbook.book import BookLocked, attached, quote, run
from pnlbook.load.commit import commit, record_refusal
from pnlbook.load.mapping import MappingError
from pnlbook.load.plan import DEFAULT_SOURCE, make_plan
from pnlbook.load.price import price
from pnlbook.load.record import Entry
from pnlbook.load.request import BookFacts, Request, make_request, read_facts
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
from pnlbook.load.scratch import Scratch, open_scratch, scratch_folder
from pnlbook.load.sources import find, format_by_name, hashing, prepare
from pnlbook.load.stage import Staged, stage
from pnlbook.load.tables import BY_NAME, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from pnlbook.book import Waiting
    from pnlbook.load.plan import Plan
    from pnlbook.load.tables import Rule

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
class _Loading:
    """One command under way."""

    book: Path
    options: LoadOptions
    facts: BookFacts
    scratch: Scratch
    on_wait: Callable[[Waiting], None] | None


def load(
    book: Path,
    sources: Sequence[str],
    options: LoadOptions,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[Waiting], None] | None = None,
) -> LoadResult:
    """Load files, folders, globs or `-` into the book and return what came of each file.

    Raises SourceError, FileRejected, DataRejected (the facts are as before), MappingError,
    UsageError and the errors of opening a book.
    """
    tell = on_progress or (lambda _progress: None)
    with scratch_folder() as folder:
        found, notes = find(sources, folder)
        with hashing(found) as content_hash:
            facts = read_facts(book, options, on_wait)
            requests = [make_request(source, options, facts, content_hash) for source in found]
        fresh = [r for r in requests if (r.content_hash, r.text) not in facts.loaded]
        results = [_skipped(request) for request in requests if request not in fresh]
        if fresh:
            with open_scratch(folder, options.memory_limit, tell) as scratch:
                loading = _Loading(book, options, facts, scratch, on_wait)
                results = _load(loading, fresh) + results
    return LoadResult(tuple(results), options.dry_run, tuple(notes))


def _load(loading: _Loading, requests: list[Request]) -> list[FileResult]:
    """Stage every source, then commit them all."""
    _place_stage(loading.scratch, sum(request.size for request in requests))
    entries = [_entry(loading, request, f"s{n}") for n, request in enumerate(requests)]
    entries.sort(key=lambda entry: _ORDER.get(entry.table, 0))
    return _finish(loading, entries)


def _place_stage(scratch: Scratch, size: int) -> None:
    """Attach the database `stage`: in memory, or on disk when the sources are large."""
    where = ":memory:" if size <= _IN_MEMORY else str(scratch.folder / "stage.duckdb")
    run(scratch.connection, f"ATTACH {quote(where)} AS stage")
    run(scratch.connection, "USE stage")


def _entry(loading: _Loading, request: Request, name: str) -> Entry:
    """Stage a source; one that cannot be taken apart is an entry of one reject, where allowed."""
    options, schema = loading.options, loading.facts.schema

    def understand(names: tuple[str, ...]) -> tuple[Plan, tuple[Rule, ...]]:
        plan = make_plan(request, names, options, schema)
        return plan, schema.rules[plan.table.name]

    try:
        prepared = prepare(request.source, loading.scratch.folder, request.mapping.encoding)
        staged = stage(loading.scratch, prepared, request.mapping, name, understand)
    except FileRejected as error:
        if options.max_rejects is not None:
            raise
        reject = Reject(request.source.location, None, None, None, error.problem, "")
        return _as_entry(request, options.table or "unknown", None, (reject,))
    return _as_entry(request, staged.plan.table.name, staged, tuple(staged.rejects))


def _as_entry(
    request: Request, table: str, staged: Staged | None, rejects: tuple[Reject, ...]
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


def _finish(loading: _Loading, entries: list[Entry]) -> list[FileResult]:
    options, scratch = loading.options, loading.scratch
    refused = sum(len(entry.rejects) for entry in entries)
    if options.max_rejects is not None and refused > options.max_rejects:
        raise _refusal(loading, [entry for entry in entries if entry.rejects])
    with _attached(loading):
        price(scratch.connection, entries, loading.facts.price_max_age)
        return commit(
            scratch.connection, entries, dry_run=options.dry_run, on_progress=scratch.tell
        )


def _attached(loading: _Loading) -> AbstractContextManager[None]:
    return attached(
        loading.scratch.connection,
        loading.book,
        "book",
        timeout=loading.options.lock_timeout,
        on_wait=loading.on_wait,
    )


def _refusal(loading: _Loading, refused: list[Entry]) -> DataRejected:
    """Record what was refused and return the error that says so."""
    notes: tuple[str, ...] = ()
    numbers: list[int] | list[None] = [None] * len(refused)
    if not loading.options.dry_run:
        try:
            with _attached(loading):
                numbers = record_refusal(loading.scratch.connection, refused)
        except BookLocked as error:
            notes = (f"what was refused could not be recorded: {error}",)
    results = tuple(
        _refused_result(number, entry) for number, entry in zip(numbers, refused, strict=True)
    )
    result = LoadResult(results, loading.options.dry_run, notes)
    return DataRejected(result, loading.options.max_rejects or 0)


def _refused_result(number: int | None, entry: Entry) -> FileResult:
    plan = entry.staged.plan if entry.staged else None
    return FileResult(
        number,
        entry.location,
        entry.format,
        entry.table,
        plan.recognised_by if plan else "",
        rows_read=entry.staged.rows_read if entry.staged else len(entry.rejects),
        rows_refused=len(entry.rejects),
        rejects=entry.rejects[:SHOWN_REJECTS],
        notes=plan.notes if plan else (),
    )


def _skipped(request: Request) -> FileResult:
    location = request.source.location
    kind = format_by_name(Path(location)) or "csv"
    return FileResult(None, location, kind, "", "its content was loaded before", skipped=True)
