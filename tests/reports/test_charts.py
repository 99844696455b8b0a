from __future__ import annotations

import struct
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.reports.test_statement import statement, with_net

from pnlbook.reports import charts, exports
from pnlbook.reports.charts import PRINT, SCREEN
from pnlbook.reports.nodes import Bar
from pnlbook.reports.statement import waterfall

if TYPE_CHECKING:
    import altair as alt

OCTOBER = date(2025, 10, 1)
LOSS = with_net([("revenue", "bonus", Decimal("0.1")), ("cost", "energy", Decimal("1250.005"))])


def values(chart: alt.LayerChart) -> list[dict[str, Any]]:
    """Return the rows that a chart is drawn from."""
    rows: list[dict[str, Any]] = max(chart.to_dict()["datasets"].values(), key=len)
    return rows


def test_bars_tell_exact_amounts() -> None:
    assert [(row["series"], row["told"]) for row in values(charts.statement_chart(LOSS))] == [
        ("Revenue", "0.10"),
        ("Costs", "\N{MINUS SIGN}1,250.01"),
        ("Net profit", "\N{MINUS SIGN}1,249.91"),
    ]


def test_what_is_unpriced_is_told_and_what_is_unknown_not_drawn() -> None:
    made = statement(
        (OCTOBER, "revenue", "bonus", None, 1),
        (OCTOBER, "cost", "energy", Decimal(2), 1),
        (OCTOBER, "net", "net", Decimal(-2), 1),
    )
    told = {row["series"]: row["told"] for row in values(charts.statement_chart(made))}
    assert told == {
        "Costs": "\N{MINUS SIGN}2.00 (incomplete: 1 row without a price)",
        "Net profit": "\N{MINUS SIGN}2.00 (incomplete: 1 row without a price)",
    }


def test_a_waterfall_of_a_loss_ends_below_zero() -> None:
    rows = values(charts.waterfall_chart(waterfall(LOSS)))
    assert [(row["label"], row["role"], row["told"]) for row in rows] == [
        ("Bonus", "revenue", "+0.10"),
        ("Revenue", "subtotal", "0.10"),
        ("Energy", "cost", "\N{MINUS SIGN}1,250.01"),
        ("Net loss", "net", "\N{MINUS SIGN}1,249.91"),
    ]
    assert rows[2]["start"] == 0.1
    assert rows[3]["end"] == pytest.approx(-1249.905)


def test_charts_describe_themselves() -> None:
    described = charts.statement_chart(LOSS).to_dict()["description"]
    assert described == (
        "Revenue 0.10, costs 1,250.01 and net profit \N{MINUS SIGN}1,249.91 USD over 1 month"
    )
    bars = [Bar("a", "Alex", Decimal(5))]
    assert charts.ranking_chart(bars).to_dict()["description"] == "Alex 5.00"


def test_colours_on_a_screen_follow_the_page_and_in_a_picture_are_fixed() -> None:
    on_screen = str(charts.waterfall_chart(waterfall(LOSS), SCREEN).to_dict())
    on_paper = str(charts.waterfall_chart(waterfall(LOSS), PRINT).to_dict())
    assert "var(--pnl-cost)" in on_screen
    assert "var(" not in on_paper


@pytest.mark.parametrize(
    "chart",
    [
        charts.statement_chart(LOSS, PRINT, ("Title", "below")),
        charts.waterfall_chart(waterfall(LOSS), PRINT, ("Title", "below")),
        charts.ranking_chart([Bar("a", "Alex", Decimal(5))], PRINT, ("Title", "below")),
    ],
    ids=["statement", "waterfall", "ranking"],
)
def test_pictures_are_drawn_at_twice_the_size(chart: alt.LayerChart) -> None:
    picture = exports.png(chart)
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    assert width >= 2 * int(PRINT.width)
    assert height > 100
