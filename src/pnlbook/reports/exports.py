"""Files to take along: tables with every digit, charts as pictures; no network is needed."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from pnlbook.reports.filters import Range

PICTURE_SCALE = 2.0


def csv(frame: pl.DataFrame) -> bytes:
    """Return the frame as CSV; amounts keep all their decimals, instants their offset from UTC."""
    return frame.write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.f%:z").encode()


def parquet(frame: pl.DataFrame) -> bytes:
    """Return the frame as Parquet, types and all."""
    file = BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def png(chart: alt.TopLevelMixin) -> bytes:
    """Return a chart as a picture, drawn by the Vega and the fonts that vl-convert brings along."""
    import vl_convert  # noqa: PLC0415 - slow to import, and only a download needs it

    specification: dict[str, Any] = chart.to_dict()
    return vl_convert.vegalite_to_png(specification, scale=PICTURE_SCALE, allowed_base_urls=[])


def scope(filters: Range) -> str:
    """Return in words what the figures of a picture cover."""
    parts = [f"{filters.first} to {filters.last}", *filters.terms]
    parts += [f"node {filters.node}"] if filters.node else []
    parts += [f"project {filters.project}"] if filters.project else []
    return " · ".join(parts)


def file_name(what: str, filters: Range, ending: str) -> str:
    """Return a name that says what it holds: `profit-nodes-2025-01-01-2025-10-31-cash.csv`."""
    days = [day.isoformat() for day in (filters.first, filters.last) if day]
    chosen = [name for name in (filters.node, filters.project) if name]
    stem = "-".join([filters.report, what, *days, *filters.marks, *chosen])
    return re.sub(r"[^\w.-]+", "_", stem) + "." + ending
