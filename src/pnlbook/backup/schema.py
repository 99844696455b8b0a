"""A schema is SQL text that makes a database's objects again, in an empty database of any name.

DuckDB's own export loses comments and the order of views, so every statement is written here from
the catalogue, and run in a scratch database in memory before it is believed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from pnlbook.backup.objects import Catalogue
from pnlbook.backup.statements import NotCarried, Statement, unqualified
from pnlbook.book import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

_EARLY = frozenset({"schema", "type", "sequence", "table"})
_LATE = frozenset({"macro", "macro table", "view"})
_SCRATCH = "scratch of a backup"
_SCRATCH_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",  # a missing table must not be found among variables
    "threads": 1,
}


@dataclass(frozen=True)
class Schema:
    """The objects of a database: `before` its rows are loaded, and `after`."""

    before: str
    after: str

    @property
    def text(self) -> str:
        """The whole, which runs in one go in an empty database."""
        return self.before + self.after


def dump_schema(connection: duckdb.DuckDBPyConnection) -> Schema:
    """Return the schema of the connection's default database; the same catalogue, the same text.

    Only reads. Not carried, as no database file keeps it: which table owns a sequence.
    Raises NotCarried for an object that would not come back as it is.
    """
    [database] = connection.execute("SELECT current_database()").fetchone() or [""]
    found = Catalogue(connection, database).statements()
    with _scratch() as scratch:
        before, after = _arrange(scratch, found, database)
        _require_same(found, Catalogue(scratch, _SCRATCH).statements())
    return Schema(_text(before), _text(after))


def _text(statements: list[Statement]) -> str:
    return "".join(statement.sql.rstrip("; \n") + ";\n" for statement in statements)


@contextmanager
def _scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an empty database whose name no schema has, alone in its memory."""
    with duckdb.connect(config=_SCRATCH_CONFIG) as connection:
        connection.execute(f"ATTACH ':memory:' AS {identifier(_SCRATCH)}")
        connection.execute(f"USE {identifier(_SCRATCH)}")
        connection.execute("DETACH memory")
        yield connection


def _arrange(
    scratch: duckdb.DuckDBPyConnection, found: list[Statement], database: str
) -> tuple[list[Statement], list[Statement]]:
    """Run the statements in an order in which each works, and return those before and after rows.

    A table whose default or check calls a macro brings the macros before the rows.
    """
    late = [s for s in found if s.kind in _LATE]
    last = [s for s in found if s.kind not in _EARLY | _LATE]
    before, stuck = _settle(scratch, [s for s in found if s.kind in _EARLY], database)
    if stuck:
        more, stuck = _settle(scratch, [*stuck, *late], database)
        before += more
        late = [s for s in stuck if s.kind in _LATE]
        _require_none(scratch, [s for s in stuck if s.kind in _EARLY])
    after, stuck = _settle(scratch, late, database)
    _require_none(scratch, stuck)
    rest, stuck = _settle(scratch, last, database)
    _require_none(scratch, stuck)
    return before, after + rest


def _settle(
    scratch: duckdb.DuckDBPyConnection, pool: list[Statement], database: str
) -> tuple[list[Statement], list[Statement]]:
    """Run what can be run, until nothing more can; return what was made, in order, and the rest."""
    made: list[Statement] = []
    progress = True
    while pool and progress:
        stuck = []
        for statement in pool:
            works = _working(scratch, statement, database)
            if works is None:
                stuck.append(statement)
            else:
                made.append(works)
        progress = len(stuck) < len(pool)
        pool = stuck
    return made, pool


def _working(
    scratch: duckdb.DuckDBPyConnection, statement: Statement, database: str
) -> Statement | None:
    """Return the statement as it ran: as it is, or without the name of its database."""
    if _runs(scratch, statement.sql):
        return statement
    bare = unqualified(statement.sql, database)
    if bare != statement.sql and _runs(scratch, bare):
        return replace(statement, sql=bare)
    return None


def _runs(scratch: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        scratch.execute(sql)
    except duckdb.Error:
        return False
    return True


def _require_none(scratch: duckdb.DuckDBPyConnection, stuck: list[Statement]) -> None:
    for statement in stuck:
        try:
            scratch.execute(statement.sql)
        except duckdb.Error as error:
            raise NotCarried(statement.name, statement.kind, str(error).strip()) from error


def _require_same(found: list[Statement], copies: list[Statement]) -> None:
    """Compare the shapes of a database's objects with those that the schema made."""
    shapes = {(s.kind, s.name): s.shape for s in copies}
    for statement in found:
        shape = shapes.get((statement.kind, statement.name))
        if shape != statement.shape:
            raise NotCarried(
                statement.name, statement.kind, f"it would be {shape}, not {statement.shape}."
            )
