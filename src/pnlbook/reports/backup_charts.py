"""Charts of the backup report: sizes over time and costs by month; kinds differ in shape too."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from pnlbook.reports.backup_words import cost, instant, size
from pnlbook.reports.charts import SCREEN, finished, time_axis
from pnlbook.reports.figures import count
from pnlbook.reports.lean import alt
from pnlbook.reports.statement import period_label

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from pnlbook.reports.charts import Heading, Palette

KINDS = ("full", "incremental", "schema", "data")
MOST_BACKUPS = 1000  # newest first; more would hide one another
_WEEK = 7 * 86_400_000
_MANY_WEEKS = 14 * _WEEK  # in days, the labels would not fit
_SHAPES = ["circle", "triangle-up", "square", "diamond"]
_AXIS_SIZE = "replace(format(datum.value, '~s'), regexp('([kMGT]?)$'), ' $1B')"


def timeline_chart(
    backups: pl.DataFrame, palette: Palette = SCREEN, title: Heading = ()
) -> alt.LayerChart:
    """Return a point a backup at its time and stored size; removed ones are hollow."""
    rows = [_backup_row(row) for row in backups.head(MOST_BACKUPS).iter_rows(named=True)]
    kinds, colours = _kinds(backups, palette)
    shapes = [_SHAPES[KINDS.index(kind)] for kind in kinds]
    legend = alt.Legend(orient="top", direction="horizontal", symbolStrokeWidth=2)
    points = alt.Chart(alt.InlineData(values=rows)).encode(
        x=_clock([row["at"] for row in rows]),
        y=_sizes([row["size"] for row in rows]),
        stroke=alt.Stroke(
            "kind:N", title=None, scale=alt.Scale(domain=kinds, range=colours), legend=legend
        ),
        fill=alt.condition(
            "datum.kept",
            alt.Fill("kind:N", scale=alt.Scale(domain=kinds, range=colours), legend=None),
            alt.value("transparent"),
        ),
        shape=alt.Shape(
            "kind:N", title=None, scale=alt.Scale(domain=kinds, range=shapes), legend=legend
        ),
        tooltip=[
            alt.Tooltip("when:N", title="When"),
            alt.Tooltip("kind:N", title="Type"),
            alt.Tooltip("told:N", title="Stored"),
            alt.Tooltip("copies:N", title="Copies"),
        ],
    )
    return finished(
        alt.layer(points.mark_point(size=45, strokeWidth=1.5, opacity=1)),
        palette,
        height=260,
        title=title,
        description=_timeline_words(backups),
    )


def costs_chart(
    costs: pl.DataFrame, palette: Palette = SCREEN, title: Heading = ()
) -> alt.LayerChart:
    """Return the known cost of each month as a bar, parted by kind."""
    rows = [_cost_row(row) for row in costs.iter_rows(named=True) if row["cost_usd"] is not None]
    kinds, colours = _kinds(costs, palette)
    order = [period_label(month, "month") for month in sorted(set(costs["month"]))]
    bars = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("month:O", sort=order, title=None, axis=time_axis(), scale=alt.Scale(domain=order)),
        y=alt.Y("value:Q", title=None, axis=_usd()),
        color=alt.Color(
            "kind:N",
            title=None,
            sort=list(KINDS),
            scale=alt.Scale(domain=kinds, range=colours),
            legend=alt.Legend(orient="top", symbolType="square", direction="horizontal"),
        ),
        tooltip=[
            alt.Tooltip("month:N", title="Month"),
            alt.Tooltip("kind:N", title="Type"),
            alt.Tooltip("told:N", title="USD"),
        ],
    )
    width = {"band": min(0.7, 0.15 * len(order))}
    return finished(
        alt.layer(bars.mark_bar(width=width)),
        palette,
        height=260,
        title=title,
        description="; ".join(f"{row['month']} {row['kind']} {row['told']}" for row in rows),
    )


def _backup_row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": _wall_clock(row["created_at"]),
        "when": instant(row["created_at"]),
        "size": max(row["compressed_size_bytes"], 1),
        "told": size(row["compressed_size_bytes"]),
        "kind": row["backup_type"],
        "kept": row["removed_at"] is None,
        "copies": row["copy_states"] or "none",
    }


def _cost_row(row: dict[str, Any]) -> dict[str, Any]:
    missing = row["unpriced_backups"]
    note = f" (without {count(missing, 'backup')} of unknown cost)" if missing else ""
    return {
        "month": period_label(row["month"], "month"),
        "kind": row["backup_type"],
        "value": float(row["cost_usd"]),
        "told": cost(row["cost_usd"]) + note,
    }


def _kinds(frame: pl.DataFrame, palette: Palette) -> tuple[list[str], list[str]]:
    """Return the kinds that occur, each with a colour that is always its own."""
    colours = (palette.revenue, palette.cost, palette.net, palette.faint)
    found = set(frame["backup_type"])
    shown = [(kind, colour) for kind, colour in zip(KINDS, colours, strict=True) if kind in found]
    return [kind for kind, _ in shown], [colour for _, colour in shown]


def _timeline_words(backups: pl.DataFrame) -> str:
    times = backups["created_at"].to_list()
    sizes = {kind: backups.filter(backup_type=kind)["compressed_size_bytes"] for kind in KINDS}
    told = [
        f"{count(len(of_kind), kind + ' backup')}, the largest {size(max(of_kind))}"
        for kind, of_kind in sizes.items()
        if len(of_kind)
    ]
    return f"{'; '.join(told)}; from {instant(times[-1])} to {instant(times[0])}"


def _usd() -> alt.Axis:
    """Return an axis of dollars; those of backups are mostly cents."""
    return alt.Axis(format="~f", tickCount=5, domain=False, ticks=False)


def _wall_clock(at: datetime) -> int:
    """Return milliseconds that Vega shows as the book's clock, whatever the browser's zone."""
    return int(at.replace(tzinfo=UTC).timestamp() * 1000)


def _clock(times: list[int]) -> alt.X:
    """Return an axis of a week at least, so that no label is below a day."""
    first, last = min(times), max(times)
    begin, end = min(first, last - _WEEK) - _WEEK // 28, last + _WEEK // 28
    return alt.X(
        "at:T",
        title=None,
        scale=alt.Scale(type="utc", domain=[begin, end], padding=8),
        axis=alt.Axis(
            format="%b %Y" if end - begin > _MANY_WEEKS else "%-d %b",
            grid=False,
            labelOverlap="greedy",
            labelSeparation=10,
            tickCount=6,
        ),
    )


def _sizes(sizes: list[int]) -> alt.Y:
    """Return an axis that grows by powers of ten, around the sizes even where they are one."""
    low, high = (len(str(extreme)) for extreme in (min(sizes), max(sizes)))
    return alt.Y(
        "size:Q",
        title=None,
        scale=alt.Scale(type="log", domain=[10 ** (low - 1), 10**high]),
        axis=alt.Axis(
            labelExpr=_AXIS_SIZE, labelOverlap="greedy", tickCount=5, domain=False, ticks=False
        ),
    )
