"""Tokens of a call as four disjoint counts, from the attributes of either generation of names.

`input_tokens` of the conventions counts cached tokens too, and so do OpenAI, Gemini and the current
names of the cache's counts (`gen_ai.usage.cache_read.input_tokens`): they are taken off. Anthropic
does not count them, and instrumentations from before those names pass its own numbers on: of such a
call to Anthropic's models nothing is taken off, nor where the cache's counts exceed the input.
How long a cache keeps what was written is not told: it is taken for five minutes, the usual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pnlbook.worklog.otlp.wire import Attributes

_USAGE = "gen_ai.usage."
_INPUT = (f"{_USAGE}input_tokens", f"{_USAGE}prompt_tokens")
_OUTPUT = (f"{_USAGE}output_tokens", f"{_USAGE}completion_tokens")
_READ = (
    f"{_USAGE}cache_read.input_tokens",
    f"{_USAGE}input_tokens.cached",
    f"{_USAGE}details.cache_read_tokens",
)
_WRITE = (
    f"{_USAGE}cache_creation.input_tokens",
    f"{_USAGE}input_tokens.cache_write",
    f"{_USAGE}details.cache_write_tokens",
)
_OLD_READ = f"{_USAGE}cache_read_input_tokens"
_OLD_WRITE = f"{_USAGE}cache_creation_input_tokens"


@dataclass(frozen=True)
class Usage:
    """Tokens of a call; None where nothing is told."""

    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None

    @property
    def is_told(self) -> bool:
        """Whether anything is."""
        return any(
            count is not None
            for count in (
                self.input_tokens,
                self.cache_read_tokens,
                self.cache_write_tokens,
                self.output_tokens,
            )
        )


def usage_of(attributes: Attributes) -> Usage:
    """Return the tokens that a span or event tells."""
    told = attributes.count(*_INPUT)
    read = attributes.count(*_READ)
    write = attributes.count(*_WRITE)
    apart = read is None and write is None and _is_anthropic(attributes)
    if read is None:
        read = attributes.count(_OLD_READ)
    if write is None:
        write = attributes.count(_OLD_WRITE)
    cached = (read or 0) + (write or 0)
    if told is not None and not apart and cached <= told:
        told -= cached
    return Usage(told, read, write, attributes.count(*_OUTPUT))


def model_of(attributes: Attributes) -> str | None:
    """Return the model that answered, else the one that was asked."""
    return attributes.text("gen_ai.response.model", "gen_ai.request.model")


def _is_anthropic(attributes: Attributes) -> bool:
    """Whether a call was answered by Anthropic's API, or its model on another's platform."""
    provider = attributes.text("gen_ai.provider.name", "gen_ai.system") or ""
    return "anthropic" in provider.lower() or "claude" in (model_of(attributes) or "").lower()
