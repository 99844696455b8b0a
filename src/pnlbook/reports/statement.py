"""The profit and loss statement of a range: periods, lines, and steps from revenue to net.

Costs are positive amounts; a negative one takes costs back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from pnlbook.reports.figures import ZERO, total

if TYPE_CHECKING:
    import polars as pl

    from pnlbook.reports.filters import Grain

Section: TypeAlias = Literal["revenue", "cost", "net"]
Amounts: TypeAlias = dict[date, Decimal | None]


@dataclass(frozen=True)
class Line:
    """One line of the statement: its amount by period; NULL (None) where no amount is known."""

    section: Section
    kind: str
    amounts: Amounts

    @property
    def label(self) -> str:
        """Return the kind as a reader sees it."""
        return label(self.kind)

    @property
    def total(self) -> Decimal | None:
        """Return the sum of what is known; None when nothing is."""
        return known_total(list(self.amounts.values()))


@dataclass(frozen=True)
class Statement:
    """The lines of a range by period, oldest period first."""

    grain: Grain
    periods: tuple[date, ...]
    lines: tuple[Line, ...]
    unpriced: dict[date, int] = field(default_factory=dict)

    def section(self, section: Section) -> tuple[Line, ...]:
        """Return the lines of one section."""
        return tuple(line for line in self.lines if line.section == section)

    def sums(self, section: Section) -> Line:
        """Return the sum of a section's lines by period."""
        lines = self.section(section)
        sums = {
            period: known_total([line.amounts[period] for line in lines if period in line.amounts])
            for period in self.periods
        }
        return Line(section, section, sums)

    @property
    def unpriced_rows(self) -> int:
        """Return how many facts have no known amount."""
        return sum(self.unpriced.values())


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall, from `start` to `end`; `amount` is what it adds to the profit."""

    label: str
    role: Literal["revenue", "cost", "subtotal", "net"]
    amount: Decimal
    start: Decimal
    end: Decimal


def read_statement(frame: pl.DataFrame, grain: Grain) -> Statement:
    """Return the statement that the rows of `pnl_statement` hold."""
    lines: dict[tuple[Section, str], Amounts] = defaultdict(dict)
    unpriced: dict[date, int] = {}
    for row in frame.iter_rows(named=True):
        lines[row["section"], row["kind"]][row["period_start"]] = row["amount_usd"]
        if row["section"] == "net":
            unpriced[row["period_start"]] = row["unpriced_rows"]
    found = [Line(section, kind, amounts) for (section, kind), amounts in lines.items()]
    return Statement(
        grain, _periods(sorted(unpriced), grain), tuple(sorted(found, key=_rank)), unpriced
    )


def waterfall(statement: Statement, most: int = 6) -> list[Step]:
    """Return the steps from nothing over each kind of revenue and cost to the net profit.

    most: how many kinds of a section get a bar of their own; the smaller ones share one.
    """
    steps: list[Step] = []
    level = ZERO
    sections: tuple[Literal["revenue", "cost"], ...] = ("revenue", "cost")
    for section in sections:
        for name, amount in _largest(statement, section, most):
            effect = amount if section == "revenue" else amount.copy_negate()
            known = {step.label for step in steps}
            unique = f"{name} ({section})" if name in known | {"Revenue"} else name
            step = Step(unique, section, effect, level, total([level, effect]))
            steps.append(step)
            level = step.end
        if section == "revenue":
            steps.append(Step("Revenue", "subtotal", level, ZERO, level))
    return [*steps, Step("Net profit" if level >= 0 else "Net loss", "net", level, ZERO, level)]


def label(kind: str) -> str:
    """Return a kind of revenue or cost as a reader sees it: `project_fee` is `Project fee`."""
    words = kind.replace("_", " ")
    return words[:1].upper() + words[1:]


def known_total(amounts: list[Decimal | None]) -> Decimal | None:
    """Return the sum of the known amounts: 0 of none at all, None when none is known."""
    known = [amount for amount in amounts if amount is not None]
    return total(known) if known or not amounts else None


def period_label(period: date, grain: Grain) -> str:
    """Return the name of a period: `2025`, `Q4 2025`, `Oct 2025`; of a week, its first day."""
    if grain == "year":
        return f"{period:%Y}"
    if grain == "quarter":
        return f"Q{(period.month + 2) // 3} {period:%Y}"
    if grain == "month":
        return f"{period:%b %Y}"
    return f"{period.day} {period:%b %Y}"


def _largest(statement: Statement, section: Section, most: int) -> list[tuple[str, Decimal]]:
    totals = [(line.label, line.total) for line in statement.section(section)]
    lines = [(name, amount) for name, amount in totals if amount is not None]
    lines.sort(key=lambda line: line[1].copy_abs().copy_negate())
    if len(lines) <= most:
        return lines
    rest = lines[most - 1 :]
    plural = "costs" if section == "cost" else "revenues"
    return [
        *lines[: most - 1],
        (f"{len(rest)} other {plural}", total([amount for _, amount in rest])),
    ]


def _rank(line: Line) -> tuple[int, bool, Decimal, str]:
    order = {"revenue": 1, "cost": 2, "net": 3}
    amount = line.total or ZERO
    return order[line.section], amount < 0, amount.copy_abs().copy_negate(), line.kind


def _periods(known: list[date], grain: Grain) -> tuple[date, ...]:
    """Return every period from the first to the last: one without facts is one of zeros."""
    if not known:
        return ()
    periods = [known[0]]
    while periods[-1] < known[-1]:
        periods.append(_next(periods[-1], grain))
    return tuple(periods)


def _next(period: date, grain: Grain) -> date:
    if grain in {"day", "week"}:
        return period + timedelta(days=7 if grain == "week" else 1)
    month = period.month - 1 + {"month": 1, "quarter": 3, "year": 12}[grain]
    return date(period.year + month // 12, month % 12 + 1, 1)
