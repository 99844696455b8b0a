"""Token counters of a response over the lines that repeat them.

Each line of a response has the counters as they were when it was written, so the largest value of
each is taken, whatever lines and files they stand in. They are final once a line has `iterations`,
which only the end of a response brings; or, as older versions never write these, once a line of the
main agent has a `stop_reason`, which comes with the last counters. Subagents' lines are written
before either, so theirs stay lower bounds unless `iterations` says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pnlbook.worklog.claude_code.lines import Message, Usage

# With these a model's turn is over; after `tool_use` and `pause_turn` it goes on.
DONE: Final = frozenset({"end_turn", "stop_sequence", "max_tokens", "refusal"})


def add(largest: dict[str, int], usage: Usage) -> None:
    """Raise counters to those of a line."""
    written = usage.cache_creation
    _raise(largest, "input", usage.input_tokens)
    _raise(largest, "output", usage.output_tokens)
    _raise(largest, "cache_read", usage.cache_read_input_tokens)
    _raise(largest, "written", usage.cache_creation_input_tokens)
    if written is not None:
        _raise(largest, "write_5m", written.ephemeral_5m_input_tokens)
        _raise(largest, "write_1h", written.ephemeral_1h_input_tokens)


def written_5m(largest: dict[str, int]) -> int | None:
    """Return what was written to the cache of 5 minutes, which is where it goes unless told."""
    if "written" not in largest:
        return largest.get("write_5m")
    rest = largest["written"] - largest.get("write_1h", 0)
    return max(rest, largest.get("write_5m", 0))


def is_final(message: Message, *, is_main: bool) -> bool:
    """Whether a line's counters are those of the whole response."""
    usage = message.usage
    if usage is not None and bytes(usage.iterations) not in {b"", b"null"}:
        return True
    return is_main and message.stop_reason is not None


def _raise(largest: dict[str, int], name: str, value: int | None) -> None:
    if value is not None and value > largest.get(name, -1):
        largest[name] = value
