"""What the charts of a statement are drawn from and how large, whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.reports.figures import count, money
from pnlbook.reports.statement import period_label

if TYPE_CHECKING:
    from pnlbook.reports.statement import Section, Statement

CHART = "Revenue, costs and net profit, USD"
WATERFALL = "From revenue to net profit, USD"

REVENUE = "Revenue"
COSTS = "Costs"
NET = "Net profit"
_SERIES: tuple[tuple[Section, str], ...] = (("revenue", REVENUE), ("cost", COSTS), ("net", NET))

MOST_POINTS = 40  # more would hide the bars behind them


@dataclass(frozen=True)
class Point:
    """A figure of a period: where it stands, and the exact amount that is told of it."""

    period: str
    series: str
    value: float
    told: str


def points(statement: Statement) -> list[Point]:
    """Return what is known, series by series; costs point down, so theirs are negative."""
    found = []
    for section, series in _SERIES:
        for period, amount in statement.sums(section).amounts.items():
            if amount is not None:
                signed = amount.copy_negate() if section == "cost" else amount
                told = money(signed) + _marked(statement.unpriced.get(period, 0))
                label = period_label(period, statement.grain)
                found.append(Point(label, series, float(signed), told))
    return found


def words(statement: Statement) -> str:
    """Return what a screen reader says of the chart."""
    revenue, costs, net = (statement.sums(section).total for section, _ in _SERIES)
    return (
        f"Revenue {money(revenue)}, costs {money(costs)} and net profit {money(net)} USD "
        f"over {count(len(statement.periods), statement.grain)}"
    )


def rows_height(rows: int) -> int:
    """Return the height in pixels of a chart with one bar a row, without its axis."""
    return 25 * max(rows, 2)


def _marked(unpriced: int) -> str:
    return f" (incomplete: {count(unpriced, 'row')} without a price)" if unpriced else ""
