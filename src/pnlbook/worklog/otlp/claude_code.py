"""Telemetry of Claude Code: what its events tell of requests, tools, prompts and errors.

A transcript tells the same, so what it may know too has a key that says so: `request:` and the id
of the request, the id of the tool's call, and `event:` where an event has no id of its own. The
macro counted_rows leaves out what a transcript has as well. A session has the id that its
transcript has.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from pnlbook.worklog import failures
from pnlbook.worklog.failures import Failure
from pnlbook.worklog.records import Error, Message, Tool
from pnlbook.worklog.redaction import redact
from pnlbook.worklog.subjects import subject
from pnlbook.worklog.toolbox import category

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pnlbook.worklog.otlp.records import Work
    from pnlbook.worklog.otlp.wire import Span

_PREFIX = "claude_code."
_SERVICE = "claude-code"
_HIDDEN = frozenset({"<REDACTED>", "[REDACTED]"})
_ANSWERS = frozenset({"api_request", "llm_request"})
_TIMEOUTS = ("timed out", "timeout")


def is_ours(span: Span) -> bool:
    """Whether Claude Code told it."""
    return span.name.startswith(_PREFIX) or span.resource.text("service.name") == _SERVICE


def add_event(event: Span, line: int, work: Work) -> None:
    """Add the records of a log record."""
    _add(event, line, work, _EVENTS, "event")


def add_span(span: Span, line: int, work: Work) -> None:
    """Add the records of a span."""
    _add(span, line, work, _SPANS, "span")


def _add(
    event: Span,
    line: int,
    work: Work,
    kinds: Mapping[str, Callable[[_Event, int], None]],
    what: str,
) -> None:
    name = event.name.removeprefix(_PREFIX)
    kind = kinds.get(name)
    if kind is None:
        work.skip(f"{what} {_PREFIX}{name}")
    elif event.started_at is None:
        work.skip(f"{what} without a time")
    else:
        kind(_Event(event, line, work), event.started_at)


class _Event:
    """Makes the records of one event or span, which happened or began at an instant."""

    def __init__(self, event: Span, line: int, work: Work) -> None:
        self._event = event
        self._attributes = event.attributes
        self._work = work
        self._session = event.attributes.text("session.id")
        node_id, project_id = work.owner(event.resource)
        self._common: dict[str, Any] = {
            "line": line,
            "node_id": node_id,
            "project_id": project_id,
            "session_id": self._session,
            "agent_id": event.attributes.text("agent_id"),
        }
        if self._session is not None:
            answered = event.name.removeprefix(_PREFIX) in _ANSWERS
            status = "completed" if answered else None
            work.shared_session(self._session, event, line, status=status)

    def request(self, at: int) -> None:
        """Take a request to a model that was answered; its event comes when it ended."""
        started_at = at - self._microseconds()
        self._call(started_at, at)

    def call(self, at: int) -> None:
        """Take the span of a request."""
        self._call(at, self._event.ended_at or at)

    def tool(self, at: int) -> None:
        """Take the span of a tool; its length holds the time that a person took to allow it."""
        key = self._attributes.text("tool_use_id", "gen_ai.tool.call.id")
        if key is None:
            self._work.skip("span of a tool without an id")
            return
        self._work.add(at, self._tool(key, at))

    def result(self, at: int) -> None:
        """Take the result of a tool."""
        key = self._attributes.text("tool_use_id") or self._digest()
        tool = self._tool(key, at - self._microseconds())
        failed = self._attributes.flag("success") is False
        duration = self._attributes.count("duration_ms")
        tool.total_duration_ms = None if duration is None else Decimal(duration)
        tool.success_count = 0 if failed else 1
        said = self._attributes.text("error", "error_message") or ""
        late = any(word in said.lower() for word in _TIMEOUTS)
        error_class = failures.TIMEOUT if late else failures.TOOL
        tool.error_class = error_class if failed else None
        self._work.add(at, tool)
        if failed:
            named = self._attributes.text("error_type")
            self._error(Failure(key, error_class, said, named), at, tool)

    def failure(self, at: int) -> None:
        """Take a request to a model that failed."""
        said = self._attributes.text("error", "error_message") or ""
        status = self._attributes.text("status_code") or self._attributes.count("status_code")
        named = f"api_error {status}" if status else None
        self._error(Failure(self._digest(), failures.API, said, named), at)

    def prompt(self, at: int) -> None:
        """Take what a person asked."""
        named = self._attributes.text("prompt.id")
        text = self._attributes.text("prompt")
        kept = text is not None and text not in _HIDDEN and self._work.reading.with_content
        self._work.add(
            at,
            Message(
                key=f"prompt:{named}" if named else self._digest(),
                role="user",
                content=redact(text) if kept and text else None,
                content_chars=self._attributes.count("prompt_length"),
                sent_at=at,
                completed_at=at,
                **self._common,
            ),
        )

    def _call(self, started_at: int, at: int) -> None:
        attributes = self._attributes
        request = attributes.text("request_id", "gen_ai.response.id")
        output = attributes.count("output_tokens")
        cost = attributes.usd("cost_usd")
        self._work.add(
            at,
            Message(
                key=f"request:{request}" if request else self._digest(),
                role="assistant",
                model=attributes.text("model", "gen_ai.request.model"),
                input_tokens=attributes.count("input_tokens"),
                cache_read_tokens=attributes.count("cache_read_tokens"),
                cache_write_5m_tokens=attributes.count("cache_creation_tokens"),
                output_tokens=output,
                usage_final=None if output is None else True,
                request_id=request,
                stop_reason=attributes.text("stop_reason"),
                sent_at=started_at,
                completed_at=at,
                cost_usd=cost,
                cost_basis=None if cost is None else "estimate",
                **self._common,
            ),
        )

    def _tool(self, key: str, used_at: int) -> Tool:
        name = self._attributes.text("tool_name") or "unknown"
        return Tool(
            key=key,
            tool_name=name,
            tool_category=category(name),
            subject=self._subject(),
            invocation_count=1,
            used_at=used_at,
            **self._common,
        )

    def _error(self, failure: Failure, at: int, tool: Tool | None = None) -> None:
        self._work.add(
            at,
            Error(
                key=failure.key,
                error_type=failure.type,
                error_class=failure.kind,
                error_message=failure.message,
                tool_name=None if tool is None else tool.tool_name,
                subject=None if tool is None else tool.subject,
                occurred_at=at,
                **self._common,
            ),
        )

    def _microseconds(self) -> int:
        return 1000 * (self._attributes.count("duration_ms") or 0)

    def _subject(self) -> str | None:
        """Return the command or file of a tool, where details of tools are told."""
        asked: dict[str, Any] = {}
        for name in ("tool_input", "tool_parameters"):
            try:
                told = msgspec.json.decode((self._attributes.text(name) or "").encode())
            except (ValueError, RecursionError):
                continue
            asked |= told if isinstance(told, dict) else {}
        command = asked.get("full_command", asked.get("command"))
        if isinstance(command, str):
            return subject(command)
        path = asked.get("file_path")
        return path if isinstance(path, str) else None

    def _digest(self) -> str:
        """Return a key of what has no id: copies of an event are the same to the last attribute."""
        told = [self._event.name, self._event.started_at, self._attributes.values]
        text = json.dumps(told, sort_keys=True, default=str)
        return f"event:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}"


_EVENTS: Mapping[str, Callable[[_Event, int], None]] = {
    "api_request": _Event.request,
    "api_error": _Event.failure,
    "tool_result": _Event.result,
    "user_prompt": _Event.prompt,
}
_SPANS: Mapping[str, Callable[[_Event, int], None]] = {
    "llm_request": _Event.call,
    "tool": _Event.tool,
}
