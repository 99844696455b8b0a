"""What logs of work tell: a record is a row of a table; instants are microseconds since 1970, UTC.

A record may be met in parts and in copies: in several lines, in files that repeat one another, in a
file that grew. Parts of one key are put together column by column, so that neither their order nor
where a file was cut matters: the least or the largest value met, as `Merge` says. What is None was
not told and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal


class Merge(Enum):
    """Which of several values of a column stands."""

    MIN = "min"
    MAX = "max"
    NEW = "new"  # the one of the latest load: what depends on how a log was asked for


def _column(kind: pa.DataType, merge: Merge = Merge.MIN) -> Any:  # noqa: ANN401 - dataclasses.field
    return field(default=None, metadata={"type": kind, "merge": merge})


def _text(merge: Merge = Merge.MIN) -> Any:  # noqa: ANN401 - dataclasses.field
    return _column(pa.string(), merge)


def _count() -> Any:  # noqa: ANN401 - dataclasses.field
    return _column(pa.int64(), Merge.MAX)


def _flag(merge: Merge = Merge.MAX) -> Any:  # noqa: ANN401 - dataclasses.field
    return _column(pa.bool_(), merge)


def _texts(merge: Merge) -> Any:  # noqa: ANN401 - dataclasses.field
    return _column(pa.list_(pa.string()), merge)


def _decimal(precision: int, scale: int) -> Any:  # noqa: ANN401 - dataclasses.field
    return _column(pa.decimal128(precision, scale), Merge.MAX)


def _instant(merge: Merge = Merge.MIN) -> Any:  # noqa: ANN401 - dataclasses.field
    return _column(pa.timestamp("us", "UTC"), merge)


@dataclass(slots=True, kw_only=True)
class Record:
    """One row of a table, as far as one place of a log tells it.

    key: its key within the kind of log; line: where it stands, the first line of the earliest part.
    """

    key: str
    line: int
    node_id: str | None = _text(Merge.NEW)
    project_id: str | None = _text(Merge.NEW)


@dataclass(slots=True, kw_only=True)
class Session(Record):
    """A session; its key is its id. status: completed, failed or in_progress."""

    session_type: str | None = _text()
    status: str | None = _text()
    description: str | None = _text(Merge.NEW)
    initial_prompt: str | None = _text(Merge.NEW)
    final_deliverable: str | None = _text(Merge.NEW)
    environment: str | None = _text()
    agent: str | None = _text()
    agent_version: str | None = _text(Merge.MAX)
    cwd: str | None = _text()
    branch: str | None = _text()
    started_at: int | None = _instant()
    completed_at: int | None = _instant(Merge.MAX)
    total_duration_seconds: Decimal | None = _decimal(18, 6)


@dataclass(slots=True, kw_only=True)
class Task(Record):
    """A task within a session; its key is its id."""

    session_id: str | None = _text()
    task_type: str | None = _text()
    task_name: str | None = _text(Merge.NEW)
    status: str | None = _text()
    success: bool | None = _flag()
    tools_used: list[str] | None = _texts(Merge.MAX)
    output_summary: str | None = _text(Merge.NEW)
    error_message: str | None = _text(Merge.NEW)
    started_at: int | None = _instant()
    completed_at: int | None = _instant(Merge.MAX)


@dataclass(slots=True, kw_only=True)
class Message(Record):
    """A message of a person or a model; its key is its id.

    Token counts are disjoint: uncached input, cache read, cache writes; output holds reasoning.
    sent_at, completed_at: its first and its last part. cost_usd: only where the source tells it.
    """

    session_id: str | None = _text()
    task_id: str | None = _text()
    agent_id: str | None = _text()
    parent_message_id: str | None = _text()
    role: str | None = _text()
    model: str | None = _text()
    content: str | None = _text(Merge.NEW)
    content_chars: int | None = _count()
    input_tokens: int | None = _count()
    cache_read_tokens: int | None = _count()
    cache_write_5m_tokens: int | None = _count()
    cache_write_1h_tokens: int | None = _count()
    output_tokens: int | None = _count()
    usage_final: bool | None = _flag()
    request_id: str | None = _text()
    stop_reason: str | None = _text()
    sent_at: int | None = _instant()
    completed_at: int | None = _instant(Merge.MAX)
    cost_usd: Decimal | None = _decimal(24, 12)
    cost_basis: str | None = _text()


@dataclass(slots=True, kw_only=True)
class Tool(Record):
    """An invocation of a tool; its key is the id of the call.

    success_count: None while no result was met. total_duration_ms: from the call to its result.
    """

    session_id: str | None = _text()
    task_id: str | None = _text()
    agent_id: str | None = _text()
    tool_name: str | None = _text()
    tool_category: str | None = _text()
    subject: str | None = _text(Merge.NEW)
    invocation_count: int | None = _count()
    success_count: int | None = _count()
    total_duration_ms: Decimal | None = _decimal(18, 3)
    error_class: str | None = _text()
    waits_for_person: bool | None = _flag()
    used_at: int | None = _instant()


@dataclass(slots=True, kw_only=True)
class Change(Record):
    """A change of a file; its key is that of the edit, or the commit and the path."""

    session_id: str | None = _text()
    task_id: str | None = _text()
    agent_id: str | None = _text()
    file_path: str | None = _text()
    change_type: str | None = _text()
    old_path: str | None = _text()
    lines_added: int | None = _count()
    lines_deleted: int | None = _count()
    lines_modified: int | None = _count()
    size_before_bytes: int | None = _count()
    size_after_bytes: int | None = _count()
    diff: str | None = _text(Merge.NEW)
    origin: str | None = _text()
    file_class: str | None = _text(Merge.NEW)
    commit_id: str | None = _text()
    author: str | None = _text(Merge.NEW)
    co_authors: list[str] | None = _texts(Merge.NEW)
    changed_at: int | None = _instant()


@dataclass(slots=True, kw_only=True)
class Error(Record):
    """An error; its key is that of the call, the message or the event that failed."""

    session_id: str | None = _text()
    task_id: str | None = _text()
    agent_id: str | None = _text()
    error_type: str | None = _text()
    error_class: str | None = _text()
    error_message: str | None = _text(Merge.NEW)
    error_stack_trace: str | None = _text(Merge.NEW)
    tool_name: str | None = _text()
    subject: str | None = _text(Merge.NEW)
    occurred_at: int | None = _instant()


TABLES: Mapping[type[Record], str] = {
    Session: "work_sessions",
    Task: "work_tasks",
    Message: "communication_log",
    Tool: "tool_usage",
    Change: "file_changes",
    Error: "error_log",
}


def columns(kind: type[Record]) -> dict[str, tuple[pa.DataType, Merge]]:
    """Return the columns of a kind of record, beside its key and line, with type and merge."""
    return {
        one.name: (one.metadata["type"], one.metadata["merge"])
        for one in fields(kind)
        if one.metadata
    }
