"""What a page shows until its report is there: the same figures from the same reading of the book.

A first view is HTML for the start of a page's body; its script takes it away as soon as the report
shows its charts or what it says in their place.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from pnlbook.reports import tables
from pnlbook.reports.filters import from_query
from pnlbook.reports.overview import Overview, label_of, offered, read_overview
from pnlbook.reports.points import CHART, WATERFALL, rows_height
from pnlbook.reports.profit import Profit, read_profit
from pnlbook.reports.query import find_source
from pnlbook.reports.sketch import statement_sketch
from pnlbook.reports.statement import Step, waterfall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pnlbook.reports.filters import Filters

_SCRIPT = Path(__file__).with_suffix(".js")


def profit(query: Mapping[str, str | list[str]]) -> str:
    """Return the first view of the profit report under the filters of a URL.

    Empty where the report itself has something else to say: no facts, or none to draw. Raises what
    reading the book raises.
    """
    source = find_source()
    overview = read_overview(source)
    if overview.first is None or overview.last is None or overview.recent is None:
        return ""
    asked = from_query(query).within(overview.recent, overview.last)
    figures = read_profit(source, asked.of_figures(), overview.first)
    sketch = statement_sketch(figures.statement) if figures.statement.periods else ""
    return _view(_parts(overview, asked, figures, sketch)) if sketch else ""


# By the name of the report.
VIEWS: dict[str, Callable[[Mapping[str, str | list[str]]], str]] = {"profit": profit}


def _parts(overview: Overview, asked: Filters, figures: Profit, sketch: str) -> list[str]:
    statement = figures.statement
    note = tables.incomplete(statement.unpriced_rows)
    to_come = f'<div style="height: {_height(waterfall(statement))}px"></div>'
    return [
        tables.header("Profit and loss", overview),
        _controls(overview, asked),
        tables.key_figures(figures),
        tables.pair(tables.section(CHART, sketch, note), tables.section(WATERFALL, to_come, note)),
        tables.section("Statement", tables.statement_table(statement, figures.months)),
    ]


def _height(steps: list[Step]) -> int:
    """Return the height of a waterfall chart with its axis."""
    return rows_height(len(steps)) + 28


def _controls(overview: Overview, asked: Filters) -> str:
    """Return the filters as they are set, to read only."""
    nodes = offered("All nodes", overview.nodes, asked.node)
    projects = offered("All projects", overview.projects, asked.project)
    settings = {
        "Period": (f"{asked.first} \N{EN DASH} {asked.last}", "pnl-wait-period"),
        "By": (asked.grain, "pnl-wait-list"),
        "Basis": (asked.basis, "pnl-wait-list"),
        "Node": (label_of(nodes, asked.node), ""),
        "Project": (label_of(projects, asked.project), ""),
    }
    boxes = "".join(
        f'<div>{name}<span class="{style}">{escape(str(value))}</span></div>'
        for name, (value, style) in settings.items()
    )
    return f'<div class="pnl-wait" title="The filters follow in a moment.">{boxes}</div>'


def _view(parts: list[str]) -> str:
    body = "".join(f"<div>{part}</div>" for part in parts)
    script = _SCRIPT.read_text(encoding="utf-8")
    return (
        f'<main id="pnl-first" aria-busy="true"><div>{body}</div></main><script>{script}</script>'
    )
