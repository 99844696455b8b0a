"""Amounts in tokens, valued in USD at the price of their time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook.book import identifier, quote, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from pnlbook.load.record import Entry
    from pnlbook.load.stage import Staged

_TOKEN_AMOUNTS = ("amount_usd", "gross_amount_usd")


def price(connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry], max_age: str) -> None:
    """Value amounts in tokens at the last price at or before their instant, not older than max_age.

    Prices are the book's and those that the sources bring. What stays unknown stays NULL.
    """
    staged = [entry.staged for entry in entries if entry.staged is not None]
    quotes = ["SELECT token, priced_at, price_usd FROM token_prices"]
    quotes += [
        f"SELECT token, priced_at, price_usd FROM {s.table} WHERE problem = 0"
        for s in staged
        if s.plan.table.name == "token_prices"
    ]
    for one in staged:
        if by_token(one):
            _price(connection, one, " UNION ALL ".join(quotes), max_age)


def _price(
    connection: duckdb.DuckDBPyConnection, staged: Staged, quotes: str, max_age: str
) -> None:
    time = identifier(str(staged.plan.table.time))
    run(connection, f"ALTER TABLE {staged.table} ADD COLUMN by_token BOOLEAN DEFAULT false")
    value = "CAST(usd_value(s.token_amount, p.price_usd) AS DECIMAL(24, 12))"
    columns = [name for name in _TOKEN_AMOUNTS if name in staged.stored]
    sets = ", ".join(f"{name} = v.usd" for name in columns)
    run(
        connection,
        f"CREATE OR REPLACE TABLE stage.{staged.name}_values AS "
        "SELECT s.rowid AS row, "
        "CASE WHEN s.token = 'USD' THEN s.token_amount::DECIMAL(24, 12) "
        f"WHEN s.{time} - p.priced_at <= CAST({quote(max_age)} AS INTERVAL) THEN {value} "
        "END AS usd "
        f"FROM {staged.table} AS s ASOF LEFT JOIN ({quotes}) AS p "
        f"ON s.token = p.token AND s.{time} >= p.priced_at "
        "WHERE s.problem = 0 AND s.amount_usd IS NULL AND s.token_amount IS NOT NULL",
    )
    run(
        connection,
        f"UPDATE {staged.table} AS s SET {sets}, by_token = true "
        f"FROM stage.{staged.name}_values AS v WHERE s.rowid = v.row",
    )


def by_token(staged: Staged) -> bool:
    """Whether a source may give amounts in tokens, so that its rows say who valued them."""
    return staged.plan.table.amount is not None and "token" in staged.stored
