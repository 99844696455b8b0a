"""Charts of the work report: lanes of sessions, hours, rates, lines; shapes differ with colours."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pnlbook.reports.backup_words import cost
from pnlbook.reports.charts import SCREEN, amounts, finished, names, texts, zero_rule
from pnlbook.reports.figures import NO_DATA, count, money, percent
from pnlbook.reports.lean import alt
from pnlbook.reports.nodes import Bar, apart
from pnlbook.reports.points import rows_height
from pnlbook.reports.work_lanes import KINDS, TOO_LONG, UNKNOWN, WAITING, WORKING

if TYPE_CHECKING:
    import polars as pl

    from pnlbook.reports.charts import Heading, Palette
    from pnlbook.reports.work_lanes import Lanes

MOST_GROUPS = 8
MOST_TOOLS = 15
HUNDRED = Decimal(100)

_LANE = 18  # pixels
_THICK = {WORKING: 12, WAITING: 5, TOO_LONG: 1.5}
_BAR = 13  # pixels, of a group of bars


@dataclass(frozen=True)
class Figures:
    """Columns that are drawn beside each other, by the name that a reader sees."""

    title: str
    columns: dict[str, str]
    colours: tuple[str, ...]


HOURS = Figures(
    "Hours",
    {
        "Session hours": "session_hours",
        "Wall hours": "wall_hours",
        "Agent hours": "agent_hours",
    },
    ("revenue", "faint", "net"),
)
EARNED = Figures(
    "Earnings and profit per session hour, USD",
    {"Earnings": "revenue_per_session_hour", "Profit": "profit_per_session_hour"},
    ("revenue", "net"),
)
_LANES = {WORKING: "revenue", WAITING: "cost", TOO_LONG: "faint", UNKNOWN: "net"}


def timeline_chart(drawn: Lanes, palette: Palette = SCREEN, title: Heading = ()) -> alt.LayerChart:
    """Return a lane for each stream of a session and day, on the book's clock."""
    rows = [
        {"lane": piece.lane, "kind": piece.kind, "start": piece.start, "end": piece.end}
        | piece.told
        for piece in drawn.pieces
    ]
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    colours = {kind: getattr(palette, name) for kind, name in _LANES.items()}
    first, last = drawn.span
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "lane:O",
            title=None,
            scale=alt.Scale(domain=list(range(len(drawn.labels)))),
            axis=_lane_names(drawn.labels),
        ),
        x=alt.X(
            "start:Q",
            title=None,
            scale=alt.Scale(domain=[first, last], nice=False, zero=False),
            axis=_clock(first, last),
        ),
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds]),
            legend=alt.Legend(
                orient="top",
                symbolType="square",
                columns=_legend_columns(4),
                labelLimit=300,
                symbolOpacity=1,
            ),
        ),
        tooltip=[alt.Tooltip(f"{name}:N", title=name) for name in _heads(rows)],
    )
    bars = [
        base.transform_filter(alt.datum.kind == kind)
        # An outline, so that seconds can be seen among hours.
        .mark_bar(size=thick, stroke=colours[kind], strokeWidth=1)
        .encode(x2="end:Q")
        for kind, thick in _THICK.items()
        if kind in kinds
    ]
    unknown = base.transform_filter(alt.datum.kind == UNKNOWN).mark_point(
        shape="diamond", size=60, strokeWidth=2
    )
    return finished(
        alt.layer(*bars, unknown),
        palette,
        height=_LANE * max(len(drawn.labels), 2),
        title=title,
        description=f"{count(drawn.sessions, 'session')} by day, the newest at the top",
    )


def groups_chart(
    frame: pl.DataFrame,
    figures: Figures,
    palette: Palette = SCREEN,
    title: Heading = (),
    what: str = "Node",
) -> alt.LayerChart:
    """Return the first groups of the frame, each with a bar for every figure.

    A click on a bar selects the group under `node`. What is not known has no bar but a dash.
    """
    shown = worked(frame)
    rows = [
        {
            "key": row["key"],
            "label": row["label"],
            "series": name,
            "value": None if row[column] is None else float(row[column]),
            "told": money(row[column]),
        }
        for row in shown.iter_rows(named=True)
        for name, column in figures.columns.items()
    ]
    order = list(figures.columns)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y(
            "label:N",
            sort=shown["label"].to_list(),
            title=None,
            axis=names(),
            scale=alt.Scale(paddingInner=0.25),
        ),
        yOffset=alt.YOffset("series:N", sort=order, scale=alt.Scale(domain=order)),
        tooltip=[
            alt.Tooltip("label:N", title=what),
            alt.Tooltip("series:N", title="Figure"),
            alt.Tooltip("told:N", title="Amount"),
        ],
    )
    picked = alt.selection_point(name="node", fields=["key"], on="click", toggle=False)
    bars = base.mark_bar(cursor="pointer").encode(
        x=alt.X("value:Q", title=None, axis=None, scale=_around_zero(rows)),
        color=alt.Color(
            "series:N",
            title=None,
            sort=order,
            scale=alt.Scale(
                domain=order, range=[getattr(palette, name) for name in figures.colours]
            ),
            legend=alt.Legend(
                orient="top", symbolType="square", columns=_legend_columns(len(order))
            ),
        ),
    )
    return finished(
        alt.layer(bars.add_params(picked), zero_rule("x", palette), texts(base, rows, palette)),
        palette,
        height=round(max(len(shown), 1) * len(order) * _BAR / 0.75),
        title=title,
        description="; ".join(f"{row['label']} {row['series']} {row['told']}" for row in rows),
    )


def worked(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the first rows with any hours, each with a label of its own."""
    return apart(frame.filter(frame["agent_hours"] > 0).head(MOST_GROUPS))


def tools_chart(
    tools: pl.DataFrame, palette: Palette = SCREEN, title: Heading = ()
) -> alt.LayerChart:
    """Return the share of failures of the most used tools, with its Wilson 95 % interval."""
    known = tools.filter(tools["success_rate_pct"].is_not_null()).head(MOST_TOOLS)
    rows = [_tool_row(row) for row in known.iter_rows(named=True)]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("label:N", sort=[row["label"] for row in rows], title=None, axis=names()),
        tooltip=[
            alt.Tooltip("label:N", title="Tool"),
            alt.Tooltip("told:N", title="Failed"),
            alt.Tooltip("rate:N", title="Rate"),
            alt.Tooltip("between:N", title="95 % interval"),
        ],
    )
    x = alt.X(
        "value:Q",
        title=None,
        scale=alt.Scale(domainMin=0, nice=True),
        axis=alt.Axis(labelExpr="datum.label + ' %'", tickCount=5, domain=False, ticks=False),
    )
    intervals = base.mark_rule(strokeWidth=2, color=palette.faint).encode(
        x=alt.X("low:Q", title=None), x2="high:Q"
    )
    points = base.mark_point(
        filled=True, size=70, opacity=1, color=palette.cost, shape="circle"
    ).encode(x=x)
    return finished(
        alt.layer(intervals, points, texts(base, rows, palette)),
        palette,
        height=rows_height(len(rows)),
        title=title,
        description="; ".join(f"{row['label']} {row['told']} failed" for row in rows),
    )


def lines_chart(
    activity: pl.DataFrame, palette: Palette = SCREEN, title: Heading = ()
) -> alt.LayerChart:
    """Return the lines of one source by class of file: added to the right, deleted to the left."""
    rows = [
        {
            "label": class_label(row["file_class"]),
            "series": name,
            "value": sign * row[column],
            "told": f"{row[column]:,}",
        }
        for row in activity.iter_rows(named=True)
        for name, column, sign in (("added", "lines_added", 1), ("deleted", "lines_deleted", -1))
        if row[column] is not None
    ]
    order = list(dict.fromkeys(row["label"] for row in rows))
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(height={"band": 0.66})
        .encode(
            y=alt.Y("label:N", sort=order, title=None, axis=names()),
            x=alt.X("value:Q", title=None, axis=amounts()),
            color=alt.Color(
                "series:N",
                title=None,
                scale=alt.Scale(domain=["added", "deleted"], range=[palette.revenue, palette.cost]),
                legend=alt.Legend(
                    orient="top",
                    symbolType="square",
                    labelExpr="datum.label == 'added' ? 'added (right)' : 'deleted (left)'",
                ),
            ),
            tooltip=[
                alt.Tooltip("label:N", title="Class of file"),
                alt.Tooltip("series:N", title="Lines"),
                alt.Tooltip("told:N", title="Number"),
            ],
        )
    )
    return finished(
        alt.layer(bars, zero_rule("x", palette)),
        palette,
        height=rows_height(len(order)),
        title=title,
        description="; ".join(f"{row['label']} {row['told']} {row['series']}" for row in rows),
    )


def model_bars(models: pl.DataFrame) -> list[Bar]:
    """Return the models that are known to have cost something, dearest first."""
    return [
        Bar(row["model"] or "", model_label(row["model"]), row["cost_usd"], at_least(row))
        for row in models.iter_rows(named=True)
        if row["cost_usd"]
    ]


def at_least(row: dict[str, Any]) -> str:
    """Return what models cost, marked where that is only a lower bound."""
    told = cost(row.get("cost_usd", row.get("model_cost_usd")))
    return f"≥ {told}" if row["at_least"] and told != NO_DATA else told


def model_label(model: str | None) -> str:
    """Return the name of a model."""
    return "model not told" if model is None else model


def class_label(file_class: str | None) -> str:
    """Return the class of a file."""
    return "class not known" if file_class is None else file_class


def _tool_row(row: dict[str, Any]) -> dict[str, Any]:
    low, high = (HUNDRED - row[f"success_rate_{end}_pct"] for end in ("high", "low"))
    rate = HUNDRED - row["success_rate_pct"]
    return {
        "label": row["tool_name"],
        "value": float(rate),
        "low": float(low),
        "high": float(high),
        "told": f"{row['failures']:,} of {row['successes'] + row['failures']:,}",
        "rate": percent(rate),
        "between": f"{percent(low)} to {percent(high)}",
    }


def _around_zero(rows: list[dict[str, Any]]) -> alt.Scale:
    """Return a scale that keeps zero on the left where there is nothing but zero."""
    return alt.Scale() if any(row["value"] for row in rows) else alt.Scale(domain=[0, 1])


def _legend_columns(most: int) -> alt.ExprRef:
    """Return how many names of a legend stand beside each other: on a phone, one."""
    return alt.ExprRef(f"containerSize()[0] < 500 ? 1 : {most}")


def _heads(rows: list[dict[str, Any]]) -> list[str]:
    return [name for name in next(iter(rows), {}) if name[:1].isupper()]


def _lane_names(labels: list[str]) -> alt.Axis:
    return alt.Axis(
        # Lanes are numbers, for two may have the same label.
        labelExpr=f"{json.dumps(labels)}[datum.value]",
        labelLimit=alt.ExprRef("containerSize()[0] < 600 ? 110 : 230"),
        labelPadding=6,
        domain=False,
        ticks=False,
        grid=False,
    )


def _clock(first: float, last: float) -> alt.Axis:
    every = 1 if last - first <= 8 else 2 if last - first <= 16 else 4  # noqa: PLR2004 - hours
    hours = [hour for hour in range(int(first), int(last) + 1) if hour % every == 0]
    return alt.Axis(
        values=hours,
        labelExpr="format(datum.value, '02d') + ':00'",
        labelOverlap="greedy",
        orient="top",
        domain=False,
        ticks=False,
    )
