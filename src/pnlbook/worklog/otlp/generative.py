"""Spans of the conventions for generative AI: model calls, tools and agents.

The usage of an agent's span repeats that of the calls within it, so only model calls count. Which
those are is said by the operation; without one, by what only a call has (the id of a response, why
it ended) or the kinds of other conventions. What is still not known counts as a call unless another
message names it as its parent (macro counted_rows), in whatever order the two were loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook.worklog import failures
from pnlbook.worklog.failures import Failure
from pnlbook.worklog.instants import milliseconds
from pnlbook.worklog.otlp.records import identity
from pnlbook.worklog.otlp.usage import model_of, usage_of
from pnlbook.worklog.records import Error, Message, Task, Tool
from pnlbook.worklog.redaction import redact

if TYPE_CHECKING:
    from pnlbook.worklog.otlp.records import Work
    from pnlbook.worklog.otlp.wire import Span

CALL, TOOL, AGENT, UNKNOWN = "call", "tool", "agent", "unknown"
DETAILS = "gen_ai.client.inference.operation.details"  # a log record with what the span has

_KINDS = {
    **dict.fromkeys(("chat", "text_completion", "generate_content", "embeddings"), CALL),
    **dict.fromkeys(("completion", "embedding", "rerank", "llm"), CALL),  # other conventions
    **dict.fromkeys(("execute_tool", "tool"), TOOL),
    **dict.fromkeys(("invoke_agent", "create_agent", "invoke_workflow"), AGENT),
    **dict.fromkeys(("agent", "workflow", "task", "chain"), AGENT),
}
_OPERATION = "gen_ai.operation.name"
_OTHERS = ("llm.request.type", "openinference.span.kind", "traceloop.span.kind")


def is_generative(span: Span) -> bool:
    """Whether a span is about models or agents at all."""
    return span.attributes.starts_with("gen_ai.") or bool(span.attributes.text(*_OTHERS))


def kind_of(span: Span) -> str:
    """Return what a span stands for."""
    attributes = span.attributes
    operation = attributes.text(_OPERATION)
    if operation is not None:
        return _KINDS.get(operation, UNKNOWN)
    told = (attributes.text(*_OTHERS) or span.name.partition(" ")[0]).lower()
    if told in _KINDS:
        return _KINDS[told]
    if attributes.text("gen_ai.response.id") or attributes.texts("gen_ai.response.finish_reasons"):
        return CALL
    return UNKNOWN


def add(span: Span, line: int, work: Work) -> None:
    """Add the records of a span that is about models or agents."""
    if span.trace_id is None or span.span_id is None:
        work.skip("span without an id")
    elif span.started_at is None:
        work.skip("span without a time")
    else:
        _Reader(span, line, work).add(kind_of(span), span.started_at)


def session_of(span: Span) -> str | None:
    """Return the conversation that a span names, else its trace."""
    named = span.attributes.text("gen_ai.conversation.id", "session.id") or span.trace_id
    return None if named is None else f"otlp:{named}"


class _Reader:
    """Makes the records of one span."""

    def __init__(self, span: Span, line: int, work: Work) -> None:
        self._span = span
        self._line = line
        self._work = work
        self._id = f"otlp:{span.trace_id}/{span.span_id}"
        self._session = session_of(span)
        self._node_id, self._project_id = work.owner(span.resource)
        self._subscription = work.is_subscription(span.resource)

    def add(self, kind: str, at: int) -> None:
        """Add what a span of a kind stands for, which began at an instant."""
        if kind == UNKNOWN and not usage_of(self._span.attributes).is_told:
            self._work.skip("span of an unknown operation")
            return
        if self._session is not None:
            self._work.session(self._session, self._span, self._line, status="completed")
        match kind:
            case "tool":
                self._work.add(at, self._tool(at))
            case "agent":
                self._work.add(at, self._task(at))
            case _:
                self._work.add(at, self._message(at, known=kind == CALL))
        if self._span.failed and kind in {CALL, TOOL}:
            self._work.add(at, self._error(at, kind))

    def _message(self, at: int, *, known: bool) -> Message:
        span, attributes = self._span, self._span.attributes
        usage = usage_of(attributes)
        # what another message may name as its parent is only a span that may not be a call
        own = identity(attributes.text("gen_ai.response.id")) or f"{self._id}/call"
        parent = span.parent_id and f"otlp:{span.trace_id}/{span.parent_id}"
        return Message(
            key=own if known else self._id,
            line=self._line,
            node_id=self._node_id,
            project_id=self._project_id,
            session_id=self._session,
            agent_id=self._agent(),
            parent_message_id=parent if usage.is_told else None,
            role="assistant",
            model=model_of(attributes),
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_5m_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
            usage_final=usage.is_told or None,
            cost_basis="estimate" if usage.is_told and self._subscription else None,
            stop_reason=", ".join(attributes.texts("gen_ai.response.finish_reasons")) or None,
            sent_at=at,
            completed_at=span.ended_at,
        )

    def _tool(self, at: int) -> Tool:
        span = self._span
        return Tool(
            key=self._call(),
            line=self._line,
            node_id=self._node_id,
            project_id=self._project_id,
            session_id=self._session,
            agent_id=self._agent(),
            tool_name=self._tool_name(),
            tool_category=span.attributes.text("gen_ai.tool.type"),
            invocation_count=1,
            success_count=0 if span.failed else 1,
            total_duration_ms=milliseconds(at, span.ended_at),
            error_class=self._error_class(TOOL) if span.failed else None,
            used_at=at,
        )

    def _task(self, at: int) -> Task:
        span = self._span
        return Task(
            key=self._id,
            line=self._line,
            node_id=self._node_id,
            project_id=self._project_id,
            session_id=self._session,
            task_type=span.attributes.text(_OPERATION) or AGENT,
            task_name=span.attributes.text("gen_ai.agent.name"),
            status="failed" if span.failed else "completed",
            success=not span.failed,
            error_message=failures.normalised(span.said or ""),
            started_at=at,
            completed_at=span.ended_at,
        )

    def _error(self, at: int, kind: str) -> Error:
        span = self._span
        key = self._call() if kind == TOOL else self._id
        failure = Failure(key, self._error_class(kind), span.said or "", self._error_type())
        trace = span.exception.text("exception.stacktrace")
        return Error(
            key=failure.key,
            line=self._line,
            node_id=self._node_id,
            project_id=self._project_id,
            session_id=self._session,
            agent_id=self._agent(),
            error_type=failure.type,
            error_class=failure.kind,
            error_message=failure.message,
            error_stack_trace=redact(trace) if trace and self._work.reading.with_content else None,
            tool_name=self._tool_name() if kind == TOOL else None,
            occurred_at=span.ended_at or at,
        )

    def _error_type(self) -> str | None:
        span = self._span
        return span.attributes.text("error.type") or span.exception.text("exception.type")

    def _error_class(self, kind: str) -> str:
        if "timeout" in (self._error_type() or "").lower():
            return failures.TIMEOUT
        return failures.TOOL if kind == TOOL else failures.API

    def _agent(self) -> str | None:
        return self._span.attributes.text("gen_ai.agent.id", "gen_ai.agent.name")

    def _call(self) -> str:
        return identity(self._span.attributes.text("gen_ai.tool.call.id")) or self._id

    def _tool_name(self) -> str:
        named = self._span.attributes.text("gen_ai.tool.name", "traceloop.entity.name")
        return named or self._span.name.removeprefix("execute_tool ") or TOOL
