"""Failures of agents' tools: their classes, and their messages in a form that equal ones share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pnlbook.worklog.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOL: Final = "tool"
EXIT_CODE: Final = "exit_code"
HOOK_BLOCK: Final = "hook_block"
USER_REJECT: Final = "user_reject"
TIMEOUT: Final = "timeout"
API: Final = "api"

_TYPES: Mapping[str, str] = {
    TOOL: "tool_failed",
    EXIT_CODE: "command_failed",
    HOOK_BLOCK: "blocked_by_hook",
    USER_REJECT: "rejected_by_person",
    TIMEOUT: "timed_out",
    API: "api_error",
}


@dataclass(frozen=True)
class Failure:
    """A failure. key: of the call, message or event that failed; said: what was said of it.

    named: its type in the log's own words. telling: the part of `said` that tells most.
    """

    key: str
    kind: str
    said: str
    named: str | None = None
    telling: str | None = None

    @property
    def type(self) -> str:
        """The type of the error."""
        return self.named or _TYPES[self.kind]

    @property
    def message(self) -> str | None:
        """The message, in the form that equal failures share."""
        return normalised(self.said if self.telling is None else self.telling)


_LONGEST = 120
_READ = 600  # of a first line: enough for what is kept, whatever is taken out
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_TAGS = re.compile(r"</?[a-z_-]{1,40}>")
_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|`[^`\n]*`|“[^”\n]*”")
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_PATH = re.compile(r"(?<![\w/\\])(?:[A-Za-z]:\\|~?\.{0,2}/|(?:[\w.@-]+/)+)[^\s:,;()\[\]]*")
_HEX = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{7,}\b|0x[0-9a-f]+\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_SPACES = re.compile(r"\s+")


def normalised(text: str) -> str | None:
    """Return the first line that says something, without what differs from case to case.

    Numbers are N, paths PATH, addresses URL, quoted parts '…'; secrets are redacted; at most 120
    characters. None when the text says nothing.
    """
    lines = (
        _SPACES.sub(" ", _TAGS.sub("", _ESCAPES.sub("", line))).strip() for line in _head(text)
    )
    first = next((line for line in lines if line), None)
    if first is None:
        return None
    said = redact(first[:_READ])
    for pattern, shared in _SHARED:
        said = pattern.sub(shared, said)
    return said[:_LONGEST]


_SHARED = (
    (_QUOTED, "'…'"),
    (_ADDRESS, "URL"),
    (_PATH, "PATH"),
    (_HEX, "N"),
    (_DIGITS, "N"),
)


def _head(text: str) -> list[str]:
    return text[:20_000].splitlines()
