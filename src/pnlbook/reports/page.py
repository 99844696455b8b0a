"""The parts of a report's page in marimo: header, messages, controls, tables, downloads."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import marimo as mo
import polars as pl

from pnlbook.reports import exports, tables
from pnlbook.reports.charts import PRINT
from pnlbook.reports.figures import money, percent
from pnlbook.reports.overview import label_of, offered

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt

    from pnlbook.reports.charts import Heading, Palette
    from pnlbook.reports.filters import Range
    from pnlbook.reports.overview import Overview

Form: TypeAlias = Callable[[Any], str]

ROWS_A_PAGE = 10
_FILE = r"((?:[^/]*/)?[^/]*)$"  # with its folder; the download has the whole path


def problem(sentence: str) -> mo.Html:
    """Return what is wrong, as one sentence."""
    said = escape(sentence[:1].upper() + sentence[1:])
    text = f'<p role="alert"><strong>No figures.</strong> {said}</p>'
    return instead(mo.callout(mo.Html(text), kind="danger"))


def header(title: str, overview: Overview, what: str = "facts") -> mo.Html:
    """Return the title with the book, its time zone and its last load."""
    return mo.Html(tables.header(title, overview, what))


def how_to_load() -> mo.Html:
    """Return what to do with a book that has no facts."""
    words = mo.md(
        """
        Load earnings and costs, then reload this page:

        ```
        pnlbook load earnings.csv costs/
        ```

        `pnlbook load --help` tells which files and columns are understood;
        `pnlbook demo` makes a book filled with sample data.
        """
    )
    return instead(section("This book is empty", words))


def nothing(filters: Range, what: str = "", of_what: str = "facts") -> mo.Html:
    """Return that the filters leave no facts, of a node or at all."""
    of = f" of {what}" if what else ""
    text = f"No {of_what}{of} match these filters ({exports.scope(filters)})."
    return instead(mo.Html(f'<p class="pnl-note" role="status">{escape(text)}</p>'))


def section(title: str, content: object, note: str = "") -> mo.Html:
    """Return a part of the page under its heading; content and note may be HTML."""
    return mo.Html(tables.section(title, _html(content), note))


def choice(
    label: str, everything: str, choices: Mapping[str, str], chosen: str | None
) -> mo.ui.dropdown:
    """Return a searchable list of ids by label, whose first entry chooses none of them."""
    options = offered(everything, choices, chosen)
    value = label_of(options, chosen)
    return mo.ui.dropdown(options, value, searchable=True, label=label)


def pair(left: object, right: object, style: str = "") -> mo.Html:
    """Return two parts beside each other, on a narrow screen below each other."""
    return mo.Html(tables.pair(_html(left), _html(right), style))


def node_table(
    frame: pl.DataFrame, selected: list[int], on_open: Callable[[str | None], None]
) -> mo.ui.table:
    """Return the nodes to search, sort and open; `on_open` gets the key of the row selected."""
    columns = {
        "key": pl.col("key"),
        "Node": pl.col("label"),
        "Revenue": pl.col("total_revenue_usd"),
        "Costs": pl.col("total_costs_usd"),
        "Net profit": pl.col("net_profit_usd"),
        "Margin": pl.col("profit_margin_percentage"),
        "ROI": pl.col("roi_percentage"),
    }
    if "session_hours" in frame.columns:
        columns["Session h"] = pl.col("session_hours")
        columns["Profit / session h"] = pl.col("profit_per_session_hour")
    if frame["unpriced_rows"].sum():
        columns["No price"] = pl.col("unpriced_rows")
    ratios = [name for name in columns if name in {"Margin", "ROI"}]
    amounts = [name for name in columns if name not in {"key", "Node", "No price", *ratios}]
    forms = dict.fromkeys(amounts, money) | dict.fromkeys(ratios, percent)
    return open_table(frame.select(**columns), forms, selected, on_open)


def open_table(
    frame: pl.DataFrame,
    forms: Mapping[str, Form],
    selected: list[int],
    on_open: Callable[[str | None], None],
) -> mo.ui.table:
    """Return rows to search, sort and open, each with its key; `on_open` gets that of one."""
    return data_table(
        frame,
        forms,
        selection="single",
        initial_selection=selected,
        hidden_columns=["key"],
        on_change=lambda rows: on_open(rows["key"][0] if len(rows) else None),
    )


def pickable(chart: alt.LayerChart, on_open: Callable[[str | None], None]) -> mo.ui.altair_chart:
    """Return a chart whose marks can be clicked; `on_open` gets the key of the one selected."""

    def opened(_: object) -> None:
        keys = shown.selections.get("node", {}).get("key", [])
        on_open(str(keys[0]) if keys else None)

    shown = mo.ui.altair_chart(
        chart, chart_selection=False, legend_selection=False, on_change=opened
    )
    return shown


def source_table(rows: pl.DataFrame) -> mo.ui.table:
    """Return the facts behind a node, each with the file and line that it came from."""
    shown = rows.select(
        pl.col("counted_at").dt.to_string("%Y-%m-%d %H:%M").alias("When"),
        pl.col("kind").alias("Kind"),
        pl.col("revenue_usd").alias("Revenue"),
        pl.col("cost_usd").alias("Cost"),
        pl.col("payment_status").fill_null("").alias("Status"),
        pl.col("project_id").fill_null("").alias("Project"),
        pl.col("location").fill_null("").str.extract(_FILE).alias("File"),
        pl.col("source_line").alias("Line"),
        _note().alias("Note"),
    )
    return data_table(
        shown, dict.fromkeys(("Revenue", "Cost", "Line"), _or_nothing), selection=None
    )


def table_files(what: str, frame: pl.DataFrame, filters: Range) -> list[mo.download]:
    """Return buttons that give a macro's rows as CSV and as Parquet."""
    made: dict[str, Callable[[], bytes]] = {
        "csv": lambda: exports.csv(frame),
        "parquet": lambda: exports.parquet(frame),
    }
    return [_file(what, ending, make, filters) for ending, make in made.items()]


def picture_file(
    what: str, title: str, draw: Callable[[Palette, Heading], alt.TopLevelMixin], filters: Range
) -> mo.download:
    """Return a button that gives a chart as a picture, which says what it shows."""
    heading = (title, exports.scope(filters))
    return _file(what, "png", lambda: exports.png(draw(PRINT, heading)), filters)


def files(buttons: list[mo.download]) -> mo.Html:
    """Return the buttons in a row."""
    return mo.hstack(buttons, justify="start", wrap=True)


def instead(words: mo.Html) -> mo.Html:
    """Mark what the report says in place of its charts, which the first view gives way to."""
    return mo.Html(f"<div data-pnl-said>{words.text}</div>")


def _html(part: object) -> str:
    return part if isinstance(part, str) else str(mo.as_html(part).text)


def _file(what: str, ending: str, make: Callable[[], bytes], filters: Range) -> mo.download:
    name = exports.file_name(what, filters, ending)
    label = f"{what.capitalize()} as {ending.upper() if ending != 'parquet' else 'Parquet'}"
    return mo.download(make, name, label=label)


def _note() -> pl.Expr:
    unpriced = pl.col("revenue_usd").is_null() & pl.col("cost_usd").is_null()
    return (
        pl.when(unpriced)
        .then(pl.lit("no price known"))
        .when("carried")
        .then(pl.lit("cost carried by the payment"))
        .otherwise(pl.lit(""))
    )


def _or_nothing(value: Decimal | int | None) -> str:
    """Return an amount or a line number; a revenue has no cost, which is not an unknown one."""
    if value is None:
        return ""
    return money(value) if isinstance(value, Decimal) else str(value)


def data_table(
    frame: pl.DataFrame,
    forms: Mapping[str, Form],
    **options: Any,  # noqa: ANN401 - those of mo.ui.table
) -> mo.ui.table:
    """Return a table of data to sort, search and page through."""
    return mo.ui.table(
        frame,
        page_size=ROWS_A_PAGE,
        pagination=True,
        show_data_types=False,
        show_column_summaries=False,
        show_download=False,
        format_mapping=dict(forms),
        text_justify_columns=dict.fromkeys([*forms, *_numbers(frame)], "right"),
        **options,
    )


def _numbers(frame: pl.DataFrame) -> list[str]:
    return [name for name, kind in frame.schema.items() if kind.is_numeric()]
