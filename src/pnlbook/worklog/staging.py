"""Records of all logs of a load in the scratch database, the parts of each put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pnlbook.book import identifier, run
from pnlbook.worklog.records import TABLES, Merge, columns

if TYPE_CHECKING:
    import duckdb

    from pnlbook.worklog.records import Record

_BATCH = 50_000
LINES = 1 << 40  # a place is the number of its log times LINES, plus the line in it
_AGGREGATE = {
    Merge.MIN: "min({0})",
    Merge.MAX: "max({0})",
    Merge.NEW: "max({0})",
    Merge.ALL: "CASE WHEN count({0}) = count(*) THEN min({0}) END",
}


class Staging:
    """Tables `stage.<table>` (key, place, columns) that fill as logs are read."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._last: int | None = None  # the last log that anything was taken of
        self._waiting: dict[type[Record], list[tuple[int, Record]]] = {kind: [] for kind in TABLES}
        for kind, table in TABLES.items():
            self._insert(kind, f"CREATE TABLE stage.{table} AS")

    def add(self, log: int, record: Record) -> None:
        """Take a record that was found in the log of that number."""
        self._last = log
        waiting = self._waiting[type(record)]
        waiting.append((log, record))
        if len(waiting) >= _BATCH:
            self._flush(type(record))

    def withdraw(self, log: int) -> None:
        """Forget what was taken of a log, if that is the last that anything was taken of."""
        if self._last != log:
            return
        for kind, table in TABLES.items():
            self._waiting[kind] = [pair for pair in self._waiting[kind] if pair[0] != log]
            run(self._connection, f"DELETE FROM stage.{table} WHERE place // {LINES} = {log}")

    def merge(self) -> None:
        """Put the parts of each key together, into `stage.<table>_merged`."""
        for kind, table in TABLES.items():
            self._flush(kind)
            merged = ", ".join(
                f"{_AGGREGATE[column.merge].format(identifier(name))} AS {identifier(name)}"
                for name, column in columns(kind).items()
            )
            run(
                self._connection,
                f"CREATE TABLE stage.{table}_merged AS "
                f"SELECT key, min(place) AS place, {merged} FROM stage.{table} GROUP BY key",
            )

    def _flush(self, kind: type[Record]) -> None:
        if self._waiting[kind]:
            self._insert(kind, f"INSERT INTO stage.{TABLES[kind]}")
            self._waiting[kind].clear()

    def _insert(self, kind: type[Record], statement: str) -> None:
        waiting = self._waiting[kind]
        records = [record for _, record in waiting]
        batch = pa.table(
            {
                "key": pa.array([record.key for record in records], pa.string()),
                "place": pa.array([log * LINES + r.line for log, r in waiting], pa.int64()),
            }
            | {
                name: pa.array([getattr(record, name) for record in records], column.type)
                for name, column in columns(kind).items()
            }
        )
        self._connection.register("records", batch)
        run(self._connection, f"{statement} SELECT * FROM records")
        self._connection.unregister("records")
