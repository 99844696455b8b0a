"""Lines of made-up rollouts of Codex, as the program writes them."""

from __future__ import annotations

import json
from typing import Any

from tests.worklog.claude import at

SESSION, CWD = "0199a213-0000-7000-8000-000000000001", "/home/dev/shop"


def line(kind: str, seconds: float | None, **payload: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a line."""
    told = {"type": kind, "payload": payload}
    return told if seconds is None else {"timestamp": at(seconds), **told}


def meta(session: str = SESSION, seconds: float = 0, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the first line of a session."""
    common = {"id": session, "timestamp": at(seconds), "cwd": CWD, "cli_version": "0.120.0"}
    return line("session_meta", seconds, **(common | more))


def context(seconds: float, model: str = "gpt-5-codex", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a turn's context."""
    return line("turn_context", seconds, **({"model": model, "cwd": CWD} | more))


def event(kind: str, seconds: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an event."""
    return line("event_msg", seconds, **({"type": kind} | more))


def item(kind: str, seconds: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an item that the model was told or answered."""
    return line("response_item", seconds, **({"type": kind} | more))


def said(seconds: float, text: str) -> dict[str, Any]:
    """Return the event that a person said something."""
    return event("user_message", seconds, message=text, images=[])


def told(seconds: float, text: str) -> dict[str, Any]:
    """Return what the model was told under the user's name."""
    content = [{"type": "input_text", "text": text}]
    return item("message", seconds, role="user", content=content)


def answer(seconds: float, text: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return what the model answered."""
    content = [{"type": "output_text", "text": text}]
    return item("message", seconds, role="assistant", content=content, **more)


def run(seconds: float, call: str, command: str) -> dict[str, Any]:
    """Return a call of a command."""
    asked = json.dumps({"command": ["bash", "-lc", command]})
    return item("function_call", seconds, name="shell", arguments=asked, call_id=call)


def patch(seconds: float, call: str, text: str) -> dict[str, Any]:
    """Return a call of apply_patch."""
    return item("custom_tool_call", seconds, name="apply_patch", input=text, call_id=call)


def output(seconds: float, call: str, text: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the output of a call."""
    return item("function_call_output", seconds, call_id=call, output=text)


def ended(code: int, text: str = "done") -> str:
    """Return the output of a command that ended."""
    return json.dumps({"output": text, "metadata": {"exit_code": code, "duration_seconds": 0.1}})


def counted(
    seconds: float, total: tuple[int, int, int], last: tuple[int, int, int] | None = None
) -> dict[str, Any]:
    """Return counters: input, of it cached, output; since the session began and of the last."""
    names = ("input_tokens", "cached_input_tokens", "output_tokens")
    info: dict[str, Any] = {"total_token_usage": dict(zip(names, total, strict=True))}
    info["last_token_usage"] = dict(zip(names, last or total, strict=True))
    return event("token_count", seconds, info=info, rate_limits=None)
