"""Headings, key figures and tables as HTML, which a screen reader can follow."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from pnlbook.reports.figures import (
    THIN_SPACE,
    count,
    money,
    percent,
    signed_money,
    signed_percent,
)
from pnlbook.reports.statement import period_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date
    from decimal import Decimal

    import polars as pl

    from pnlbook.reports.overview import Overview
    from pnlbook.reports.profit import Profit
    from pnlbook.reports.statement import Line, Section, Statement

# A page with more columns is slow and unread; the download has them all.
MOST_PERIODS = 62


def header(title: str, overview: Overview, what: str = "facts") -> str:
    """Return the title with the book, its time zone and its last load; what: what it is full of."""
    loaded = f"last load {overview.last_load}" if overview.last_load else "nothing loaded yet"
    facts = " · ".join(
        [
            f"Book <strong>{escape(overview.name)}</strong>",
            *_span(overview, what),
            f"days and months in {escape(overview.timezone)}",
            loaded,
        ]
    )
    return f'<header class="pnl-head"><h1>{escape(title)}</h1><p>{facts}</p></header>'


def _span(overview: Overview, what: str) -> list[str]:
    if overview.first is None or overview.last is None:
        return []
    months = dict.fromkeys(f"{day:%b %Y}" for day in (overview.first, overview.last))
    return [f"{what} from " + " to ".join(months)]


def section(title: str, content: str, note: str = "") -> str:
    """Return a part of the page under its heading; content and note are HTML."""
    below = f'<p class="pnl-note">{note}</p>' if note else ""
    return f'<section><h2 class="pnl-title">{escape(title)}</h2>{below}{content}</section>'


def pair(left: str, right: str, style: str = "") -> str:
    """Return two parts beside each other, on a narrow screen below each other."""
    return f'<div class="pnl-pair {style}"><div>{left}</div><div>{right}</div></div>'


def incomplete(unpriced: int) -> str:
    """Return the mark of figures that lack the value of some facts; empty when they lack none."""
    if not unpriced:
        return ""
    return mark(f"incomplete: {count(unpriced, 'row')} without a price")


def key_figures(profit: Profit) -> str:
    """Return the key figures as tiles, with the change on the period before.

    Where the book begins with the range, the change is that of the last period of the range.
    """
    latest = profit.latest
    if latest is None:
        notes = [_change(row) for row in profit.figures.iter_rows(named=True)]
    else:
        name = period_label(profit.statement.periods[-1], profit.statement.grain)
        notes = [f"{name}: {_told(row)}<br>{_change(row)}" for row in latest.iter_rows(named=True)]
    tiles = map(_tile, profit.figures.iter_rows(named=True), notes)
    return f'<dl class="pnl-tiles">{"".join(tiles)}</dl>'


def statement_table(statement: Statement, platform: pl.DataFrame | None = None) -> str:
    """Return the statement, newest period first; platform_profit has its margins and changes."""
    periods = statement.periods[::-1][:MOST_PERIODS]
    ratios = (
        {row["month"]: row for row in platform.iter_rows(named=True)}
        if platform is not None
        else {}
    )
    body = "".join(
        [
            _section(statement, "revenue", "Revenue", periods),
            _section(statement, "cost", "Costs", periods),
            _line_row(statement.sums("net"), "Net profit", periods, "pnl-net"),
            _ratio_row("Margin", "profit_margin_pct", percent, periods, ratios),
            _ratio_row(
                "Change on the month before", "net_change_usd", signed_money, periods, ratios
            ),
            _ratio_row("Change in percent", "net_change_pct", signed_percent, periods, ratios),
            _unpriced_row(statement, periods),
        ]
    )
    heads = "".join(f'<th scope="col">{period_label(p, statement.grain)}</th>' for p in periods)
    caption = f"Profit and loss by {statement.grain}, USD, newest first" + _omitted(statement)
    return html_table(caption, f'<th scope="col">USD</th><th scope="col">Total</th>{heads}', body)


def months_table(months: pl.DataFrame) -> str:
    """Return the rows of `node_monthly_profit` for one node."""
    heads = ("Month", "Revenue", "Costs", "Net profit", "Margin", "Note")
    body = "".join(
        html_row(
            period_label(row["month"], "month"),
            [
                money(row["total_revenue_usd"]),
                money(row["total_costs_usd"]),
                money(row["net_profit_usd"]),
                percent(row["profit_margin_percentage"]),
                incomplete(row["unpriced_rows"]),
            ],
        )
        for row in months.iter_rows(named=True)
    )
    head = "".join(f'<th scope="col">{name_}</th>' for name_ in heads)
    return html_table("Months in USD, newest first", head, body)


def tile(name: str, value: str, note: str, unit: str = "", marks: str = "") -> str:
    """Return a key figure with what is said below it; all but the name are HTML."""
    told = f'<span class="pnl-unit">{unit}</span>' if unit else ""
    return (
        f'<div class="pnl-tile"><dt>{escape(name)}</dt>'
        f'<dd><span class="pnl-value">{value}</span>{told}'
        f'<span class="pnl-change">{note}</span>{marks}</dd></div>'
    )


def mark(text: str) -> str:
    """Return a warning that stands beside a figure."""
    return f'<span class="pnl-mark">{escape(text)}</span>'


def arrow(change: Decimal | int) -> str:
    """Return the direction of a change, for the eye only."""
    sign = "▲" if change > 0 else "▼" if change < 0 else "="
    return f'<span aria-hidden="true">{sign}</span>'


def _tile(row: dict[str, Any], note: str) -> str:
    unit = "" if row["unit"] == "%" else row["unit"]
    name = row["figure"][:1].upper() + row["figure"][1:]
    return tile(name, _told(row), note, unit, incomplete(row["unpriced_rows"]))


def _change(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return f"before: {_told(row, 'previous_amount')}"
    if row["unit"] == "%":
        told = signed_percent(row["change"]).removesuffix(THIN_SPACE + "%") + " points"
    else:
        told = signed_money(row["change"])
    if row["change_pct"] is not None:
        told += f" ({signed_percent(row['change_pct'])})"
    missing = row["previous_unpriced_rows"]
    note = f" ({count(missing, 'row')} without a price)" if missing else ""
    before = _told(row, "previous_amount") + note
    return f"{arrow(row['change'])} {told}<br>from {before}"


def _told(row: dict[str, Any], column: str = "amount") -> str:
    return percent(row[column]) if row["unit"] == "%" else money(row[column])


def _section(statement: Statement, section: Section, name: str, periods: Iterable[date]) -> str:
    rows = [_line_row(line, line.label, periods, "pnl-kind") for line in statement.section(section)]
    return "".join(rows) + _line_row(statement.sums(section), name, periods, "pnl-sum")


def _line_row(line: Line, name: str, periods: Iterable[date], style: str) -> str:
    cells = [money(line.total)]
    cells += [money(line.amounts[p]) if p in line.amounts else "" for p in periods]
    return html_row(name, cells, style)


def _ratio_row(
    name: str,
    column: str,
    form: Callable[[Decimal | None], str],
    periods: Iterable[date],
    ratios: dict[date, dict[str, Any]],
) -> str:
    if not ratios:
        return ""
    cells = [form(ratios[period][column]) if period in ratios else "" for period in periods]
    return html_row(name, ["", *cells], "pnl-ratio")


def _unpriced_row(statement: Statement, periods: Iterable[date]) -> str:
    if not statement.unpriced_rows:
        return ""
    missing = [statement.unpriced.get(period, 0) for period in periods]
    cells = [f"{number:,}" if number else "" for number in [statement.unpriced_rows, *missing]]
    return html_row("Rows without a price", cells, "pnl-ratio pnl-mark")


def _omitted(statement: Statement) -> str:
    older = len(statement.periods) - MOST_PERIODS
    return f"; {count(older, 'older ' + statement.grain)} only in the download" if older > 0 else ""


def html_row(name: str, cells: list[str], style: str = "") -> str:
    """Return a row of HTML: its name as a heading, then its cells, which are HTML already."""
    told = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr class="{style}"><th scope="row">{escape(name)}</th>{told}</tr>'


def html_table(caption: str, head: str, body: str) -> str:
    """Return a table that scrolls sideways within its own frame."""
    table = (
        f'<table class="pnl-table"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
    region = f'class="pnl-scroll" tabindex="0" role="region" aria-label="{caption}"'
    return f"<div {region}>{table}</div>"
