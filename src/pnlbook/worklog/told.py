"""What a program may tell the live logger: the fields of each kind of entry.

Instants are taken by the logger. session_id, task_id, node_id, project_id: by default those of the
session and task that the call is made in. agent_id: the subagent that did it; None: the main one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from decimal import Decimal
    from os import PathLike

Status = Literal["completed", "failed", "in_progress"]
ChangeType = Literal["created", "modified", "deleted", "renamed"]
Role = Literal["user", "assistant", "system"]
ErrorClass = Literal["tool", "exit_code", "hook_block", "user_reject", "timeout", "api"]


class SessionFields(TypedDict, total=False):
    """A session as it begins; agent: the program, agent_version: which one."""

    session_id: str
    node_id: str | None
    project_id: str | None
    session_type: str | None
    description: str | None
    initial_prompt: str | None
    environment: str | None
    agent: str | None
    agent_version: str | None
    cwd: str | PathLike[str] | None
    branch: str | None


class SessionOutcome(TypedDict, total=False):
    """How a session ended."""

    status: Status
    final_deliverable: str | None


class TaskFields(TypedDict, total=False):
    """A task as it begins, beside its name."""

    task_id: str
    session_id: str | None
    node_id: str | None
    project_id: str | None
    task_type: str | None
    tools_used: Sequence[str] | None


class NamedTaskFields(TaskFields, total=False):
    """A task as it begins."""

    task_name: str | None


class TaskOutcome(TypedDict, total=False):
    """How a task ended; success: by default whether it was completed."""

    status: Status
    success: bool | None
    output_summary: str | None
    error_message: str | None
    tools_used: Sequence[str] | None


class _Place(TypedDict, total=False):
    session_id: str | None
    task_id: str | None
    node_id: str | None
    project_id: str | None
    agent_id: str | None


class ChangeFields(_Place, total=False):
    """A change of a file, beside its path; lines are None where they are not known (binary)."""

    change_type: ChangeType
    old_path: str | PathLike[str] | None
    lines_added: int | None
    lines_deleted: int | None
    lines_modified: int | None
    size_before_bytes: int | None
    size_after_bytes: int | None
    diff: str | None
    file_class: Literal["source", "generated", "vendored", "lock", "binary"] | None


class NamedChangeFields(ChangeFields, total=False):
    """A change of a file."""

    file_path: str | PathLike[str]


class ToolFields(_Place, total=False):
    """Invocations of a tool, beside its name; success_count: None where it is not known.

    subject: the file or command it was invoked on; waits_for_person: whether its duration is a
    person's time to answer.
    """

    tool_category: str | None
    subject: str | PathLike[str] | None
    invocation_count: int
    success_count: int | None
    total_duration_ms: float | Decimal | None
    error_class: ErrorClass | None
    waits_for_person: bool | None


class NamedToolFields(ToolFields, total=False):
    """Invocations of a tool."""

    tool_name: str


class MessageFields(_Place, total=False):
    """A message, beside its role and text; the four counts of input tokens are disjoint.

    usage_final: False where the counts are lower bounds. cost_usd: what was charged, if known.
    """

    message_id: str
    parent_message_id: str | None
    model: str | None
    content_chars: int | None
    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_5m_tokens: int | None
    cache_write_1h_tokens: int | None
    output_tokens: int | None
    usage_final: bool | None
    request_id: str | None
    stop_reason: str | None
    cost_usd: Decimal | str | None
    cost_basis: Literal["actual", "list", "estimate"] | None


class FullMessageFields(MessageFields, total=False):
    """A message."""

    role: Role
    content: str | None


class ErrorFields(_Place, total=False):
    """An error, beside its type and message."""

    error_class: ErrorClass | None
    error_stack_trace: str | None
    tool_name: str | None
    subject: str | PathLike[str] | None


class FullErrorFields(ErrorFields, total=False):
    """An error."""

    error_type: str
    error_message: str | None


_FIELDS: Mapping[str, tuple[type, ...]] = {
    "session": (SessionFields, SessionOutcome),
    "task": (NamedTaskFields, TaskOutcome),
    "change": (NamedChangeFields,),
    "tool": (NamedToolFields,),
    "message": (FullMessageFields,),
    "error": (FullErrorFields,),
}
_OF_LOGGER = ("session_id", "task_id", "agent", "cwd", "branch", "total_duration_seconds")
_INSTANTS = ("started_at", "completed_at", "changed_at", "used_at", "sent_at", "occurred_at")
FIELDS: Mapping[str, frozenset[str]] = {
    kind: frozenset({*_OF_LOGGER, *_INSTANTS, *(n for one in kinds for n in one.__annotations__)})
    for kind, kinds in _FIELDS.items()
}
CHOICES: Mapping[str, Collection[str]] = {
    "status": ("in_progress", "completed", "failed"),
    "change_type": ("created", "modified", "deleted", "renamed"),
    "role": ("user", "assistant", "system"),
    "cost_basis": ("actual", "list", "estimate"),
}
