"""What the book remembers of each load: its row in `loads`, its rejects, and what to tell of it."""

from __future__ import annotations

import getpass
import json
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa

from pnlbook import __version__
from pnlbook.book import identifier, run
from pnlbook.load.result import SHOWN_REJECTS, FileResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from pnlbook.load.result import Reject
    from pnlbook.load.stage import Staged

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_SHOWN = 60  # characters of a name in a note
UNNAMED = {"node_id": "nodes", "project_id": "projects"}  # where their names stand


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


@dataclass(frozen=True)
class Outcome:
    """What became of one entry."""

    load_id: int
    batch_id: int
    status: str
    added: int = 0
    superseded: int = 0
    unchanged: int = 0


def record(connection: duckdb.DuckDBPyConnection, entry: Entry, outcome: Outcome) -> None:
    """Write the entry's row in `loads`, and its rejects."""
    staged = entry.staged
    first, last, amount, unpriced = _amounts(connection, staged)
    understood = json.loads(staged.plan.record()) if staged else None
    insert_load(
        connection,
        {
            "load_id": outcome.load_id,
            "batch_id": outcome.batch_id,
            "status": outcome.status,
            "table_name": entry.table,
            "source": entry.source,
            "location": entry.location,
            "format": entry.format,
            "content_sha256": entry.content_hash,
            "content_bytes": entry.size,
            "mapping": json.dumps({"request": json.loads(entry.request), "understood": understood}),
            "rows_read": staged.rows_read if staged else len(entry.rejects),
            "rows_added": outcome.added,
            "rows_superseded": outcome.superseded,
            "rows_unchanged": outcome.unchanged,
            "rows_refused": len(entry.rejects),
            "first_at": first,
            "last_at": last,
            "amount_usd": amount,
            "unpriced_rows": unpriced,
            "started_at": entry.started_at.isoformat(),
        },
    )
    record_rejects(connection, entry.rejects, entry.table, outcome.load_id)


def insert_load(connection: duckdb.DuckDBPyConnection, values: dict[str, object]) -> None:
    """Write a row of `loads`, committed now, by this user and program; instants are ISO 8601."""
    row = values | {
        "loaded_by": loaded_by(),
        "program_version": __version__,
    }
    run(
        connection,
        f"INSERT INTO loads ({', '.join(row)}, committed_at) "
        f"VALUES ({', '.join('?' * len(row))}, current_timestamp)",
        list(row.values()),
    )


def loaded_by() -> str:
    """Return who loads: user@host."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def record_rejects(
    connection: duckdb.DuckDBPyConnection, rejects: Sequence[Reject], table: str, load_id: int
) -> None:
    """Write what a load refused of a table."""
    if not rejects:
        return
    first = next_number(connection, "rejects", "reject_id")
    columns = {
        "location": [reject.location for reject in rejects],
        "line": [reject.line for reject in rejects],
        "column_name": [reject.column for reject in rejects],
        "value": [reject.value for reject in rejects],
        "reason": [reject.reason for reject in rejects],
        "raw": [reject.raw for reject in rejects],
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
        [first - 1, load_id, table],
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


def next_number(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, history: str | None = None
) -> int:
    """Return the number after the highest ever given in a column."""
    tables = [name for name in (table, history) if name is not None]
    highest = [number(connection, f"SELECT coalesce(max({column}), 0) FROM {t}") for t in tables]
    return max(highest) + 1


def number(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    """Return the one number that a statement yields."""
    return int(run(connection, statement)[0][0])


def read_result(connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int) -> FileResult:
    """Return what came of an entry, from what was recorded."""
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
        first_at=iso(first, zone),
        last_at=iso(last, zone),
        amount_usd=amount,
        unpriced_rows=unpriced,
        rejects=entry.rejects[:SHOWN_REJECTS],
        notes=(*staged.plan.notes, *_notes(connection, staged, load_id)) if staged else (),
    )


def _notes(connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int) -> Iterator[str]:
    """Say what a reader of the summary should not miss."""
    if not staged.rows_read:
        yield "holds no rows: nothing stands below the names of its columns."
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
    for column, table in UNNAMED.items():
        if column in staged.stored and staged.plan.table.name != table:
            known = f"SELECT DISTINCT {column} FROM {staged.table} WHERE problem = 0"
            yield from unknown_names(connection, column, known)
    if staged.plan.table.name == "model_prices":
        waiting = number(
            connection,
            "SELECT count(*) FROM communication_log "
            "WHERE cost_usd IS NULL AND has_tokens(communication_log) "
            f"AND model IN (SELECT model FROM {staged.table} WHERE problem = 0)",
        )
        if waiting:
            yield (
                f"messages of these models without a price: {waiting:,}. "
                "'pnlbook worklog reprice' prices them."
            )


def unknown_names(connection: duckdb.DuckDBPyConnection, column: str, found: str) -> Iterator[str]:
    """Say which nodes or projects, as the query `found` yields them in `column`, nobody knows."""
    table = UNNAMED[column]
    unknown = run(
        connection,
        f"SELECT {column} FROM ({found}) WHERE {column} IS NOT NULL "
        f"AND {column} NOT IN (SELECT {column} FROM {table}) ORDER BY ALL",
    )
    if unknown:
        names = [_on_a_line(name) for (name,) in unknown]
        yield (
            f"not in {table}, so shown as unattributed: {_listed(names)}. "
            f"Load a file of {table} to name them."
        )


def _listed(names: list[str]) -> str:
    """Return the first names and how many more there are."""
    first = ", ".join(names[:3])
    return first if len(names) <= 3 else f"{first} and {len(names) - 3:,} more"  # noqa: PLR2004


def _on_a_line(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[:_LONGEST_SHOWN]}…"


def iso(micros: int | None, zone: str) -> str | None:
    """Return an instant, in microseconds since 1970, as ISO 8601 in a zone."""
    if micros is None:
        return None
    return (_EPOCH + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone)).isoformat()
