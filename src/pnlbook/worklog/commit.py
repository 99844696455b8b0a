"""The one short transaction that puts the records of logs into the book, all of them or none.

A record whose key the book holds is put together with the book's row as its parts were with one
another; where that says something new, the row is superseded and its old version kept in history.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.book import identifier, quote, run
from pnlbook.load import Reject
from pnlbook.load.record import insert_load, next_number, record_rejects
from pnlbook.load.tables import BY_NAME, WORK_LOG
from pnlbook.worklog.records import TABLES, Merge, columns
from pnlbook.worklog.staging import LINES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import duckdb

    from pnlbook.load.tables import Schema, Table
    from pnlbook.worklog.importer import Position
    from pnlbook.worklog.records import Column, Record


@dataclass(frozen=True)
class Log:
    """A log that had something new; its number is its place in the load."""

    source: str
    location: str
    request: str
    since: int | None
    started_at: datetime
    bytes_read: int
    position: Position
    broken: tuple[Reject, ...]


@dataclass(frozen=True)
class Committed:
    """Numbers of the loads; rows refused by the book's own rules, with what is wrong with them."""

    first_load: int
    refused: tuple[Reject, ...]


def commit(connection: duckdb.DuckDBPyConnection, logs: Sequence[Log], schema: Schema) -> Committed:
    """Put what is staged into the book that is the connection's default database.

    Within the caller's transaction. Leaves the temporary table `work_counts` (log, table_name,
    rows_read, rows_added, rows_superseded, first_at, last_at), a row for each log and table.
    """
    first = next_number(connection, "loads", "load_id")
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE work_counts (log BIGINT, table_name VARCHAR, "
        "rows_read BIGINT, rows_added BIGINT, rows_superseded BIGINT, rows_refused BIGINT, "
        "first_at TIMESTAMPTZ, last_at TIMESTAMPTZ)",
    )
    refused: dict[int, list[Reject]] = defaultdict(list)
    for kind, name in TABLES.items():
        if run(connection, f"SELECT 1 FROM stage.{name}_merged LIMIT 1"):
            table = _Target(kind, BY_NAME[name], schema)
            for number, reject in _put(connection, table, logs, first):
                refused[number].append(reject)
    for number, log in enumerate(logs):
        _record(connection, first, number, log, refused[number])
    return Committed(first, tuple(reject for found in refused.values() for reject in found))


@dataclass(frozen=True)
class _Target:
    """A table that records go to."""

    kind: type[Record]
    table: Table
    schema: Schema

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns that a record has."""
        return columns(self.kind)

    def default(self, name: str) -> str | None:
        """Return the SQL of a column's default."""
        return next(c.default for c in self.schema.columns[self.table.name] if c.name == name)

    def value(self, name: str) -> str:
        """Return the SQL of a column once a record `s` has met the book's row `t`."""
        ours, theirs = f"t.{identifier(name)}", f"s.{identifier(name)}"
        if name == "cost_usd":  # what we computed goes before nothing, and after what a source says
            ours = f"CASE WHEN t.price_id IS NULL OR {theirs} IS NULL THEN {ours} END"
        merged = {
            Merge.MIN: f"least({ours}, {theirs})",
            Merge.MAX: f"greatest({ours}, {theirs})",
            Merge.NEW: f"coalesce({theirs}, {ours})",
            Merge.ALL: f"CASE WHEN t.rowid IS NULL THEN {theirs} WHEN {ours} IS NOT NULL "
            f"AND {theirs} IS NOT NULL THEN least({ours}, {theirs}) END",
        }[self.columns[name].merge]
        default = self.default(name)
        return merged if default is None else f"coalesce({merged}, {default})"

    def problems(self) -> list[tuple[str, str]]:
        """Return (what is wrong, SQL that is true of rows with it) over merged rows."""
        missing = [
            (f"{column.name} is not known", f"{identifier(column.name)} IS NULL")
            for column in self.schema.columns[self.table.name]
            if column.required and column.name in self.columns
        ]
        rules = [
            (f"it breaks the rule {rule.expression}", f"NOT ({rule.expression})")
            for rule in self.schema.rules[self.table.name]
            if rule.column in {None, *self.columns}
        ]
        return missing + rules


def _put(
    connection: duckdb.DuckDBPyConnection, target: _Target, logs: Sequence[Log], first: int
) -> list[tuple[int, Reject]]:
    _match(connection, target, logs)
    run(
        connection,
        "INSERT INTO work_counts BY NAME "
        f"SELECT log, {quote(target.table.name)} AS table_name, found AS rows_read, "
        "count(m.key) FILTER (m.target IS NULL AND m.problem = 0) AS rows_added, "
        "count(m.key) FILTER (m.changed AND m.problem = 0) AS rows_superseded, "
        "count(m.key) FILTER (m.problem > 0) AS rows_refused, "
        f"min(m.{target.table.time}) AS first_at, max(m.{target.table.time}) AS last_at FROM ("
        f"SELECT place // {LINES} AS log, count(DISTINCT key) AS found "
        f"FROM stage.{target.table.name} GROUP BY ALL) "
        f"LEFT JOIN merged AS m ON m.place // {LINES} = log GROUP BY ALL",
    )
    _supersede(connection, target, logs, first)
    _add(connection, target, logs, first)
    return _refused(connection, target, logs)


def _match(connection: duckdb.DuckDBPyConnection, target: _Target, logs: Sequence[Log]) -> None:
    """Put records and the book's rows together, into the temporary table `merged`."""
    table = target.table
    if table.numbered:
        same = f"t.source = {_source(logs)} AND t.source_key = s.key"
    else:
        same = f"t.{identifier(table.id_column)} = s.key"
    values = {name: target.value(name) for name in target.columns}
    changed = " OR ".join(f"{sql} IS DISTINCT FROM t.{identifier(n)}" for n, sql in values.items())
    merged = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in values.items())
    cases = " ".join(
        f"WHEN {sql} THEN {number}" for number, (_, sql) in enumerate(target.problems(), 1)
    )
    run(
        connection,
        "CREATE OR REPLACE TEMP TABLE merged AS "
        f"SELECT *, CASE {cases} ELSE 0 END AS problem FROM ("
        "SELECT s.key, s.place, t.rowid AS target, "
        f"t.rowid IS NOT NULL AND ({changed}) AS changed, {merged} "
        f"FROM stage.{table.name}_merged AS s LEFT JOIN {table.name} AS t ON {same})",
    )


def _source(logs: Sequence[Log]) -> str:
    """Return the SQL of a record's source, which is that of its log."""
    names = ", ".join(quote(log.source) for log in logs)
    return f"[{names}][s.place // {LINES} + 1]"


def _supersede(
    connection: duckdb.DuckDBPyConnection, target: _Target, logs: Sequence[Log], first: int
) -> None:
    table = target.table
    rows = "FROM merged AS s WHERE s.changed AND s.problem = 0"
    if not run(connection, f"SELECT 1 {rows} LIMIT 1"):
        return
    load = f"{first} + s.place // {LINES}"
    run(
        connection,
        f"INSERT INTO {table.history} BY NAME SELECT t.*, {load} AS superseded_by "
        f"FROM {table.name} AS t JOIN merged AS s ON t.rowid = s.target "
        "WHERE s.changed AND s.problem = 0",
    )
    sets = [f"{identifier(name)} = n.{identifier(name)}" for name in target.columns]
    sets += [f"{name} = n.{name}" for name in ("source", "source_line", "load_id")]
    if "cost_usd" in target.columns:
        sets.append("price_id = CASE WHEN n.cost_usd = t.cost_usd THEN t.price_id END")
    run(
        connection,
        f"UPDATE {table.name} AS t SET {', '.join(sets)} FROM (SELECT s.*, "
        f"{_source(logs)} AS source, s.place % {LINES} AS source_line, {load} AS load_id {rows}) "
        "AS n WHERE t.rowid = n.target",
    )


def _add(
    connection: duckdb.DuckDBPyConnection, target: _Target, logs: Sequence[Log], first: int
) -> None:
    table = target.table
    values = {name: f"s.{identifier(name)}" for name in target.columns}
    values[table.id_column] = "s.key"
    if table.numbered:
        base = next_number(connection, table.name, table.id_column, table.history)
        values[table.id_column] = f"{base - 1} + row_number() OVER (ORDER BY s.place, s.key)"
    values |= {
        "source": _source(logs),
        "source_key": "s.key",
        "source_line": f"s.place % {LINES}",
        "load_id": f"{first} + s.place // {LINES}",
    }
    names = ", ".join(identifier(name) for name in values)
    run(
        connection,
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values.values())} "
        "FROM merged AS s WHERE s.target IS NULL AND s.problem = 0",
    )


def _refused(
    connection: duckdb.DuckDBPyConnection, target: _Target, logs: Sequence[Log]
) -> list[tuple[int, Reject]]:
    """Return the rows that the book's rules refuse, each with the number of its log."""
    found = run(
        connection,
        f"SELECT place // {LINES}, place % {LINES}, problem, to_json(merged)::VARCHAR "
        "FROM merged WHERE problem > 0 ORDER BY place, key",
    )
    problems = target.problems()
    return [
        (log, Reject(logs[log].location, line, None, None, problems[problem - 1][0], raw))
        for log, line, problem, raw in found
    ]


def _record(
    connection: duckdb.DuckDBPyConnection, first: int, number: int, log: Log, refused: list[Reject]
) -> None:
    """Write the log's row in `loads`, its rejects, and how far it was read."""
    (counts,) = run(
        connection,
        "SELECT coalesce(sum(rows_read), 0)::BIGINT, coalesce(sum(rows_added), 0)::BIGINT, "
        "coalesce(sum(rows_superseded), 0)::BIGINT, min(first_at)::VARCHAR, max(last_at)::VARCHAR "
        "FROM work_counts WHERE log = ?",
        [number],
    )
    read, added, superseded, first_at, last_at = counts
    rejects = [*log.broken, *refused]
    insert_load(
        connection,
        {
            "load_id": first + number,
            "batch_id": first,
            "status": "loaded",
            "table_name": WORK_LOG,
            "source": log.source,
            "location": log.location,
            "format": log.source,
            "content_bytes": log.bytes_read,
            "mapping": json.dumps({"request": json.loads(log.request)}),
            "rows_read": read + len(log.broken),
            "rows_added": added,
            "rows_superseded": superseded,
            "rows_unchanged": read - added - superseded - len(refused),
            "rows_refused": len(rejects),
            "first_at": first_at,
            "last_at": last_at,
            "started_at": log.started_at.isoformat(),
        },
    )
    record_rejects(connection, rejects, WORK_LOG, first + number)
    position = log.position
    run(
        connection,
        "INSERT OR REPLACE INTO work_files VALUES (?, ?, ?, make_timestamptz(?), ?, ?, ?, ?, ?, ?)",
        [
            log.source,
            log.location,
            log.request,
            log.since,
            position.bytes_read,
            position.lines_read,
            position.head_bytes,
            position.head_sha256,
            position.state,
            first + number,
        ],
    )
