"""What must be known of a chat history that was read in part."""

from __future__ import annotations

import hashlib

import msgspec

from pnlbook.worklog.redaction import redact

_LONGEST = 1_000_000  # characters of a text that are kept


class Text(msgspec.Struct, kw_only=True):
    """A text of several lines; kept is None where no text is to be kept.

    key, line: of what it is the text of; at: the number of its last line. role: who says it,
    empty for nobody; None while it says nothing.
    """

    key: str = ""
    line: int = 0
    at: int = 0
    chars: int = 0
    role: str | None = None
    kept: str | None = None

    def add(self, number: int, text: str, *, with_content: bool) -> None:
        """Add a line; blank ones before it are known by its number."""
        between = max(0, number - self.at) if self.at else 0
        self.at = number
        self.chars += between + len(text)
        if with_content and len(self.kept or "") < _LONGEST:
            self.kept = (self.kept or "") + "\n" * between + text

    def redacted(self) -> str | None:
        """Return the text without its secrets."""
        if self.kept is not None:
            self.kept = redact(self.kept)
        return self.kept


class Usage(msgspec.Struct, kw_only=True):
    """An answer whose cost may stand on the next line."""

    key: str
    line: int
    sent: int
    cache_write: int | None
    cache_hit: int | None
    received: int
    model: str | None
    text: Text


class State(msgspec.Struct, kw_only=True):
    """Where the reading of a history is.

    start: the local time at which the session began, at: that instant; both None before the first.
    again: sessions that began in the same second, this one included. lines: of the session.
    chain: a hash of the session up to here, which tells its records from those of another that
    began in the same second elsewhere. said: the last notice. opening: the first prompt of a
    person, whose key is opened_by.
    """

    start: str | None = None
    at: int | None = None
    again: int = 1
    first_line: int = 0
    lines: int = 0
    chain: str = ""
    version: str | None = None
    model: str | None = None
    answered: bool = False
    said: str | None = None
    opening: str | None = None
    opened_by: str | None = None
    prompt: Text | None = None
    answer: Text = msgspec.field(default_factory=Text)
    usage: Usage | None = None

    @property
    def session(self) -> str:
        """The id of the session."""
        again = f"#{self.again}" if self.again > 1 else ""
        return f"aider:{self.start}{again}"

    def key(self) -> str:
        """Return the key of what stands on the line just taken; keys are in the order of lines."""
        return f"{self.session}:{self.lines:06}:{self.chain[:12]}"

    def take(self, line: bytes) -> None:
        """Go on by a line of the session."""
        self.lines += 1
        self.chain = hashlib.sha256(self.chain.encode() + line.rstrip()).hexdigest()
