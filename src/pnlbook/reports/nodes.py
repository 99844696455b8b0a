"""Nodes as a report ranks and opens them; facts without any node share the key `WITHOUT_NODE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from pnlbook.reports.figures import money
from pnlbook.reports.query import Call
from pnlbook.reports.statement import read_statement

if TYPE_CHECKING:
    from decimal import Decimal

    from pnlbook.reports.filters import Filters, Rank
    from pnlbook.reports.query import Arguments, Source
    from pnlbook.reports.statement import Statement

WITHOUT_NODE = "-"
NOBODY = "unattributed (no node)"

What: TypeAlias = Literal["node", "project"]

_STATEMENT = {
    "period_start": pl.Date(),
    "section": pl.String(),
    "kind": pl.String(),
    "amount_usd": pl.Decimal(38, 12),
    "unpriced_rows": pl.Int64(),
}


@dataclass(frozen=True)
class Bar:
    """One bar of a ranking chart; told is its amount in words where it is no sum of money."""

    key: str
    label: str
    amount: Decimal
    told: str = ""

    @property
    def said(self) -> str:
        """Return the amount as a reader sees it."""
        return self.told or money(self.amount)


@dataclass(frozen=True)
class Opened:
    """A node with its months, newest first, and the facts behind them."""

    key: str
    label: str
    months: pl.DataFrame
    rows: pl.DataFrame


def named(frame: pl.DataFrame, what: What = "node") -> pl.DataFrame:
    """Return rows of a macro by node, or by project, with a key and a label in front."""
    id_ = pl.col(f"{what}_id")
    unknown = "unattributed (" + id_ + ")"
    known = pl.when("attributed").then(f"{what}_name").otherwise(unknown)
    return frame.select(
        key=id_.fill_null(WITHOUT_NODE),
        label=known.fill_null(f"unattributed (no {what})"),
        **{name: pl.col(name) for name in frame.columns},
    )


def best(frame: pl.DataFrame, rank: Rank, most: int = 10) -> list[Bar]:
    """Return the nodes with the highest net profit, best first, or with the lowest, worst first."""
    known = frame.filter(pl.col("net_profit_usd").is_not_null())
    ordered = known.sort("net_profit_usd", "key", descending=[rank == "highest", False])
    shown = apart(ordered.head(most))
    return [Bar(*row) for row in shown.select("key", "label", "net_profit_usd").rows()]


def apart(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with a label of its own each: equal ones get their key as well."""
    return frame.with_columns(
        pl.when(pl.col("label").is_duplicated())
        .then(pl.col("label") + " · " + pl.col("key"))
        .otherwise("label")
        .alias("label")
    )


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


def with_hours(frame: pl.DataFrame, hours: pl.DataFrame) -> pl.DataFrame:
    """Return the nodes with their hours and profit per hour, where any hours are known at all."""
    if hours.is_empty():
        return frame
    return frame.join(
        hours.select("key", "session_hours", "profit_per_session_hour"),
        on="key",
        how="left",
        maintain_order="left",
    )


def position(frame: pl.DataFrame, key: str | None) -> list[int]:
    """Return where a node stands in the frame, as the selection of a table."""
    found = frame["key"].index_of(key) if key is not None else None
    return [] if found is None else [found]


def read_node(source: Source, key: str, filters: Filters) -> Opened:
    """Read the months and the facts of one node within the filters."""
    node = None if key == WITHOUT_NODE else key
    within: Arguments = {
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
