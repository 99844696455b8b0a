"""The chart without Vega, held against the same chart drawn by Vega."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reports.test_statement import statement, with_net

from pnlbook.reports import charts
from pnlbook.reports.points import words
from pnlbook.reports.scale import Scale, short
from pnlbook.reports.sketch import HEIGHT, statement_sketch

if TYPE_CHECKING:
    from pnlbook.reports.statement import Statement

SEPTEMBER = date(2025, 9, 1)
OCTOBER = date(2025, 10, 1)
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Drawing:
    """What is seen of a chart: names of its axes, and its bars as (top, height) in pixels."""

    amounts: list[str]
    periods: list[str]
    bars: list[tuple[float, float]]


def by_vega(made: Statement) -> Drawing:
    """Read the drawing off the SVG that Vega makes."""
    svg = vl_convert.vegalite_to_svg(
        charts.statement_chart(made, charts.PRINT).to_dict(), allowed_base_urls=[]
    )
    root = ET.fromstring(svg)  # noqa: S314 - drawn here
    axes = {
        (axis.get("aria-label") or "")[0]: [text.text or "" for text in axis.iter(SVG + "text")]
        for axis in root.iter()
        if "role-axis" in (axis.get("class") or "") and axis.get("aria-label")
    }
    bars = [
        _upright(*map(float, shape.groups()))
        for bar in root.iter()
        if bar.get("aria-roledescription") == "bar"
        if (shape := re.match(r"M[^,]+,([^h]+)h[^v]+v([^h]+)h", bar.get("d") or ""))
    ]
    return Drawing(axes["Y"], axes["X"], bars)


def by_hand(made: Statement) -> Drawing:
    root = ET.fromstring(statement_sketch(made))  # noqa: S314 - drawn here
    named = {part.get("class"): part for part in root.iter()}
    bars = [
        (float(bar.get("y") or ""), float(bar.get("height") or "")) for bar in root.iter("rect")
    ]
    return Drawing(
        [span.text or "" for span in named["pnl-sketch-y"]],
        [span.text or "" for span in named["pnl-sketch-x"]],
        bars,
    )


def _upright(top: float, height: float) -> tuple[float, float]:
    return (top, height) if height >= 0 else (top + height, -height)


def _same(one: Drawing, other: Drawing) -> None:
    assert one.amounts == other.amounts
    assert one.periods == other.periods
    assert len(one.bars) == len(other.bars)
    for mine, vegas in zip(sorted(one.bars), sorted(other.bars), strict=True):
        assert mine == pytest.approx(vegas, abs=0.02)


@pytest.mark.parametrize(
    "made",
    [
        with_net([("revenue", "bonus", Decimal(38500)), ("cost", "energy", Decimal(1950))]),
        with_net([("revenue", "bonus", Decimal("0.1")), ("cost", "energy", Decimal("1250.005"))]),
        with_net([("revenue", "bonus", Decimal("0.00031")), ("cost", "energy", Decimal(0))]),
        with_net([("revenue", "bonus", Decimal(73_000_000_000)), ("cost", "energy", Decimal(1))]),
        with_net([("revenue", "clawback", Decimal(-70)), ("cost", "energy", Decimal(35))]),
        with_net([("revenue", "bonus", Decimal(5)), ("cost", "refund", Decimal(-4))]),
        statement(
            (SEPTEMBER, "revenue", "bonus", Decimal(10), 0),
            (SEPTEMBER, "net", "net", Decimal(10), 0),
            (OCTOBER, "revenue", "bonus", None, 1),
            (OCTOBER, "cost", "energy", Decimal(2), 1),
            (OCTOBER, "net", "net", Decimal(-2), 1),
        ),
    ],
    ids=["gain", "loss", "tiny", "huge", "clawback", "refund", "unknown"],
)
def test_it_is_drawn_as_vega_draws_it(made: Statement) -> None:
    _same(by_hand(made), by_vega(made))


@settings(max_examples=15, deadline=None)
@given(
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
    st.decimals(-(10**9), 10**9, places=2, allow_nan=False),
)
def test_any_amounts_get_the_scale_that_vega_gives_them(revenue: Decimal, costs: Decimal) -> None:
    made = with_net([("revenue", "bonus", revenue), ("cost", "energy", costs)])
    if not revenue and not costs:
        assert statement_sketch(made) == ""
    else:
        _same(by_hand(made), by_vega(made))


def test_it_tells_exact_amounts_and_what_is_incomplete() -> None:
    made = statement(
        (OCTOBER, "revenue", "bonus", None, 1),
        (OCTOBER, "cost", "energy", Decimal("1250.005"), 1),
        (OCTOBER, "net", "net", Decimal("-1250.005"), 1),
    )
    sketch = statement_sketch(made)
    assert f'aria-label="{words(made)}"' in sketch
    told = "\N{MINUS SIGN}1,250.01 (incomplete: 1 row without a price) USD"
    assert f"Oct 2025 \N{MIDDLE DOT} Costs {told}" in sketch
    assert f"Oct 2025 \N{MIDDLE DOT} Net profit {told}" in sketch
    assert "Oct 2025 \N{MIDDLE DOT} Revenue" not in sketch


def test_nothing_to_draw_is_no_chart() -> None:
    unknown = statement((OCTOBER, "revenue", "bonus", None, 1), (OCTOBER, "net", "net", None, 1))
    assert statement_sketch(unknown) == ""


def test_the_line_joins_what_is_known() -> None:
    days = [OCTOBER + timedelta(days=31 * number) for number in range(3)]
    amounts = (Decimal(30), None, Decimal(10))
    made = statement(
        *(
            (day.replace(day=1), section, "any", amount, 0)
            for day, amount in zip(days, amounts, strict=True)
            for section in ("revenue", "net")
        )
    )
    root = ET.fromstring(statement_sketch(made))  # noqa: S314 - drawn here
    (line,) = (part for part in root.iter("line") if part.get("class") == "pnl-net")
    ends = [float((line.get(name) or "").rstrip("%")) for name in ("x1", "y1", "x2", "y2")]
    assert ends == pytest.approx([100 / 6, 0, 500 / 6, HEIGHT * 2 / 3], abs=0.01)
    assert len(list(root.iter("circle"))) == 2


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"),
        (-2_500_000, "\N{MINUS SIGN}2.5M"),
        (3e9, "3B"),
        (0.05, "50m"),
        (999, "999"),
        (1000, "1k"),
    ],
)
def test_short_amounts(value: float, told: str) -> None:
    assert short(value) == told


def test_a_scale_needs_something_to_measure() -> None:
    assert Scale.around([]) is None
    assert Scale.around([0.0]) is None
