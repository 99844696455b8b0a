"""What is known before a load begins: of the book, and of each source that was asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pnlbook.book import open_book, run, setting
from pnlbook.errors import UsageError
from pnlbook.load.mapping import FILE_NAME, Mapping, read_mapping
from pnlbook.load.tables import Schema, read_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pnlbook.book import Waiting
    from pnlbook.load.result import LoadOptions
    from pnlbook.load.sources import Source


@dataclass(frozen=True)
class BookFacts:
    """What a load needs to know of the book.

    loaded: (content hash, request) of what is in it already; zones: the time zones it knows.
    """

    schema: Schema
    timezone: str
    price_max_age: str
    loaded: frozenset[tuple[str, str]]
    zones: frozenset[str]


@dataclass(frozen=True)
class Request:
    """A source with everything that decides what its bytes mean; `text` says that as JSON."""

    source: Source
    mapping: Mapping
    timezone: str
    text: str
    content_hash: str
    size: int
    started_at: datetime


def read_facts(
    book: Path, options: LoadOptions, on_wait: Callable[[Waiting], None] | None
) -> BookFacts:
    """Read what a load needs to know of the book; raises the errors of opening a book."""
    with open_book(book, timeout=options.lock_timeout, on_wait=on_wait) as connection:
        loaded = run(
            connection,
            "SELECT content_sha256, json_extract(mapping, '$.request')::VARCHAR FROM loads "
            "ANTI JOIN undone_loads() USING (load_id) WHERE status = 'loaded'",
        )
        zones = run(connection, "SELECT name FROM pg_timezone_names()")
        return BookFacts(
            read_schema(connection),
            setting(connection, "timezone") or "UTC",
            setting(connection, "price_max_age") or "7 days",
            frozenset((digest, request) for digest, request in loaded),
            frozenset(name for (name,) in zones),
        )


def make_request(
    source: Source, options: LoadOptions, facts: BookFacts, content_hash: Callable[[Source], str]
) -> Request:
    """Find the mapping of a source and its content hash.

    Raises MappingError and UsageError for a wrong mapping.
    """
    mapping = _mapping(source, options)
    zone = options.timezone or mapping.timezone or facts.timezone
    if zone not in facts.zones:
        message = f"unknown time zone {zone!r}. Use an IANA name such as UTC or Europe/Berlin."
        raise UsageError(message)
    asked = {
        "table": options.table,
        "constants": dict(options.constants),
        "source": options.source,
        "timezone": zone,
        "mapping": mapping.model_dump(exclude_defaults=True),
    }
    return Request(
        source=source,
        mapping=mapping,
        timezone=zone,
        text=json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        content_hash=content_hash(source),
        size=source.path.stat().st_size,
        started_at=datetime.now(UTC),
    )


def _mapping(source: Source, options: LoadOptions) -> Mapping:
    beside = source.path.parent / FILE_NAME
    path = options.mapping or (beside if beside.is_file() else None)
    mapping = Mapping() if path is None else read_mapping(path, source.name)
    given = {"encoding": options.encoding, "delimiter": options.delimiter}
    return mapping.model_copy(update={key: value for key, value in given.items() if value})
