"""Token counters of responses, from counters since the session began.

A rollout repeats its counters, with and without a response between, so a response's are the
difference to those before. Input counts what was read from the cache, which is taken out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pnlbook.worklog.codex.lines import Info, Totals


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """Tokens; input with what was cached."""

    input: int = 0
    cached: int = 0
    output: int = 0

    @property
    def uncached(self) -> int:
        """Input that was not read from the cache."""
        return max(0, self.input - self.cached)


NONE = Tokens()


def read(totals: Totals | None) -> Tokens | None:
    """Return counters as told; None when none is."""
    if totals is None:
        return None
    told = (totals.input_tokens, totals.cached_input_tokens, totals.output_tokens)
    return None if all(one is None for one in told) else Tokens(*(one or 0 for one in told))


def spent(info: Info, before: Tokens | None, *, forked: bool) -> tuple[Tokens, Tokens] | None:
    """Return what a response took, and the counters after it; None when nothing was added.

    A fork begins with its parent's counters, so the first that it has tell only of all responses
    before; what the last one took is told beside. The same holds where counters began anew.
    """
    total, last = read(info.total_token_usage), read(info.last_token_usage)
    if total is None:
        return None
    if before is None:
        took = (last if forked else None) or total
    elif total.input < before.input or total.output < before.output:
        took = last or total
    else:
        cached = max(0, total.cached - before.cached)
        took = Tokens(total.input - before.input, cached, total.output - before.output)
    return None if took == NONE else (took, total)
