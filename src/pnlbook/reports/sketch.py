"""The chart of a statement as plain HTML and SVG, which is seen long before a page can run Vega.

It looks like the chart of `charts.statement_chart`. Places across are in percent, so that it fits
any width; those down are in pixels.
"""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from pnlbook.reports.points import COSTS, MOST_POINTS, NET, REVENUE, Point, points, words
from pnlbook.reports.scale import Scale, short
from pnlbook.reports.statement import period_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pnlbook.reports.statement import Statement

HEIGHT = 300
_STYLES = {REVENUE: "pnl-revenue", COSTS: "pnl-cost", NET: "pnl-net"}


def statement_sketch(statement: Statement) -> str:
    """Return the chart; empty where all there is to draw is zero or unknown."""
    known = points(statement)
    stacks = list(_stacked([point for point in reversed(known) if point.series != NET]))
    net = [point for point in known if point.series == NET]
    ends = [end for _, start, top in stacks for end in (start, top)]
    scale = Scale.around([*ends, *(point.value for point in net)])
    if scale is None:
        return ""
    labels = [period_label(period, statement.grain) for period in statement.periods]
    plot = _Plot(scale, {label: place for place, label in enumerate(labels)})
    drawn = "".join([*plot.grid(), *map(plot.bar, stacks), plot.zero(), *plot.line(net)])
    return (
        f'<div class="pnl-sketch" role="img" aria-label="{escape(words(statement))}">'
        f'<div class="pnl-sketch-y">{"".join(plot.amounts())}</div>'
        f'<div class="pnl-sketch-plot">{_legend()}<svg height="{HEIGHT}">{drawn}</svg>'
        f'<div class="pnl-sketch-x">{"".join(plot.periods())}</div></div></div>'
    )


def _stacked(bars: list[Point]) -> Iterator[tuple[Point, float, float]]:
    """Give every bar with its start and end: from zero, or from one of its period and side."""
    level: dict[tuple[str, bool], float] = {}
    for bar in bars:
        side = bar.period, bar.value < 0
        start = level.get(side, 0.0)
        level[side] = start + bar.value
        yield bar, start, level[side]


def _legend() -> str:
    names = "".join(f'<span class="{style}">{name}</span>' for name, style in _STYLES.items())
    return f'<div class="pnl-sketch-legend">{names}</div>'


class _Plot:
    """Where values and periods stand."""

    def __init__(self, scale: Scale, places: dict[str, int]) -> None:
        self._scale = scale
        self._places = places
        self._width = 90 * min(0.7, 0.15 * len(places)) / len(places)  # of a bar; 10 is padding

    def bar(self, stack: tuple[Point, float, float]) -> str:
        point, start, end = stack
        top, bottom = sorted((self._down(start), self._down(end)))
        left = self._across(point.period) - self._width / 2
        return (
            f'<rect class="{_STYLES[point.series]}" x="{left:.4f}%" y="{top:.2f}"'
            f' width="{self._width:.4f}%" height="{bottom - top:.2f}">{_title(point)}</rect>'
        )

    def line(self, net: list[Point]) -> Iterator[str]:
        few = len(self._places) <= MOST_POINTS
        for one, next_ in pairwise(net):
            yield (
                f'<line class="pnl-net" x1="{self._across(one.period):.4f}%"'
                f' y1="{self._down(one.value):.2f}" x2="{self._across(next_.period):.4f}%"'
                f' y2="{self._down(next_.value):.2f}" stroke-width="{2 if few else 1}"/>'
            )
        for point in net if few else []:
            yield (
                f'<circle class="pnl-net" cx="{self._across(point.period):.4f}%"'
                f' cy="{self._down(point.value):.2f}" r="3.16">{_title(point)}</circle>'
            )

    def grid(self) -> Iterator[str]:
        for tick in [*self._scale.ticks, self._scale.low]:
            yield f'<line class="pnl-grid" x2="100%" {self._level(tick)}/>'

    def zero(self) -> str:
        return f'<line class="pnl-zero" x2="100%" {self._level(0)}/>'

    def amounts(self) -> Iterator[str]:
        for tick in self._scale.ticks:
            yield f'<span style="top:{self._down(tick):.2f}px">{short(tick)}</span>'

    def periods(self) -> Iterator[str]:
        for period in self._places:
            yield f'<span style="left:{self._across(period):.4f}%">{period}</span>'

    def _across(self, period: str) -> float:
        return 100 * (self._places[period] + 0.5) / len(self._places)

    def _down(self, value: float) -> float:
        return HEIGHT * (1 - self._scale.part(value))

    def _level(self, value: float) -> str:
        return f'y1="{self._down(value):.2f}" y2="{self._down(value):.2f}"'


def _title(point: Point) -> str:
    return f"<title>{point.period} \N{MIDDLE DOT} {point.series} {escape(point.told)} USD</title>"
