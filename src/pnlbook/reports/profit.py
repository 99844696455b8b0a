"""The figures of the profit report: answers of macros, all from the same state of the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.reports import nodes
from pnlbook.reports.memory import remembered
from pnlbook.reports.query import Call
from pnlbook.reports.statement import Statement, read_statement

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from pnlbook.reports.filters import Filters
    from pnlbook.reports.query import Arguments, Source


@dataclass(frozen=True)
class Profit:
    """What the macros say about a range; months only where the statement is by month.

    latest: the key figures of the last period, where the book holds nothing before the range.
    """

    figures: pl.DataFrame
    latest: pl.DataFrame | None
    lines: pl.DataFrame
    months: pl.DataFrame | None
    nodes: pl.DataFrame
    statement: Statement


@remembered
def read_profit(source: Source, filters: Filters, begins: date) -> Profit:
    """Read everything that the filters ask for; begins: the first day of the book's facts."""
    within: Arguments = {
        "since": filters.first,
        "until": filters.until,
        "basis": filters.basis,
        "node": filters.node,
        "project": filters.project,
    }
    with source.reader() as reader:
        lines = reader.call(Call("pnl_statement", {"grain": filters.grain, **within}))
        statement = read_statement(lines, filters.grain)
        periods = statement.periods
        alone = filters.first is not None and filters.first <= begins
        last = periods[-1:] if alone and len(periods) > 1 else ()
        by_month = filters.grain == "month"
        return Profit(
            figures=reader.call(Call("key_figures", within)),
            latest=reader.call(Call("key_figures", {**within, "since": last[0]})) if last else None,
            lines=lines,
            months=reader.call(Call("platform_profit", within)) if by_month else None,
            nodes=nodes.named(reader.call(Call("node_profit", within))),
            statement=statement,
        )
