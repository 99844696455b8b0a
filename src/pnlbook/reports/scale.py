"""A linear scale with round bounds and ticks, chosen the way Vega chooses them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pnlbook.reports.figures import MINUS

_BOUNDS = 10  # steps that the round bounds are chosen for
_TICKS = 5
_PREFIXES = "yzafpn\N{MICRO SIGN}m kMBTPEZY"  # "B" as in English finance, not "G"
_LEAST, _MOST = -8, 8


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high`, which are not the same."""

    low: float
    high: float

    @classmethod
    def around(cls, values: list[float]) -> Scale | None:
        """Return the scale that holds zero and all values; None where there is nothing else."""
        low, high = min([0.0, *values]), max([0.0, *values])
        if low == high:
            return None
        step = 0.0
        while (wider := _step(low, high, _BOUNDS)) != step:
            step = wider
            low, high = math.floor(low / step) * step, math.ceil(high / step) * step
        return cls(low, high)

    def part(self, value: float) -> float:
        """Return how far up the scale a value is, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[float]:
        """Return the round values to name."""
        step = _step(self.low, self.high, _TICKS)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [number * step for number in range(first, last + 1)]


def short(value: float) -> str:
    """Return a value in at most six digits and a prefix: `40k`, `-2.5M` with a real minus."""
    if value == 0:
        return "0"
    size = min(max(math.floor(math.log10(abs(value)) / 3), _LEAST), _MOST)
    digits = f"{abs(value) / 1000.0**size:.6g}"
    return (MINUS if value < 0 else "") + digits + _PREFIXES[size - _LEAST].strip()


def _step(low: float, high: float, count: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about `count` steps lie between."""
    wanted = (high - low) / count
    power = 10.0 ** math.floor(math.log10(wanted))
    error = wanted / power
    for factor, least in ((10, math.sqrt(50)), (5, math.sqrt(10)), (2, math.sqrt(2))):
        if error >= least:
            return factor * power
    return power
