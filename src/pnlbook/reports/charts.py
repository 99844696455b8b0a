"""Charts of the reports in Altair: bars stand where floats put them, texts tell the exact amounts.

On a screen the colours are variables of the page's style sheet, so that charts follow its light or
dark theme; in a picture they are those of the light one. No meaning hangs on a colour alone: costs
and losses point down or left and carry a minus sign.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pnlbook.reports.figures import money, signed_money
from pnlbook.reports.lean import alt
from pnlbook.reports.points import (
    COSTS,
    MOST_POINTS,
    NET,
    REVENUE,
    points,
    rows_height,
    words,
)
from pnlbook.reports.statement import period_label

if TYPE_CHECKING:
    from pnlbook.reports.nodes import Bar
    from pnlbook.reports.statement import Statement, Step

# A title and, below it, what it is about.
Heading: TypeAlias = tuple[str, ...]

# "k", "M", "B" as in English finance, where SI would write "G" for a billion.
_AXIS_AMOUNT = "replace(format(datum.value, '~s'), 'G', 'B')"


@dataclass(frozen=True)
class Palette:
    """Colours and font of a chart; every kind of colour vision tells blue from vermilion."""

    revenue: str
    cost: str
    net: str
    text: str
    faint: str
    grid: str
    background: str
    font: str
    width: int | str


SCREEN = Palette(
    revenue="var(--pnl-revenue)",
    cost="var(--pnl-cost)",
    net="var(--pnl-net)",
    text="var(--pnl-text)",
    faint="var(--pnl-faint)",
    grid="var(--pnl-grid)",
    background="transparent",
    font="PT Sans, Liberation Sans, sans-serif",  # the page's own; Vega must measure what is drawn
    width="container",
)
PRINT = Palette(
    revenue="#0072b2",
    cost="#d55e00",
    net="#1f2933",
    text="#1f2933",
    faint="#5f6b7a",
    grid="#e4e7eb",
    background="#ffffff",
    font="Liberation Sans",
    width=720,
)


def statement_chart(
    statement: Statement, palette: Palette = SCREEN, title: Heading = ()
) -> alt.LayerChart:
    """Return revenue upwards and costs downwards from zero, with the net profit as a line."""
    rows = [asdict(point) for point in points(statement)]
    order = [period_label(period, statement.grain) for period in statement.periods]
    x = alt.X("period:O", sort=order, title=None, axis=time_axis())
    y = alt.Y("value:Q", title=None, axis=amounts())
    colour = alt.Color(
        "series:N",
        title=None,
        scale=alt.Scale(
            domain=[REVENUE, COSTS, NET],
            range=[palette.revenue, palette.cost, palette.net],
        ),
        legend=alt.Legend(orient="top", symbolType="square", direction="horizontal"),
    )
    told = [
        alt.Tooltip("period:N", title="Period"),
        alt.Tooltip("series:N", title="Figure"),
        alt.Tooltip("told:N", title="USD"),
    ]
    chart = alt.Chart(alt.InlineData(values=rows)).encode(x=x, y=y, color=colour, tooltip=told)
    bars = chart.transform_filter(f"datum.series != '{NET}'").mark_bar(
        width={"band": min(0.7, 0.15 * len(order))}
    )
    few = len(order) <= MOST_POINTS
    net = chart.transform_filter(f"datum.series == '{NET}'").mark_line(
        point=alt.OverlayMarkDef(size=40, filled=True) if few else False,
        strokeWidth=2 if few else 1,
    )
    zero = zero_rule("y", palette)
    return finished(
        alt.layer(bars, zero, net),
        palette,
        height=300,
        title=title,
        description=words(statement),
    )


def waterfall_chart(
    steps: list[Step], palette: Palette = SCREEN, title: Heading = ()
) -> alt.LayerChart:
    """Return one bar a step from revenue down to the net profit, each with its amount."""
    rows = [_step_row(step) for step in steps]
    colour = alt.Color(
        "role:N",
        scale=alt.Scale(
            domain=["revenue", "cost", "subtotal", "net"],
            range=[palette.revenue, palette.cost, palette.faint, palette.net],
        ),
        legend=None,
    )
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("label:N", sort=[step.label for step in steps], title=None, axis=names()),
        tooltip=[alt.Tooltip("label:N", title="Step"), alt.Tooltip("told:N", title="USD")],
    )
    bars = base.mark_bar(height={"band": 0.66}).encode(
        x=alt.X("start:Q", title=None, axis=amounts()),
        x2="end:Q",
        color=colour,
    )
    labels = texts(base, rows, palette)
    return finished(
        alt.layer(bars, zero_rule("x", palette), labels),
        palette,
        height=rows_height(len(steps)),
        title=title,
        description="; ".join(f"{step.label} {signed_money(step.amount)}" for step in steps),
    )


def ranking_chart(
    bars: list[Bar],
    palette: Palette = SCREEN,
    title: Heading = (),
    heads: tuple[str, str] = ("Node", "Net profit, USD"),
) -> alt.LayerChart:
    """Return one bar a node with its net profit; a click on it selects the node under `node`.

    heads: what the bars are of, and of what.
    """
    rows = [_bar_row(bar) for bar in bars]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("label:N", sort=[row["label"] for row in rows], title=None, axis=names()),
        tooltip=[
            alt.Tooltip("label:N", title=heads[0]),
            alt.Tooltip("told:N", title=heads[1]),
        ],
    )
    picked = alt.selection_point(name="node", fields=["key"], on="click", toggle=False)
    marks = base.mark_bar(height={"band": 0.66}, cursor="pointer").encode(
        x=alt.X("value:Q", title=None, axis=None),
        color=alt.condition("datum.value < 0", alt.value(palette.cost), alt.value(palette.revenue)),
    )
    labels = texts(base, rows, palette)
    return finished(
        alt.layer(marks.add_params(picked), zero_rule("x", palette), labels),
        palette,
        height=rows_height(len(bars)),
        title=title,
        description="; ".join(f"{bar.label} {bar.said}" for bar in bars),
    )


def _step_row(step: Step) -> dict[str, Any]:
    total = step.role in {"subtotal", "net"}
    return {
        "label": step.label,
        "role": step.role,
        "start": float(step.start),
        "end": float(step.end),
        "told": money(step.amount) if total else signed_money(step.amount),
    }


def _bar_row(bar: Bar) -> dict[str, Any]:
    return {
        "key": bar.key,
        "label": bar.label,
        "value": float(bar.amount),
        "told": bar.said,
    }


def texts(base: alt.Chart, rows: list[dict[str, Any]], palette: Palette) -> alt.Chart:
    """Return the amounts as a column of their own right of the bars, aligned on its right."""
    width = _texts_width(rows)
    texts: alt.Chart = base.mark_text(
        align="right", dx=width, color=palette.text, fontSize=12
    ).encode(x=alt.value("width"), text="told:N")
    return texts


def _texts_width(rows: list[dict[str, Any]]) -> int:
    return 12 + 7 * max((len(row["told"]) for row in rows), default=0)


def zero_rule(channel: str, palette: Palette) -> alt.Chart:
    """Return the line at zero of the channel x or y."""
    rule = alt.Chart(alt.InlineData(values=[{}])).mark_rule(color=palette.faint, tooltip=None)
    zero: alt.Chart = rule.encode(**{channel: alt.datum(0)})
    return zero


def amounts() -> alt.Axis:
    """Return an axis of amounts, short ones."""
    return alt.Axis(labelExpr=_AXIS_AMOUNT, tickCount=5, domain=False, ticks=False)


def time_axis() -> alt.Axis:
    """Return an axis of periods whose labels leave each other room."""
    return alt.Axis(labelAngle=0, labelOverlap="greedy", labelSeparation=10, ticks=False)


def names() -> alt.Axis:
    """Return an axis of names."""
    return alt.Axis(labelLimit=190, domain=False, ticks=False, grid=False, labelPadding=6)


def finished(
    chart: alt.LayerChart | alt.FacetChart,
    palette: Palette,
    *,
    height: int,
    title: Heading,
    description: str,
) -> alt.LayerChart:
    """Return a chart with its size, its title and what a screen reader says of it."""
    finished = chart.properties(
        width=palette.width,
        height=height,
        description=description,
        padding=4,
        usermeta={"embedOptions": {"renderer": "svg", "actions": False}},
    )
    if title:
        finished = finished.properties(
            title=alt.Title(
                title[0],
                subtitle=list(title[1:]),
                anchor="start",
                color=palette.text,
                subtitleColor=palette.faint,
                fontSize=16,
                subtitleFontSize=12,
                offset=12,
            )
        )
    configured: alt.LayerChart = (
        finished.configure(background=palette.background, font=palette.font)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=palette.faint,
            labelFontSize=12,
            gridColor=palette.grid,
            domainColor=palette.grid,
        )
        .configure_axisY(labelColor=palette.text)
        .configure_legend(labelColor=palette.text, labelFontSize=12)
    )
    return configured
