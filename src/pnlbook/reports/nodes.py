"""Nodes as a report ranks and opens them; facts without any node share the key `WITHOUT_NODE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pnlbook.reports.query import Call
from pnlbook.reports.statement import read_statement

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from pnlbook.reports.filters import Filters, Rank
    from pnlbook.reports.query import Source
    from pnlbook.reports.statement import Statement

WITHOUT_NODE = "-"
NOBODY = "unattributed (no node)"


_STATEMENT = {
    "period_start": pl.Date(),
    "section": pl.String(),
    "kind": pl.String(),
    "amount_usd": pl.Decimal(38, 12),
    "unpriced_rows": pl.Int64(),
}


@dataclass(frozen=True)
class Bar:
    """A node in a ranking chart."""

    key: str
    label: str
    net: Decimal


@dataclass(frozen=True)
class Opened:
    """A node with its months, newest first, and the facts behind them."""

    key: str
    label: str
    months: pl.DataFrame
    rows: pl.DataFrame


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows of `node_profit` with the key and the label of each node in front."""
    unknown = "unattributed (" + pl.col("node_id") + ")"
    return frame.select(
        key=pl.col("node_id").fill_null(WITHOUT_NODE),
        label=pl.when("attributed").then("node_name").otherwise(unknown).fill_null(NOBODY),
        **{name: pl.col(name) for name in frame.columns},
    )


def best(frame: pl.DataFrame, rank: Rank, most: int = 10) -> list[Bar]:
    """Return the nodes with the highest net profit, best first, or with the lowest, worst first."""
    known = frame.filter(pl.col("net_profit_usd").is_not_null())
    ordered = known.sort("net_profit_usd", "key", descending=[rank == "highest", False])
    shown = ordered.head(most).with_columns(
        pl.when(pl.col("label").is_duplicated())
        .then(pl.col("label") + " · " + pl.col("key"))
        .otherwise("label")
        .alias("label")
    )
    return [Bar(*row) for row in shown.select("key", "label", "net_profit_usd").rows()]


def months_statement(months: pl.DataFrame) -> Statement:
    """Return the months of one node as a statement without kinds."""
    columns = {"revenue": "total_revenue_usd", "cost": "total_costs_usd", "net": "net_profit_usd"}
    rows = months.select("month", "unpriced_rows", *columns.values()).rows(named=True)
    return read_statement(
        pl.DataFrame(
            [
                {
                    "period_start": row["month"],
                    "section": section,
                    "kind": section,
                    "amount_usd": row[column],
                    "unpriced_rows": row["unpriced_rows"],
                }
                for row in rows
                for section, column in columns.items()
            ],
            schema=_STATEMENT,
        ),
        "month",
    )


def position(frame: pl.DataFrame, key: str | None) -> list[int]:
    """Return where a node stands in the frame, as the selection of a table."""
    found = frame["key"].index_of(key) if key is not None else None
    return [] if found is None else [found]


def read_node(source: Source, key: str, filters: Filters) -> Opened:
    """Read the months and the facts of one node within the filters."""
    node = None if key == WITHOUT_NODE else key
    within: dict[str, str | date | None] = {
        "since": filters.first,
        "until": filters.until,
        "basis": filters.basis,
        "project": filters.project,
    }
    with source.reader() as reader:
        # The macro has no filter for facts without a node, so their months are picked out.
        months = reader.call(Call("node_monthly_profit", {**within, "node": node}))
        rows = reader.call(Call("node_source_rows", within, leading=(node,)))
    months = named(months.filter(pl.col("node_id").eq_missing(pl.lit(node))))
    label = months["label"][0] if len(months) else NOBODY if node is None else node
    return Opened(key, label, months, rows)
