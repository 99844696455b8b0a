"""What happens in logs of work, as a line for a person: when, who, what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from rich.text import Text

from pnlbook.cli.output import harmless
from pnlbook.worklog.following import Event
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60
_SHOWN = 200  # characters of one text
_MARKS = {"completed": ("✓", "green"), "failed": ("✗", "red"), "called": ("…", "dim")}


def local_time(micros: int) -> datetime:
    """Return an instant of microseconds since 1970 in the zone of this machine."""
    return (_EPOCH + timedelta(microseconds=micros)).astimezone()


def line(event: Event) -> Text:
    """Return an event as a line: when, who, what."""
    at, record = local_time(event.at), event.record
    today = at.date() == datetime.now().astimezone().date()
    text = Text()
    text.append(f"{at:%H:%M:%S}" if today else f"{at:%Y-%m-%d %H:%M:%S}", style="dim")
    who = f"{record.node_id or '?'}/{record.project_id or '?'}"
    text.append(f"  {harmless(who)}", style="cyan")
    mark, style = _MARKS.get(event.state, ("", ""))
    words = [*_words(event), *([mark] if mark else [])]
    text.append("  " + harmless(" ".join(words).replace("\n", " ")), style=style)
    return text


def _words(event: Event) -> Iterator[str]:
    match event.record:
        case Session() as session:
            yield from _of_session(session, event.state)
        case Task() as task:
            yield from _of_task(task, event.state)
        case Tool() as tool:
            yield from _of_tool(tool)
        case Change() as change:
            yield from _of_change(change)
        case Message() as message:
            yield from _of_message(message)
        case Error() as error:
            yield from _of_error(error)


def _of_session(session: Session, state: str) -> Iterator[str]:
    yield "session"
    if session.session_type:
        yield session.session_type
    if state in {"completed", "failed"}:
        yield state
        if session.total_duration_seconds is not None:
            yield f"in {_duration(session.total_duration_seconds)}"
        return
    if state == "live" and session.started_at is not None:
        yield f"goes on since {local_time(session.started_at):%Y-%m-%d %H:%M:%S}"
    else:
        yield "begins"
    if session.description:
        yield f"({_short(session.description)})"


def _of_task(task: Task, state: str) -> Iterator[str]:
    yield "task"
    yield _short(task.task_name or task.task_type or task.key)
    yield "begins" if state == "began" else state
    if task.error_message and state == "failed":
        yield f"({_short(task.error_message)})"


def _of_tool(tool: Tool) -> Iterator[str]:
    yield tool.tool_name or "tool"
    if tool.subject:
        yield _short(tool.subject)
    if (tool.invocation_count or 1) > 1:
        yield f"{tool.invocation_count} times"
    if tool.error_class:
        yield tool.error_class
    if tool.total_duration_ms is not None:
        yield _duration(tool.total_duration_ms / 1000)


def _of_change(change: Change) -> Iterator[str]:
    yield change.change_type or "changed"
    yield _short(change.file_path or "?")
    if change.old_path:
        yield f"(was {_short(change.old_path)})"
    for sign, lines in (("+", change.lines_added), ("-", change.lines_deleted)):
        if lines is not None:
            yield f"{sign}{lines:,}"


def _of_message(message: Message) -> Iterator[str]:
    yield message.role or "message"
    if message.model:
        yield message.model
    read = [
        message.input_tokens,
        message.cache_read_tokens,
        message.cache_write_5m_tokens,
        message.cache_write_1h_tokens,
    ]
    if any(count is not None for count in read):
        yield f"{sum(count or 0 for count in read):,} tokens in"
    if message.output_tokens is not None:
        yield f"{message.output_tokens:,} out"
    if message.content:
        yield f"“{_short(message.content)}”"
    elif message.content_chars is not None:
        yield f"{message.content_chars:,} characters"


def _of_error(error: Error) -> Iterator[str]:
    yield "error"
    if error.tool_name:
        yield f"of {error.tool_name}:"
    yield error.error_type or "?"
    if error.error_message:
        yield f"“{_short(error.error_message)}”"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _duration(seconds: Decimal) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
