"""What models cost: the tokens of messages at the price of their time, kept with each message.

The price of a message is the last one of its model at or before `sent_at`, and of its tiers the one
that its input, cached tokens included, reaches (macro price_ranges). Where model_prices does not
know a model, list prices are added. A cost that the source of a message gave is never touched; what
tokens without a rate cost stays NULL. A price that comes later changes no cost unless asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from pnlbook.book import identifier, run
from pnlbook.load import list_prices
from pnlbook.load.record import insert_load, next_number, number
from pnlbook.load.tables import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    import duckdb

    from pnlbook.load.list_prices import ListPrice, Start

PACKAGE, REPRICE = "package", "reprice"  # formats of the loads that are made here

MESSAGES, PRICES = "communication_log", "model_prices"
_OURS = "(price_id IS NOT NULL OR cost_usd IS NULL)"
_USED = "has_tokens(communication_log)"
_FITS = (  # a message `t` and the row `p` of price_ranges that holds for it
    "t.model = p.model AND t.sent_at >= p.valid_from AND t.sent_at < p.valid_until "
    "AND all_input_tokens(t) >= p.from_input_tokens AND all_input_tokens(t) < p.below_input_tokens"
)

# What a source said of a column of communication_log `t`, where we may have written into it.
SAID = {
    "cost_usd": "CASE WHEN t.price_id IS NULL THEN t.cost_usd END",
    "cost_basis": "CASE WHEN t.price_id IS NULL OR t.cost_basis <> 'list' THEN t.cost_basis END",
}


@dataclass(frozen=True)
class Repricing:
    """Which messages to price anew; by default those without a price.

    models: only of these, as logs name them; since: only sent then (microseconds since 1970) or
    later; everything: also those that have a price.
    """

    models: tuple[str, ...] = ()
    since: int | None = None
    everything: bool = False


@dataclass(frozen=True)
class Repriced:
    """What pricing anew came to: numbers of messages, and their known costs in USD.

    load_id: None where nothing changed; unpriced: messages looked at that still have no price.
    """

    load_id: int | None
    messages: int
    changed: int
    unpriced: int
    before_usd: Decimal
    after_usd: Decimal


@dataclass(frozen=True)
class _Selection:
    """A condition over communication_log, with its parameters."""

    condition: str
    parameters: tuple[object, ...]


def price(connection: duckdb.DuckDBPyConnection, first_load: int) -> None:
    """Price the messages that the loads from `first_load` on brought.

    Within the caller's transaction, on the book that is the connection's default database. Prices
    that are added are a load of their own, after those.
    """
    run(
        connection,
        "UPDATE communication_log SET cost_usd = NULL, price_id = NULL, "
        "cost_basis = nullif(cost_basis, 'list') WHERE load_id >= ? AND price_id IS NOT NULL",
        [first_load],
    )
    used = _Selection(f"load_id >= ? AND cost_usd IS NULL AND {_USED}", (first_load,))
    if not _any(connection, used):
        return
    _add_list_prices(connection, used, first_load)
    # Straight from the prices, which are few: a table of the costs of all messages would not fit.
    run(
        connection,
        "UPDATE communication_log AS t SET cost_usd = usage_cost(t, p), price_id = p.price_id, "
        "cost_basis = coalesce(t.cost_basis, 'list') FROM price_ranges() AS p "
        f"WHERE {_FITS} AND usage_cost(t, p) IS NOT NULL AND t.load_id >= ? "
        "AND t.cost_usd IS NULL AND has_tokens(t)",
        [first_load],
    )


def reprice(connection: duckdb.DuckDBPyConnection, repricing: Repricing) -> Repriced:
    """Price messages anew; those that change are a load, and their old versions are kept.

    Within the caller's transaction. A message that has a cost keeps it where no price is known any
    more.
    """
    chosen = _chosen(repricing)
    started = datetime.now(UTC)
    _add_list_prices(connection, chosen, next_number(connection, "loads", "load_id"))
    _compute(connection, chosen)
    (found,) = run(
        connection,
        "SELECT count(*), count(*) FILTER (changed), "
        "count(*) FILTER (cost_usd IS NULL AND before_usd IS NULL), "
        "coalesce(sum(before_usd), 0), coalesce(sum(coalesce(cost_usd, before_usd)), 0), "
        "min(sent_at) FILTER (changed)::VARCHAR, max(sent_at) FILTER (changed)::VARCHAR, "
        "coalesce(sum(cost_usd) FILTER (changed), 0)::VARCHAR FROM usage_costs",
    )
    messages, changed, unpriced, before, after, first_at, last_at, amount = found
    load_id = next_number(connection, "loads", "load_id") if changed else None
    if load_id is not None:
        _supersede(connection, load_id)
        asked = {
            "models": repricing.models,
            "since": repricing.since,
            "all": repricing.everything,
        }
        insert_load(
            connection,
            {
                "load_id": load_id,
                "batch_id": load_id,
                "status": "loaded",
                "table_name": MESSAGES,
                "source": "pnlbook",
                "location": "pnlbook worklog reprice",
                "format": REPRICE,
                "mapping": json.dumps({"request": asked}),
                "rows_read": messages,
                "rows_superseded": changed,
                "rows_unchanged": messages - changed,
                "first_at": first_at,
                "last_at": last_at,
                "amount_usd": amount,
                "started_at": started.isoformat(),
            },
        )
    return Repriced(load_id, messages, changed, unpriced, before, after)


def _chosen(repricing: Repricing) -> _Selection:
    conditions, parameters = [_OURS, _USED], list[object]()
    if not repricing.everything:
        conditions.append("cost_usd IS NULL")
    if repricing.models:
        conditions.append("list_contains(?::VARCHAR[], model)")
        parameters.append(list(repricing.models))
    if repricing.since is not None:
        conditions.append("sent_at >= make_timestamptz(?)")
        parameters.append(repricing.since)
    return _Selection(" AND ".join(conditions), tuple(parameters))


def _any(connection: duckdb.DuckDBPyConnection, chosen: _Selection) -> bool:
    query = f"SELECT 1 FROM communication_log WHERE {chosen.condition} LIMIT 1"
    return bool(run(connection, query, list(chosen.parameters)))


def _compute(connection: duckdb.DuckDBPyConnection, chosen: _Selection) -> None:
    """Compute costs into the temporary table `usage_costs`, a row for each message."""
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE usage_costs AS "
        "SELECT *, coalesce(cost_usd <> before_usd, cost_usd IS NOT NULL) AS changed FROM ("
        "SELECT t.rowid AS row, t.sent_at, t.cost_usd AS before_usd, p.price_id, "
        "usage_cost(t, p) AS cost_usd FROM "
        f"(SELECT *, rowid FROM communication_log WHERE {chosen.condition}) AS t "
        f"LEFT JOIN price_ranges() AS p ON {_FITS})",
        list(chosen.parameters),
    )


def _supersede(connection: duckdb.DuckDBPyConnection, load_id: int) -> None:
    run(
        connection,
        f"INSERT INTO {BY_NAME[MESSAGES].history} BY NAME SELECT t.*, {load_id} AS superseded_by "
        f"FROM {MESSAGES} AS t JOIN usage_costs AS c ON t.rowid = c.row WHERE c.changed",
    )
    run(
        connection,
        f"UPDATE {MESSAGES} AS t SET cost_usd = c.cost_usd, price_id = c.price_id, "
        f"cost_basis = coalesce(t.cost_basis, 'list'), load_id = {load_id} "
        "FROM usage_costs AS c WHERE t.rowid = c.row AND c.changed",
    )


def _add_list_prices(
    connection: duckdb.DuckDBPyConnection, chosen: _Selection, batch_id: int
) -> None:
    """Add list prices of models without any; with a new version of them, look at all again."""
    installed = f"{list_prices.SOURCE} {list_prices.installed()}"
    known = _known(connection)
    models = set(_unknown(connection, chosen))
    if known and _last_location(connection) != installed:
        models |= set(known)
    rows = [
        row
        for model in sorted(models)
        for row in list_prices.list_prices(model, known.get(model, ()))
    ]
    if rows:
        _put(connection, rows, installed, batch_id)


def _unknown(connection: duckdb.DuckDBPyConnection, chosen: _Selection) -> list[str]:
    """Return the models of messages that no price is known for at their time."""
    found = run(
        connection,
        "SELECT model FROM (SELECT model, min(sent_at) AS first_at FROM communication_log "
        f"WHERE {chosen.condition} AND model IS NOT NULL GROUP BY model) AS used "
        "WHERE NOT EXISTS (SELECT 1 FROM model_prices AS p WHERE p.model = used.model "
        "AND (p.source = ? OR p.valid_from <= used.first_at))",
        [*chosen.parameters, list_prices.SOURCE],
    )
    return [model for (model,) in found]


def _known(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Start]]:
    """Return what each list price in the book starts with, by model."""
    found = run(
        connection,
        "SELECT model, epoch_us(valid_from), from_input_tokens FROM model_prices WHERE source = ?",
        [list_prices.SOURCE],
    )
    known: dict[str, list[Start]] = {}
    for model, micros, tokens in found:
        start = datetime.fromtimestamp(micros / 1_000_000, UTC)
        known.setdefault(model, []).append((start, tokens))
    return known


def _last_location(connection: duckdb.DuckDBPyConnection) -> str | None:
    found = run(
        connection,
        "SELECT location FROM loads WHERE format = ? ORDER BY load_id DESC LIMIT 1",
        [PACKAGE],
    )
    return found[0][0] if found else None


def _put(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[ListPrice], location: str, batch_id: int
) -> None:
    """Add list prices, supersede those that changed, and record that as a load."""
    started = datetime.now(UTC)
    load_id = next_number(connection, "loads", "load_id")
    _stage(connection, rows)
    columns = ["provider", *list_prices.RATES]
    changed = " OR ".join(f"s.{name} IS DISTINCT FROM t.{name}" for name in columns)
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE list_prices AS "
        f"SELECT s.*, t.rowid AS target, {changed} AS changed "
        "FROM staged_prices AS s LEFT JOIN model_prices AS t USING (price_id)",
    )
    connection.unregister("staged_prices")
    run(
        connection,
        f"INSERT INTO {BY_NAME[PRICES].history} BY NAME SELECT t.*, {load_id} AS superseded_by "
        "FROM model_prices AS t JOIN list_prices AS s ON t.rowid = s.target WHERE s.changed",
    )
    sets = ", ".join(f"{identifier(name)} = s.{identifier(name)}" for name in columns)
    run(
        connection,
        f"UPDATE model_prices AS t SET {sets}, load_id = {load_id} "
        "FROM list_prices AS s WHERE t.rowid = s.target AND s.changed",
    )
    run(
        connection,
        "INSERT INTO model_prices BY NAME SELECT * EXCLUDE (target, changed), ? AS source, "
        f"price_id AS source_key, {load_id} AS load_id FROM list_prices WHERE target IS NULL",
        [list_prices.SOURCE],
    )
    count = "SELECT count(*) FROM list_prices WHERE target IS "
    added = number(connection, f"{count} NULL")
    superseded = number(connection, f"{count} NOT NULL AND changed")
    insert_load(
        connection,
        {
            "load_id": load_id,
            "batch_id": batch_id,
            "status": "loaded",
            "table_name": PRICES,
            "source": list_prices.SOURCE,
            "location": location,
            "format": PACKAGE,
            "rows_read": len(rows),
            "rows_added": added,
            "rows_superseded": superseded,
            "rows_unchanged": len(rows) - added - superseded,
            "started_at": started.isoformat(),
        },
    )


def _stage(connection: duckdb.DuckDBPyConnection, rows: Sequence[ListPrice]) -> None:
    """Register the rows as `staged_prices`."""
    texts, rate = pa.string(), pa.decimal128(24, 12)
    types = {
        "price_id": texts,
        "model": texts,
        "provider": texts,
        "valid_from": pa.timestamp("us", "UTC"),
        "from_input_tokens": pa.int64(),
        **dict.fromkeys(list_prices.RATES, rate),
    }
    staged = pa.table(
        {name: pa.array([getattr(row, name) for row in rows], kind) for name, kind in types.items()}
    )
    connection.register("staged_prices", staged)
