"""The parts of the backup report in marimo: messages, tables to search, downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import marimo as mo
import polars as pl

from pnlbook.reports import backup_tables, exports, page
from pnlbook.reports.backup_words import cost, instant, seconds, size
from pnlbook.reports.charts import PRINT
from pnlbook.reports.page import data_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import altair as alt

    from pnlbook.reports.backups import Backups
    from pnlbook.reports.charts import Heading, Palette

_MINUTES = "%Y-%m-%d %H:%M"


def protection(backups: Backups) -> mo.Html:
    """Return whether the book is protected, green, amber or red."""
    said = mo.Html(backup_tables.protection(backups))
    if not backups.protected:
        return mo.callout(said, kind="danger")
    return mo.callout(said, kind="success" if backups.warnings.is_empty() else "warn")


def how_to_begin() -> mo.Html:
    """Return what to do with a book that has no backups."""
    words = mo.md(
        """
        Make a key and the first backup, then reload this page:

        ```
        pnlbook keys new
        pnlbook backup create
        ```

        Keep a copy of the key away from this machine: without it no backup can be opened.
        `pnlbook backup --help` tells how to choose vaults, schedule backups and try a restore.
        """
    )
    return page.section("No backup yet", words)


def backups_table(frame: pl.DataFrame) -> mo.ui.table:
    """Return the rows of backup_list to search and sort."""
    shown = frame.select(
        _clock("created_at").alias("When"),
        pl.col("backup_type").alias("Type"),
        pl.col("compressed_size_bytes").alias("Stored"),
        pl.col("book_rows").alias("Rows"),
        pl.col("cost_usd").alias("Cost"),
        pl.col("copy_states").fill_null("none").alias("Copies"),
        _clock("last_verified_at").fill_null("never").alias("Last verified"),
        _note().alias("Note"),
        pl.col("backup_id").alias("Backup"),
    )
    return data_table(
        shown,
        {"Stored": size, "Cost": cost, "Rows": _number},
        selection=None,
        wrapped_columns=["Copies"],
    )


def restores_table(frame: pl.DataFrame) -> mo.ui.table:
    """Return the restores and drills to search and sort."""
    result = pl.when("success").then(pl.lit("passed")).otherwise(pl.lit("failed"))
    shown = frame.select(
        _clock("started_at").alias("When"),
        pl.col("kind").alias("Kind"),
        pl.when(pl.col("success").is_null())
        .then(pl.lit("did not end"))
        .otherwise(result)
        .alias("Result"),
        pl.col("vault").fill_null("").alias("Vault"),
        pl.col("rows_restored").alias("Rows"),
        pl.col("seconds").alias("Took"),
        pl.col("error_message").fill_null("").alias("Problem"),
        pl.col("backup_id").alias("Backup"),
    )
    return data_table(
        shown, {"Rows": _number, "Took": seconds}, selection=None, wrapped_columns=["Problem"]
    )


def table_files(what: str, frame: pl.DataFrame, backups: Backups) -> list[mo.download]:
    """Return buttons that give a macro's rows as CSV, lists as text, and as Parquet."""
    return [
        _file(what, "csv", lambda: exports.csv(_flat(frame)), backups),
        _file(what, "parquet", lambda: exports.parquet(frame), backups),
    ]


def picture_file(
    what: str, title: str, draw: Callable[[Palette, Heading], alt.TopLevelMixin], backups: Backups
) -> mo.download:
    """Return a button that gives a chart as a picture, which says what it shows."""
    heading = (title, f"book {backups.name}, {instant(backups.moment)}, {backups.timezone}")
    return _file(what, "png", lambda: exports.png(draw(PRINT, heading)), backups)


def _file(what: str, ending: str, make: Callable[[], bytes], backups: Backups) -> mo.download:
    name = f"backups-{what}-{backups.moment:%Y-%m-%d}.{ending}"
    label = f"{what.capitalize()} as {ending.upper() if ending != 'parquet' else 'Parquet'}"
    return mo.download(make, name, label=label)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its lists as text, for CSV has none."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List)]
    return frame.with_columns(pl.col(name).list.join("; ") for name in lists)


def _clock(column: str) -> pl.Expr:
    return pl.col(column).dt.to_string(_MINUTES)


def _note() -> pl.Expr:
    return (
        pl.when(pl.col("removed_at").is_not_null())
        .then(pl.lit("removed"))
        .when(~pl.col("restorable"))
        .then(pl.lit("cannot be restored"))
        .when(pl.col("marked_at").is_not_null())
        .then(pl.lit("marked for removal"))
        .otherwise(pl.lit(""))
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
