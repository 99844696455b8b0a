"""Taking a load back: the rows that it added go, and what it replaced stands again.

An undo is a batch of loads of its own: nothing is forgotten, and as_of any load before it still
shows what stood then. The first of the batch takes rows away; each of the others brings back the
versions of one earlier load, under that load's location, so that file and line stay right. A log of
work that is undone is read from its beginning when it is loaded again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook import __version__
from pnlbook.book import LOCK_TIMEOUT, identifier, open_book, quote, run, transaction
from pnlbook.errors import UsageError
from pnlbook.load.derive import refresh
from pnlbook.load.record import loaded_by, next_number, number
from pnlbook.load.tables import BY_NAME, TABLES, WORK, WORK_LOG
from pnlbook.load.usage import PRICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import duckdb

    from pnlbook.book import Waiting
    from pnlbook.load.tables import Table

# Messages keep the price that they were taken at, and pricing them anew is a load of its own.
UNDOABLE = tuple(table.name for table in TABLES if table.name != PRICES)
_PRICED = ("node_earnings", "deployment_costs", "marketplace_revenue", "subscription_revenue")
_SHOWN = 5
_LOAD = "SELECT table_name, source, location, format, status, batch_id FROM loads WHERE load_id = ?"
_UNCHANGED = """
SELECT load_id FROM loads ANTI JOIN undone_loads() USING (load_id)
WHERE list_contains(?, table_name) AND load_id > ? AND rows_unchanged > 0 AND (source = ? OR NOT ?)
ORDER BY load_id
"""
_RECORD = """
INSERT INTO loads BY NAME
SELECT
    ?::BIGINT AS load_id, ?::BIGINT AS batch_id, 'loaded' AS status, table_name, source, location,
    'undo' AS format, ?::VARCHAR AS mapping, ?::BIGINT AS rows_read, ?::BIGINT AS rows_superseded,
    current_timestamp AS started_at, current_timestamp AS committed_at, ?::VARCHAR AS loaded_by,
    ?::VARCHAR AS program_version
FROM loads WHERE load_id = ?
"""


class CannotUndo(UsageError):
    """A load cannot be taken back."""

    def __init__(self, load_id: int, reason: str) -> None:
        super().__init__(f"load {load_id} cannot be undone: {reason} Nothing was changed.")


@dataclass(frozen=True)
class Undone:
    """A load that was taken back, or would be; `undo_id`: the first load of the undo."""

    load_id: int
    undo_id: int
    table: str
    location: str
    rows_removed: int
    rows_restored: int


@dataclass(frozen=True)
class _Load:
    """The load to undo, of `name`: a table or, of several tables, a work log.

    same: the loads whose rows are its own, brought back or not.
    """

    load_id: int
    name: str
    source: str
    location: str
    batch_id: int
    same: str

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables that its rows went to."""
        return tuple(BY_NAME[name] for name in (WORK if self.name == WORK_LOG else (self.name,)))

    @property
    def is_work(self) -> bool:
        """Whether intervals and days are made of its rows."""
        return self.name in {WORK_LOG, *WORK}


def _keys(table: Table) -> tuple[str, ...]:
    """Return the columns that a version in history shares with its row."""
    return (table.id_column,) if table.numbered else table.key


def _joined(table: Table, left: str, right: str) -> str:
    """Return SQL that is true for two versions of one row."""
    return " AND ".join(
        f"{left}.{identifier(key)} = {right}.{identifier(key)}" for key in _keys(table)
    )


def undo(
    book: Path,
    load_id: int,
    *,
    dry_run: bool = False,
    timeout: float = LOCK_TIMEOUT,
    on_wait: Callable[[Waiting], None] | None = None,
) -> Undone:
    """Take a load back, whole or not at all; raises CannotUndo and the errors of opening a book."""
    with (
        open_book(book, write=True, timeout=timeout, on_wait=on_wait) as connection,
        transaction(connection, dry_run=dry_run),
    ):
        load = _find(connection, load_id)
        _check_unused(connection, load)
        undone = _take_back(connection, load)
        if load.is_work:
            _forget_position(connection, load)
            refresh(connection, undone.undo_id)
        return undone


def _find(connection: duckdb.DuckDBPyConnection, load_id: int) -> _Load:
    found = run(connection, _LOAD, [load_id])
    if not found:
        raise CannotUndo(load_id, "this book has none of that number ('pnlbook loads' lists them).")
    ((name, source, location, form, status, batch_id),) = found
    undone = run(connection, "SELECT undone_by FROM undone_loads() WHERE load_id = ?", [load_id])
    if status == "refused":
        raise CannotUndo(load_id, "it was refused, so none of its rows are in the book.")
    if form == "undo":
        reason = f"it is an undo itself; load {location} again to have its rows back."
        raise CannotUndo(load_id, reason)
    if undone:
        raise CannotUndo(load_id, f"load {undone[0][0]} did it already.")
    if name == PRICES:
        reason = (
            f"messages were priced by rows of {name}. Load the right prices, then run "
            "'pnlbook worklog reprice --all'."
        )
        raise CannotUndo(load_id, reason)
    same = ", ".join(map(str, _same(connection, load_id)))
    return _Load(load_id, name, source, location, batch_id, same)


def _same(connection: duckdb.DuckDBPyConnection, load_id: int) -> list[int]:
    """Return the load and the undos that brought its rows back."""
    same = [load_id]
    for undo_id, origin in run(
        connection,
        "SELECT load_id, json_extract_string(mapping, '$.restores')::BIGINT FROM loads "
        "WHERE format = 'undo' ORDER BY load_id",
    ):
        if origin in same:
            same.append(undo_id)
    return same


def _check_unused(connection: duckdb.DuckDBPyConnection, load: _Load) -> None:
    """Raise CannotUndo when a later load has built on this one."""
    for what, numbers in (
        ("replaced rows of it", _replacing(connection, load)),
        (
            "may have met its rows as unchanged, which are that load's then as well",
            _agreeing(connection, load),
        ),
        ("may have taken prices from it", _priced(connection, load)),
    ):
        if numbers:
            several = len(numbers) > 1
            reason = (
                f"{'loads' if several else 'load'} {_listed(numbers)} {what}. "
                f"Undo {'those' if several else 'that'} first, the newest before the others."
            )
            raise CannotUndo(load.load_id, reason)


def _replacing(connection: duckdb.DuckDBPyConnection, load: _Load) -> list[int]:
    replacing = " UNION ".join(
        f"SELECT t.load_id FROM {table.history} AS h JOIN {table.name} AS t "
        f"ON {_joined(table, 'h', 't')} WHERE h.load_id IN ({load.same}) "
        f"AND t.load_id NOT IN ({load.same})"
        for table in load.tables
    )
    return [load_id for (load_id,) in run(connection, f"{replacing} ORDER BY ALL")]


def _agreeing(connection: duckdb.DuckDBPyConnection, load: _Load) -> list[int]:
    tables = load.tables
    homes = {table.name for table in tables} | ({WORK_LOG} if load.is_work else set())
    of_source = all(table.numbered for table in tables)
    rows = run(connection, _UNCHANGED, [sorted(homes), load.load_id, load.source, of_source])
    return [load_id for (load_id,) in rows]


def _priced(connection: duckdb.DuckDBPyConnection, load: _Load) -> list[int]:
    """Return the loads of amounts in tokens that came with the prices or after them."""
    if load.name != "token_prices":
        return []
    facts = " UNION ALL ".join(
        f"SELECT load_id, token, {identifier(str(BY_NAME[name].time))} AS used_at FROM {name} "
        f"WHERE amount_usd IS NOT NULL AND load_id >= {load.batch_id}"
        for name in _PRICED
    )
    rows = run(
        connection,
        f"SELECT DISTINCT f.load_id FROM ({facts}) AS f JOIN ("
        "SELECT token, min(priced_at) AS since FROM token_prices "
        f"WHERE load_id IN ({load.same}) GROUP BY token"
        ") AS p ON f.token = p.token AND f.used_at >= p.since ORDER BY ALL",
    )
    return [load_id for (load_id,) in rows]


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_SHOWN]))
    more = len(numbers) - _SHOWN
    return shown if more <= 0 else f"{shown} and {more:,} more"


def _take_back(connection: duckdb.DuckDBPyConnection, load: _Load) -> Undone:
    """Move the load's versions to history, and bring back those that it had replaced."""
    first = next_number(connection, "loads", "load_id")
    versions = " UNION ALL ".join(
        f"SELECT {quote(table.name)} AS table_name, t.rowid AS target, h.load_id AS origin "
        f"FROM {table.name} AS t LEFT JOIN {table.history} AS h "
        f"ON {_joined(table, 't', 'h')} AND h.superseded_by = {load.load_id} "
        f"WHERE t.load_id IN ({load.same})"
        for table in load.tables
    )
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE taken AS SELECT *, {first} + CASE WHEN origin IS NULL THEN "
        "0 ELSE dense_rank() OVER (PARTITION BY origin IS NULL ORDER BY origin) END AS undo_id "
        f"FROM ({versions})",
    )
    for table in load.tables:
        _take_rows_back(connection, load, table)
    removed = number(connection, "SELECT count(*) FROM taken WHERE origin IS NULL")
    restored = number(connection, "SELECT count(origin) FROM taken")
    _record(connection, load, first, removed)
    return Undone(load.load_id, first, load.name, load.location, removed, restored)


def _take_rows_back(connection: duckdb.DuckDBPyConnection, load: _Load, table: Table) -> None:
    taken = f"(FROM taken WHERE table_name = {quote(table.name)})"
    run(
        connection,
        f"INSERT INTO {table.history} BY NAME SELECT t.*, m.undo_id AS superseded_by "
        f"FROM {table.name} AS t JOIN {taken} AS m ON t.rowid = m.target",
    )
    run(
        connection,
        f"DELETE FROM {table.name} "
        f"WHERE rowid IN (SELECT target FROM {taken} WHERE origin IS NULL)",
    )
    described = run(connection, f"DESCRIBE {table.name}")
    names = [name for (name, *_) in described if name not in (*_keys(table), "load_id")]
    sets = ", ".join(f"{identifier(name)} = h.{identifier(name)}" for name in names)
    run(
        connection,
        f"UPDATE {table.name} AS t SET {sets}, load_id = h.undo_id FROM ("
        f"SELECT h.*, m.undo_id FROM {table.name} AS now "
        f"JOIN {taken} AS m ON now.rowid = m.target "
        f"JOIN {table.history} AS h ON {_joined(table, 'now', 'h')} "
        f"WHERE h.superseded_by = {load.load_id}"
        f") AS h WHERE {_joined(table, 't', 'h')}",
    )


def _forget_position(connection: duckdb.DuckDBPyConnection, load: _Load) -> None:
    """Let the log be read from its beginning when it is loaded again."""
    log: list[object] = [load.source, load.location]
    run(connection, "DELETE FROM work_files WHERE source = ? AND location = ?", log)


def _record(connection: duckdb.DuckDBPyConnection, load: _Load, first: int, removed: int) -> None:
    """Write the rows in `loads`: what was taken away, then what came back of each earlier load."""
    for undo_id, origin, count in ((first, None, removed), *_brought_back(connection)):
        said = {"undoes": load.load_id} | ({} if origin is None else {"restores": origin})
        about = load.load_id if origin is None else origin
        facts = [undo_id, first, json.dumps(said), count, count, loaded_by(), __version__, about]
        run(connection, _RECORD, facts)


def _brought_back(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, int, int]]:
    yield from run(
        connection,
        "SELECT undo_id, origin, count(*) FROM taken WHERE origin IS NOT NULL GROUP BY ALL "
        "ORDER BY ALL",
    )
