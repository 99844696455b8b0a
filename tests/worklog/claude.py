"""Lines of made-up transcripts of Claude Code, as the program writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SESSION, CWD = "5e551011-0000-4000-8000-000000000001", "/home/dev/shop"


def at(seconds: float) -> str:
    """Return the instant so many seconds after the start, as it is written."""
    moment = START + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def us(seconds: float) -> int:
    """Return the same instant in microseconds since 1970."""
    return round((START + timedelta(seconds=seconds)).timestamp() * 1_000_000)


def line(kind: str, uuid: str, seconds: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a line with what all have."""
    return {
        "parentUuid": None,
        "isSidechain": False,
        "userType": "external",
        "cwd": CWD,
        "sessionId": SESSION,
        "version": "2.1.38",
        "gitBranch": "main",
        "type": kind,
        "uuid": uuid,
        "timestamp": at(seconds),
    } | more


def user(uuid: str, seconds: float, content: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a line under the user's name."""
    return line("user", uuid, seconds, message={"role": "user", "content": content}, **more)


def assistant(  # noqa: PLR0913, PLR0917 - what a line of a message differs in
    uuid: str,
    seconds: float,
    message: str,
    content: Any,  # noqa: ANN401 - JSON
    usage: dict[str, Any] | None = None,
    stop: str | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Return a line of a model's message."""
    body = {
        "id": message,
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-6",
        "content": content,
        "stop_reason": stop,
        "usage": {"input_tokens": 3, "output_tokens": 5} if usage is None else usage,
    }
    return line("assistant", uuid, seconds, **({"message": body} | more))


def call(key: str, tool: str, **asked: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Return the content of a line that calls a tool."""
    return [{"type": "tool_use", "id": key, "name": tool, "input": asked}]


def result(  # noqa: PLR0913 - what a result differs in
    uuid: str,
    seconds: float,
    key: str,
    content: Any = "done",  # noqa: ANN401 - JSON
    outcome: Any = None,  # noqa: ANN401 - JSON
    *,
    error: bool | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Return a line with a tool's result."""
    block = {"type": "tool_result", "tool_use_id": key, "content": content}
    if error is not None:
        block["is_error"] = error
    told = {} if outcome is None else {"toolUseResult": outcome}
    return user(uuid, seconds, [block], **(told | more))


def text(*texts: str) -> list[dict[str, str]]:
    """Return blocks of text."""
    return [{"type": "text", "text": one} for one in texts]


def log(*lines: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return lines as a file has them."""
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in lines)
