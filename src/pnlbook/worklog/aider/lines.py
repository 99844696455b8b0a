"""The lines of a chat history that tell something, by how they begin and end.

aider ends every line of a prompt or notice with two spaces, which headings and quotations in the
answer of a model have not. Only a notice that has several lines ends its first without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = "  "
_NUMBER = r"([\d.,]+[kM]?)"
_USD = r"\$([\d.,]+)"
_COST = rf"Cost: {_USD} (?:message|request|send), {_USD} session\."
_SESSION = re.compile(r"# aider chat started at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*")
_TOKENS = re.compile(
    rf"> Tokens: {_NUMBER} sent(?:, {_NUMBER} cache write)?(?:, {_NUMBER} cache hit)?"
    rf", {_NUMBER} received\.(?: {_COST})?\s*"
)
_LATE_COST = re.compile(rf"(?:> )?{_COST}\s*")
_COMMIT = re.compile(r"> Commit [0-9a-f]{7,40} ")
_MODEL = re.compile(r"(?:Main model|Models?): (\S+) with .*edit format")
_MULTIPLES = {"k": 1000, "M": 1_000_000}


@dataclass(frozen=True)
class Tokens:
    """Tokens and cost of an answer; a count above 999 may have been rounded by aider.

    sent: all of the input, what a cache held included; cost_usd: of this answer, None: not told.
    """

    sent: int
    cache_write: int | None
    cache_hit: int | None
    received: int
    cost_usd: Decimal | None

    @property
    def uncached(self) -> int:
        """Input that no cache had to do with."""
        cached = (self.cache_write or 0) + (self.cache_hit or 0)
        return self.sent - cached if cached <= self.sent else self.sent


def session(line: str) -> str | None:
    """Return the local time at which a session began, when the line says that one did."""
    found = _SESSION.fullmatch(line)
    return found[1] if found else None


def instant(local: str) -> int | None:
    """Return a local time of this machine in microseconds since 1970; None where there is none."""
    try:
        moment = datetime.fromisoformat(local).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
    return round((moment - _EPOCH).total_seconds()) * 1_000_000


def prompt(line: str) -> str | None:
    """Return a line of a prompt."""
    if line.startswith("####") and line.endswith(_END):
        return line[4:].removeprefix(" ").removesuffix(_END)
    return None


def notice(line: str) -> str | None:
    """Return a line that aider itself wrote."""
    return line[2:].strip() if line.startswith("> ") and line.endswith(_END) else None


def tokens(line: str) -> Tokens | None:
    """Return the tokens of an answer, and its cost where the same line has it."""
    found = _TOKENS.fullmatch(line)
    if found is None:
        return None
    sent, write, hit, received, cost, _ = found.groups()
    counts = [_count(one) for one in (sent, write, hit, received)]
    if counts[0] is None or counts[3] is None:
        return None
    return Tokens(counts[0], counts[1], counts[2], counts[3], _usd(cost))


def cost(line: str) -> Decimal | None:
    """Return the cost of an answer that stands on a line below its tokens."""
    found = _LATE_COST.fullmatch(line)
    return _usd(found[1]) if found else None


def model(said: str) -> str | None:
    """Return the model that a notice says answers from now on."""
    found = _MODEL.match(said)
    return found[1] if found else None


def is_commit(line: str) -> bool:
    """Whether aider committed; a message of several lines ends its first without spaces."""
    return _COMMIT.match(line) is not None


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    number = text.rstrip("kM").replace(",", "")
    try:
        return int(Decimal(number) * _MULTIPLES.get(text[-1], 1))
    except ArithmeticError:
        return None


def _usd(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text.rstrip(".").replace(",", ""))
    except ArithmeticError:
        return None
