"""What logs of work tell: a record is a row of a table; instants are microseconds since 1970, UTC.

A record may be met in parts and in copies: in several lines, in files that repeat one another, in a
file that grew. Parts of one key are put together column by column, so that neither their order nor
where a file was cut matters: the least or the largest value met, as `Merge` says. What is None was
not told and changes nothing, but for the agent: None is the session's main agent.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the columns are read from the annotations
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias, get_type_hints

import pyarrow as pa


class Merge(Enum):
    """Which of several values of a column stands."""

    MIN = "min"
    MAX = "max"
    NEW = "new"  # the one of the latest load: what depends on how a log was asked for
    ALL = "all"  # the least, but None where a part has none


@dataclass(frozen=True)
class Column:
    """A column of the record's table: its type, and how parts are put together."""

    type: pa.DataType
    merge: Merge


_TEXTS = pa.list_(pa.string())
_INSTANT = pa.timestamp("us", "UTC")

Text: TypeAlias = Annotated[str | None, Column(pa.string(), Merge.MIN)]
# A subagent's log may repeat what the session itself did before: that stays the session's.
Agent: TypeAlias = Annotated[str | None, Column(pa.string(), Merge.ALL)]
LastText: TypeAlias = Annotated[str | None, Column(pa.string(), Merge.MAX)]
NewText: TypeAlias = Annotated[str | None, Column(pa.string(), Merge.NEW)]
Texts: TypeAlias = Annotated[list[str] | None, Column(_TEXTS, Merge.MAX)]
NewTexts: TypeAlias = Annotated[list[str] | None, Column(_TEXTS, Merge.NEW)]
Count: TypeAlias = Annotated[int | None, Column(pa.int64(), Merge.MAX)]
Flag: TypeAlias = Annotated[bool | None, Column(pa.bool_(), Merge.MAX)]
First: TypeAlias = Annotated[int | None, Column(_INSTANT, Merge.MIN)]
Last: TypeAlias = Annotated[int | None, Column(_INSTANT, Merge.MAX)]
Seconds: TypeAlias = Annotated[Decimal | None, Column(pa.decimal128(18, 6), Merge.MAX)]
Milliseconds: TypeAlias = Annotated[Decimal | None, Column(pa.decimal128(18, 3), Merge.MAX)]
Usd: TypeAlias = Annotated[Decimal | None, Column(pa.decimal128(24, 12), Merge.MAX)]


@dataclass(slots=True, kw_only=True)
class Record:
    """One row of a table, as far as one place of a log tells it.

    key: its key within the kind of log; line: where it stands, the first line of the earliest part.
    """

    key: str
    line: int
    node_id: NewText = None
    project_id: NewText = None


@dataclass(slots=True, kw_only=True)
class Session(Record):
    """A session; its key is its id. status: completed, failed or in_progress."""

    session_type: Text = None
    status: Text = None
    description: NewText = None
    initial_prompt: NewText = None
    final_deliverable: NewText = None
    environment: Text = None
    agent: Text = None
    agent_version: LastText = None
    cwd: Text = None
    branch: Text = None
    started_at: First = None
    completed_at: Last = None
    total_duration_seconds: Seconds = None


@dataclass(slots=True, kw_only=True)
class Task(Record):
    """A task within a session; its key is its id."""

    session_id: Text = None
    task_type: Text = None
    task_name: NewText = None
    status: Text = None
    success: Flag = None
    tools_used: Texts = None
    output_summary: NewText = None
    error_message: NewText = None
    started_at: First = None
    completed_at: Last = None


@dataclass(slots=True, kw_only=True)
class Deed(Record):
    """What was done within a session, by its main agent (agent_id is None) or a subagent."""

    session_id: Text = None
    task_id: Text = None
    agent_id: Agent = None


@dataclass(slots=True, kw_only=True)
class Message(Deed):
    """A message of a person or a model; its key is its id.

    Token counts are disjoint: uncached input, cache read, cache writes; output holds reasoning.
    sent_at, completed_at: its first and its last part. cost_usd: only where the source tells it.
    """

    parent_message_id: Text = None
    role: Text = None
    model: Text = None
    content: LastText = None
    content_chars: Count = None
    input_tokens: Count = None
    cache_read_tokens: Count = None
    cache_write_5m_tokens: Count = None
    cache_write_1h_tokens: Count = None
    output_tokens: Count = None
    usage_final: Flag = None
    request_id: Text = None
    stop_reason: Text = None
    sent_at: First = None
    completed_at: Last = None
    cost_usd: Usd = None
    cost_basis: Text = None


@dataclass(slots=True, kw_only=True)
class Tool(Deed):
    """An invocation of a tool; its key is the id of the call.

    success_count: None while no result was met. total_duration_ms: from the call to its result.
    """

    tool_name: Text = None
    tool_category: Text = None
    subject: NewText = None
    invocation_count: Count = None
    success_count: Count = None
    total_duration_ms: Milliseconds = None
    error_class: Text = None
    waits_for_person: Flag = None
    used_at: First = None


@dataclass(slots=True, kw_only=True)
class Change(Deed):
    """A change of a file; its key is that of the edit, or the commit and the path."""

    file_path: Text = None
    change_type: Text = None
    old_path: Text = None
    lines_added: Count = None
    lines_deleted: Count = None
    lines_modified: Count = None
    size_before_bytes: Count = None
    size_after_bytes: Count = None
    diff: NewText = None
    origin: Text = None
    file_class: NewText = None
    commit_id: Text = None
    author: NewText = None
    co_authors: NewTexts = None
    changed_at: First = None


@dataclass(slots=True, kw_only=True)
class Error(Deed):
    """An error; its key is that of the call, the message or the event that failed."""

    error_type: Text = None
    error_class: Text = None
    error_message: NewText = None
    error_stack_trace: NewText = None
    tool_name: Text = None
    subject: NewText = None
    occurred_at: First = None


TABLES: Mapping[type[Record], str] = {
    Session: "work_sessions",
    Task: "work_tasks",
    Message: "communication_log",
    Tool: "tool_usage",
    Change: "file_changes",
    Error: "error_log",
}


def _columns(kind: type[Record]) -> dict[str, Column]:
    hints = get_type_hints(kind, include_extras=True)
    found = {name: getattr(hint, "__metadata__", ()) for name, hint in hints.items()}
    return {name: extras[0] for name, extras in found.items() if extras}


_COLUMNS = {kind: _columns(kind) for kind in TABLES}


def columns(kind: type[Record]) -> Mapping[str, Column]:
    """Return the columns of a kind of record, beside its key and line."""
    return _COLUMNS[kind]
