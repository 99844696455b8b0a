"""What the output of a tool says of how it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pnlbook.worklog import failures
from pnlbook.worklog.codex.lines import OUTPUT
from pnlbook.worklog.decoding import text_of

if TYPE_CHECKING:
    import msgspec

    from pnlbook.worklog.codex.lines import Output

_HEAD = 600  # characters that come before what a command printed
_EXIT = re.compile(r"(?:^|\n)(?:Exit code:|Process exited with code) (-?\d+)")
_RUNNING = re.compile(r"Process running with session ID (\w+)")
_BODY = re.compile(r"(?:^|\n)Output:\n")
_REJECTED = ("rejected by user", "aborted by user", "user rejected", "denied by the user")
_FAILED: Final = (
    "execution error",
    "apply_patch verification failed",
    "unsupported call",
    "unsupported custom tool call",
    "failed to parse function arguments",
    "failed in sandbox",
    "failed to ",
    "exec_command failed",
    "write_stdin failed",
    "error:",
    "err:",
    "tool call error",
    "patch failed",
    "invalid patch",
)


@dataclass(frozen=True)
class Ending:
    """How a call ended. failure: its class, or None; running: the process that still runs."""

    failure: str | None
    said: str
    running: str | None = None


def ending(raw: msgspec.Raw) -> Ending:
    """Return how a call with that output ended."""
    text, told = _read(raw)
    head = text[:_HEAD]
    code = _code(head, told)
    running = _RUNNING.search(head) if code is None else None
    return Ending(_failure(head, code, told), text, running.group(1) if running else None)


def printed(text: str) -> str:
    """Return what a command printed, without what the program says before it."""
    found = _BODY.search(text[:_HEAD])
    body = text[found.end() :] if found else text
    return body if body.strip() else text


def of_code(code: int) -> str | None:
    """Return the class of failure of an exit code; None for success."""
    return failures.EXIT_CODE if code else None


def _read(raw: msgspec.Raw) -> tuple[str, Output | None]:
    """Return the text of an output, and what it says besides where it is an object."""
    text = text_of(raw)
    if text.startswith("{"):
        told = OUTPUT.part(text.encode("utf-8", "replace"))
        return (text, None) if told.output is None else (told.output, told)
    if text or not raw:
        return text, None
    told = OUTPUT.part(raw)
    return told.output or text_of(told.content), told


def _code(head: str, told: Output | None) -> int | None:
    if told is not None and told.metadata is not None:
        return told.metadata.exit_code
    found = _EXIT.search(head)
    return int(found.group(1)) if found else None


def _failure(head: str, code: int | None, told: Output | None) -> str | None:
    start = head[:200].lower()
    failed = bool(code) or (told is not None and told.success is False)
    if (failed or code is None) and any(said in start for said in _REJECTED):
        return failures.USER_REJECT
    if failed and "timed out" in start:
        return failures.TIMEOUT
    if code is not None:
        return of_code(code)
    if "blocked by hook" in start or "hook blocked" in start:
        return failures.HOOK_BLOCK
    if start.startswith(("command timed out", "exec_command timed out", "tool timed out")):
        return failures.TIMEOUT
    return failures.TOOL if failed or start.startswith(_FAILED) else None
