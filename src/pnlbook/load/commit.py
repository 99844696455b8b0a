"""The one short transaction that puts staged sources into the book, all of them or none.

A row whose key the book does not hold is added; one with other content supersedes the book's, which
moves to history; an equal one changes nothing. Columns that a source does not have keep what the
book says.
"""

from __future__ import annotations

import getpass
import json
import socket
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from pnlbook import __version__
from pnlbook.book import identifier, quote, run
from pnlbook.load.clean import constant
from pnlbook.load.result import SHOWN_REJECTS, FileResult, Progress
from pnlbook.load.stage import key_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pnlbook.load.result import Reject
    from pnlbook.load.stage import Staged

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN_AMOUNTS = ("amount_usd", "gross_amount_usd")


@dataclass(frozen=True)
class Entry:
    """One source as it is recorded: what was asked, its content hash, and the rows, if any.

    staged: None for a source that could not be taken apart at all.
    """

    location: str
    format: str
    table: str
    source: str
    request: str
    content_hash: str
    size: int
    started_at: datetime
    staged: Staged | None
    rejects: tuple[Reject, ...]


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
        if one.plan.table.amount is not None and "token" in one.stored:
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


def commit(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[Entry],
    *,
    dry_run: bool,
    on_progress: Callable[[Progress], None],
) -> list[FileResult]:
    """Put every source into the book that is the connection's default database."""
    run(connection, "BEGIN")
    try:
        first = _next(connection, "loads", "load_id")
        results = []
        for number, entry in enumerate(entries):
            on_progress(Progress("writing", entry.location, 0, number, len(entries)))
            results.append(_load(connection, entry, first + number, first))
        run(connection, "ROLLBACK" if dry_run else "COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return results


def record_refusal(connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> list[int]:
    """Record refused sources with their rejects, in place of earlier refusals of the same."""
    run(connection, "BEGIN")
    try:
        first = _next(connection, "loads", "load_id")
        for number, entry in enumerate(entries):
            run(
                connection,
                "DELETE FROM rejects WHERE load_id IN (SELECT load_id FROM loads "
                "WHERE status = 'refused' AND content_sha256 = ? AND table_name = ?)",
                [entry.content_hash, entry.table],
            )
            run(
                connection,
                "DELETE FROM loads "
                "WHERE status = 'refused' AND content_sha256 = ? AND table_name = ?",
                [entry.content_hash, entry.table],
            )
            _record(connection, entry, _Outcome(first + number, first, "refused"))
        run(connection, "COMMIT")
    except BaseException:
        _roll_back(connection)
        raise
    return list(range(first, first + len(entries)))


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        run(connection, "ROLLBACK")
    except duckdb.Error:
        return  # the failure ended the transaction by itself


@dataclass(frozen=True)
class _Outcome:
    """What became of one entry."""

    load_id: int
    batch_id: int
    status: str
    added: int = 0
    superseded: int = 0
    unchanged: int = 0


def _load(
    connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int, batch_id: int
) -> FileResult:
    outcome = _Outcome(load_id, batch_id, "loaded" if entry.staged else "refused")
    if entry.staged is not None:
        outcome = _merge(connection, entry.staged, outcome)
    _record(connection, entry, outcome)
    return _result(connection, entry, load_id)


def _merge(connection: duckdb.DuckDBPyConnection, staged: Staged, outcome: _Outcome) -> _Outcome:
    matched = _match(connection, staged)
    changed = _supersede(connection, staged, outcome.load_id) if matched else 0
    added = staged.rows_good - matched
    if added:
        _add(connection, staged, outcome.load_id, only_new=matched > 0)
    unchanged = matched - changed + staged.rows_repeated
    return replace(outcome, added=added, superseded=changed, unchanged=unchanged)


def _match(connection: duckdb.DuckDBPyConnection, staged: Staged) -> int:
    """Find the rows whose key the book holds, into a temporary table; return their number."""
    table = staged.plan.table
    if not run(connection, f"SELECT 1 FROM {table.name} LIMIT 1"):
        return 0
    if table.numbered:
        same = f"t.source = {quote(staged.plan.source)} AND t.source_key = s.row_key"
    else:
        same = " AND ".join(f"t.{identifier(c)} = s.{identifier(c)}" for c in table.key)
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE matched AS "
        f"SELECT s.rowid AS row, t.rowid AS target, {_differs(staged)} AS changed "
        f"FROM {staged.table} AS s JOIN {table.name} AS t ON {same} WHERE s.problem = 0",
    )
    return _number(connection, "SELECT count(*) FROM matched")


def _differs(staged: Staged) -> str:
    """Return SQL that is true when a staged row `s` says other things than the book's row `t`.

    An amount that we valued ourselves is no statement of the source: a later price changes nothing.
    """
    plan = staged.plan
    ours = {"amount_usd", "gross_amount_usd", "costs_deducted_usd"} if _by_token(staged) else set()
    tests = []
    for name in staged.stored:
        test = f"s.{identifier(name)} IS DISTINCT FROM t.{identifier(name)}"
        tests.append(f"(NOT s.by_token AND {test})" if name in ours else test)
    tests += [
        f"{constant(plan, name)} IS DISTINCT FROM t.{identifier(name)}" for name in plan.constants
    ]
    return " OR ".join(tests) or "false"


def _by_token(staged: Staged) -> bool:
    return staged.plan.table.amount is not None and "token" in staged.stored


def _supersede(connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int) -> int:
    plan, table = staged.plan, staged.plan.table
    changed = _number(connection, "SELECT count(*) FROM matched WHERE changed")
    if not changed:
        return 0
    run(
        connection,
        f"INSERT INTO {table.history} SELECT t.*, {load_id} FROM {table.name} AS t "
        "JOIN matched AS m ON t.rowid = m.target WHERE m.changed",
    )
    names = [name for name in staged.stored if name not in table.key]
    sets = [f"{identifier(name)} = n.{identifier(name)}" for name in names]
    sets += [f"{identifier(name)} = {constant(plan, name)}" for name in plan.constants]
    sets += [
        f"load_id = {load_id}",
        "source_line = n.source_line",
        f"source = {quote(plan.source)}",
    ]
    run(
        connection,
        f"UPDATE {table.name} AS t SET {', '.join(sets)} FROM ("
        f"SELECT m.target, s.*, {staged.line} AS source_line FROM {staged.table} AS s "
        "JOIN matched AS m ON s.rowid = m.row WHERE m.changed"
        ") AS n WHERE t.rowid = n.target",
    )
    return changed


def _add(
    connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int, *, only_new: bool
) -> None:
    plan, table = staged.plan, staged.plan.table
    values = {name: f"s.{identifier(name)}" for name in staged.stored}
    values |= {name: constant(plan, name) for name in plan.constants}
    if table.numbered:
        base = _next(connection, table.name, table.id_column, table.history)
        values[table.id_column] = f"s.rowid + {base}"
    key = ", ".join(f"s.{identifier(c)}::VARCHAR" for c in key_columns(plan))
    values |= {
        "source": quote(plan.source),
        "source_key": key if "," not in key else f"concat_ws('|', {key})",
        "source_line": staged.line,
        "load_id": str(load_id),
    }
    new = " AND s.rowid NOT IN (SELECT row FROM matched)" if only_new else ""
    names = ", ".join(identifier(name) for name in values)
    run(
        connection,
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values.values())} "
        f"FROM {staged.table} AS s WHERE s.problem = 0{new}",
    )


def _next(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, history: str | None = None
) -> int:
    """Return the number after the highest ever given in a column."""
    tables = [name for name in (table, history) if name is not None]
    highest = [_number(connection, f"SELECT coalesce(max({column}), 0) FROM {t}") for t in tables]
    return max(highest) + 1


def _number(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    """Return the one number that a statement yields."""
    return int(run(connection, statement)[0][0])


def _record(connection: duckdb.DuckDBPyConnection, entry: Entry, outcome: _Outcome) -> None:
    staged = entry.staged
    amounts = _amounts(connection, staged)
    run(
        connection,
        "INSERT INTO loads SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?::TIMESTAMPTZ, ?::TIMESTAMPTZ, ?::DECIMAL(38, 12), ?, ?::TIMESTAMPTZ, "
        "current_timestamp, ?, ?",
        [
            outcome.load_id,
            outcome.batch_id,
            outcome.status,
            entry.table,
            entry.source,
            entry.location,
            entry.format,
            entry.content_hash,
            entry.size,
            json.dumps(
                {
                    "request": json.loads(entry.request),
                    "understood": json.loads(staged.plan.record()) if staged else None,
                }
            ),
            staged.rows_read if staged else len(entry.rejects),
            outcome.added,
            outcome.superseded,
            outcome.unchanged,
            len(entry.rejects),
            *amounts,
            entry.started_at.isoformat(),
            f"{getpass.getuser()}@{socket.gethostname()}",
            __version__,
        ],
    )
    _record_rejects(connection, entry, outcome.load_id)


def _record_rejects(connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int) -> None:
    if not entry.rejects:
        return
    first = _next(connection, "rejects", "reject_id")
    columns = {
        "location": [reject.location for reject in entry.rejects],
        "line": [reject.line for reject in entry.rejects],
        "column_name": [reject.column for reject in entry.rejects],
        "value": [reject.value for reject in entry.rejects],
        "reason": [reject.reason for reject in entry.rejects],
        "raw": [reject.raw for reject in entry.rejects],
    }
    types = [pa.string(), pa.int64(), *(pa.string(),) * 4]
    refused = pa.table(
        {
            name: pa.array(cells, kind)
            for (name, cells), kind in zip(columns.items(), types, strict=True)
        }
    )
    connection.register("refused_rows", refused)
    run(
        connection,
        "INSERT INTO rejects SELECT row_number() OVER () + ?, ?, ?, * FROM refused_rows",
        [first - 1, load_id, entry.table],
    )
    connection.unregister("refused_rows")


def _amounts(
    connection: duckdb.DuckDBPyConnection, staged: Staged | None
) -> tuple[str | None, str | None, str | None, int]:
    """Return first and last instant (text), USD total (text) and unpriced rows of the good rows."""
    if staged is None:
        return None, None, None, 0
    table = staged.plan.table
    time = identifier(table.time) if table.time in staged.stored else "NULL"
    amount = "amount_usd" if table.amount is not None else None
    total = f"coalesce(sum({amount}), 0)" if amount else "NULL"
    unpriced = f"count(*) FILTER ({amount} IS NULL)" if amount else "0"
    (found,) = run(
        connection,
        f"SELECT min({time})::VARCHAR, max({time})::VARCHAR, ({total})::VARCHAR, {unpriced} "
        f"FROM {staged.table} WHERE problem = 0",
    )
    first, last, amount, count = found
    return first, last, amount, count


def _result(connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int) -> FileResult:
    row = run(
        connection,
        "SELECT rows_read, rows_added, rows_superseded, rows_unchanged, rows_refused, "
        "epoch_us(first_at), epoch_us(last_at), amount_usd, unpriced_rows, book_timezone() "
        "FROM loads WHERE load_id = ?",
        [load_id],
    )[0]
    read, added, superseded, unchanged, refused, first, last, amount, unpriced, zone = row
    staged = entry.staged
    return FileResult(
        load_id,
        entry.location,
        entry.format,
        entry.table,
        staged.plan.recognised_by if staged else "",
        rows_read=read,
        rows_added=added,
        rows_superseded=superseded,
        rows_unchanged=unchanged,
        rows_refused=refused,
        first_at=_iso(first, zone),
        last_at=_iso(last, zone),
        amount_usd=amount,
        unpriced_rows=unpriced,
        rejects=entry.rejects[:SHOWN_REJECTS],
        notes=(*staged.plan.notes, *_notes(connection, staged, load_id)) if staged else (),
    )


def _notes(connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int) -> Iterator[str]:
    """Say what a reader of the summary should not miss."""
    replaced = run(
        connection,
        f"SELECT DISTINCT location FROM loads WHERE load_id IN (SELECT load_id "
        f"FROM {staged.plan.table.history} WHERE superseded_by = ?) ORDER BY ALL",
        [load_id],
    )
    others = [place for (place,) in replaced if place != staged.prepared.source.location]
    if others:
        yield (
            f"rows of {_listed(others)} were superseded. If these were other facts with the same "
            "keys, load this file under a --source of its own."
        )
    for column, table in (("node_id", "nodes"), ("project_id", "projects")):
        if column not in staged.stored or staged.plan.table.name == table:
            continue
        unknown = run(
            connection,
            f"SELECT DISTINCT {column} FROM {staged.table} AS s WHERE problem = 0 "
            f"AND {column} IS NOT NULL AND {column} NOT IN (SELECT {column} FROM {table}) ORDER BY ALL",
        )
        if unknown:
            yield (
                f"not in {table}, so shown as unattributed: {_listed([n for (n,) in unknown])}. "
                f"Load a file of {table} to name them."
            )


def _listed(names: list[str]) -> str:
    """Return the first names and how many more there are."""
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3:,} more"  # noqa: PLR2004


def _iso(micros: int | None, zone: str) -> str | None:
    """Return an instant, in microseconds since 1970, as ISO 8601 in a zone."""
    if micros is None:
        return None
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone)).isoformat()
