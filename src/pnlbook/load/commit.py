"""The one short transaction that puts staged sources into the book, all of them or none.

A row whose key the book does not hold is added; one with other content supersedes the book's, which
moves to history; an equal one changes nothing. Columns that a source does not have keep what the
book says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pnlbook.book import identifier, quote, run, transaction
from pnlbook.load.derive import after_load
from pnlbook.load.price import by_token
from pnlbook.load.record import Entry, Outcome, next_number, number, read_result, record
from pnlbook.load.result import FileResult, Progress
from pnlbook.load.stage import key_columns
from pnlbook.load.usage import MESSAGES, SAID

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

    from pnlbook.load.stage import Staged


def commit(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[Entry],
    *,
    dry_run: bool,
    on_progress: Callable[[Progress], None],
) -> list[FileResult]:
    """Put every source into the book that is the connection's default database."""
    with transaction(connection, dry_run=dry_run):
        first = next_number(connection, "loads", "load_id")
        results = []
        for number, entry in enumerate(entries):
            on_progress(Progress("writing", entry.location, 0, number, len(entries)))
            results.append(_load(connection, entry, first + number, first))
        after_load(connection, first)
    return results


def record_refusal(connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> list[int]:
    """Record refused sources with their rejects, in place of earlier refusals of the same."""
    with transaction(connection):
        first = next_number(connection, "loads", "load_id")
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
            record(connection, entry, Outcome(first + number, first, "refused"))
    return list(range(first, first + len(entries)))


def _load(
    connection: duckdb.DuckDBPyConnection, entry: Entry, load_id: int, batch_id: int
) -> FileResult:
    outcome = Outcome(load_id, batch_id, "loaded" if entry.staged else "refused")
    if entry.staged is not None:
        outcome = _merge(connection, entry.staged, outcome)
    record(connection, entry, outcome)
    return read_result(connection, entry, load_id)


def _merge(connection: duckdb.DuckDBPyConnection, staged: Staged, outcome: Outcome) -> Outcome:
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
    return number(connection, "SELECT count(*) FROM matched")


def _differs(staged: Staged) -> str:
    """Return SQL that is true when a staged row `s` says other things than the book's row `t`.

    An amount that we valued ourselves is no statement of the source: a later price changes nothing.
    """
    ours = {"amount_usd", "gross_amount_usd", "costs_deducted_usd"} if by_token(staged) else set()
    tests = []
    for name, value in staged.values.items():
        test = f"{value} IS DISTINCT FROM t.{identifier(name)}"
        if name in ours:
            test = f"(NOT s.by_token AND {test})"
        elif staged.plan.table.name == MESSAGES and name in SAID:
            test = f"({test} AND {value} IS DISTINCT FROM {SAID[name]})"
        tests.append(test)
    return " OR ".join(tests) or "false"


def _supersede(connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int) -> int:
    plan, table = staged.plan, staged.plan.table
    changed = number(connection, "SELECT count(*) FROM matched WHERE changed")
    if not changed:
        return 0
    run(
        connection,
        f"INSERT INTO {table.history} BY NAME SELECT t.*, {load_id} AS superseded_by "
        f"FROM {table.name} AS t JOIN matched AS m ON t.rowid = m.target WHERE m.changed",
    )
    values = {identifier(n): v for n, v in staged.values.items() if n not in table.key}
    said = ", ".join(f"{value} AS {name}" for name, value in values.items())
    sets = [f"{name} = n.{name}" for name in values]
    sets += [
        f"load_id = {load_id}",
        "source_line = n.source_line",
        f"source = {quote(plan.source)}",
    ]
    if table.name == MESSAGES and "cost_usd" in staged.values:
        sets.append("price_id = CASE WHEN n.cost_usd IS NULL THEN t.price_id END")
    run(
        connection,
        f"UPDATE {table.name} AS t SET {', '.join(sets)} FROM ("
        f"SELECT m.target, {said}, {staged.line} AS source_line FROM {staged.table} AS s "
        "JOIN matched AS m ON s.rowid = m.row WHERE m.changed"
        ") AS n WHERE t.rowid = n.target",
    )
    return changed


def _add(
    connection: duckdb.DuckDBPyConnection, staged: Staged, load_id: int, *, only_new: bool
) -> None:
    plan, table = staged.plan, staged.plan.table
    key = ", ".join(f"s.{identifier(c)}::VARCHAR" for c in key_columns(plan))
    values = staged.values | {
        "source": quote(plan.source),
        "source_key": key if "," not in key else f"concat_ws('|', {key})",
        "source_line": staged.line,
        "load_id": str(load_id),
    }
    if table.numbered:
        base = next_number(connection, table.name, table.id_column, table.history)
        values[table.id_column] = f"s.rowid + {base}"
    new = " AND s.rowid NOT IN (SELECT row FROM matched)" if only_new else ""
    names = ", ".join(identifier(name) for name in values)
    run(
        connection,
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values.values())} "
        f"FROM {staged.table} AS s WHERE s.problem = 0{new}",
    )
