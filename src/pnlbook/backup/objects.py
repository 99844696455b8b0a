"""The objects of a database as statements, read from DuckDB's catalogue."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import duckdb

from pnlbook.backup.macros import Macros
from pnlbook.backup.statements import (
    NotCarried,
    Row,
    Statement,
    beside,
    comment_on,
    in_database,
    items_of,
    read,
)
from pnlbook.book import identifier, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEXT = re.compile(r" START (-?\d+) (?:NO )?CYCLE;?$")


class Catalogue:
    """What DuckDB says of the objects of one of the databases of a connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: str) -> None:
        self._connection = connection
        self._database = database
        self._schemas = {row["oid"]: row for row in self._rows("schemas")}
        self._columns = _by_table(self._rows("columns"))
        self._constraints = _by_table(self._rows("constraints"))
        self._macros = Macros(connection, database)

    def statements(self) -> list[Statement]:
        """Return what makes every object, by kind and name."""
        sequences = self._each("sequences", "sequence_name")
        tables = self._each("tables", "table_name")
        views = self._each("views", "view_name")
        types = self._each("types", "type_name")
        indexes = self._each("indexes", "index_name")
        return [
            *self._made_schemas(),
            *(self._type(name) for name, _ in types),
            *(_sequence(name, row) for name, row in sequences),
            *(self._table(name, row) for name, row in tables),
            *self._made_macros(),
            *(Statement("view", name, row["sql"]) for name, row in views),
            *(Statement("index", name, row["sql"]) for name, row in indexes),
            *self._triggers(),
            *self._comments("TYPE", types),
            *self._comments("SEQUENCE", sequences),
            *self._comments("TABLE", tables),
            *self._comments("VIEW", views),
            *self._comments("INDEX", indexes),
            *(
                Statement("position", name, sql)
                for name, row in sequences
                if (sql := _step(name, row))
            ),
        ]

    def _rows(self, of: str) -> list[Row]:
        """Return the rows of a catalogue function that are the database's."""
        return read(self._connection, of, self._database)

    def _each(self, of: str, column: str) -> list[tuple[str, Row]]:
        """Return the database's own objects of a kind by their qualified names, in order."""
        rows = [row for row in self._rows(of) if not (row.get("internal") or row.get("temporary"))]
        named = [(self._qualified(row["schema_oid"], row[column]), row) for row in rows]
        return sorted(named, key=lambda pair: pair[0])

    def _qualified(self, schema: int, name: str) -> str:
        return ".".join([*self._path(schema), identifier(name)])

    def _path(self, schema: int | None) -> list[str]:
        """Return the quoted names of a schema and those around it; main is left out."""
        row = self._schemas.get(schema)
        if row is None:
            return []
        around = row.get("parent_schema_oid")  # DuckDB 2 nests schemas
        if around is None and row["schema_name"] == "main":
            return []
        return [*self._path(around), identifier(row["schema_name"])]

    def _made_schemas(self) -> list[Statement]:
        paths = sorted(".".join(self._path(oid)) for oid in self._schemas)
        return [Statement("schema", name, f"CREATE SCHEMA {name}") for name in paths if name]

    def _type(self, name: str) -> Statement:
        full = in_database(self._database, name)
        [meaning] = self._connection.execute(f"SELECT typeof(NULL::{full})").fetchone() or [""]
        return Statement("type", name, f"CREATE TYPE {name} AS {meaning}", (meaning,))

    def _table(self, name: str, row: Row) -> Statement:
        """Write a table: columns as DuckDB does, but keys by hand.

        DuckDB 1.5 leaves a table's reference to itself out and quotes no name in the others.
        """
        columns = self._columns[row["table_oid"]]
        items = [_without_keys(item) for item in islice(items_of(row["sql"]), len(columns))]
        schema = self._path(row["schema_oid"])
        for constraint in self._constraints.get(row["table_oid"], []):
            items += _constraint(constraint, schema)
        shape = tuple((c["column_name"], c["data_type"], c["is_nullable"]) for c in columns)
        lines = ",\n".join(f"    {item}" for item in items)
        return Statement("table", name, f"CREATE TABLE {name} (\n{lines}\n)", shape)

    def _made_macros(self) -> Iterator[Statement]:
        paths: dict[str, list[str]] = {}
        for oid, row in self._schemas.items():
            paths.setdefault(row["schema_name"], []).append(".".join(self._path(oid)))
        for overloads in self._macros.groups():
            first = overloads[0]
            name, schemas = identifier(first["function_name"]), paths[first["schema_name"]]
            if len(schemas) > 1:
                reason = f"DuckDB does not tell in which of {' and '.join(sorted(schemas))} it is."
                raise NotCarried(name, "macro", reason)
            yield from self._macros.written(".".join(filter(None, [schemas[0], name])), overloads)

    def _triggers(self) -> Iterator[Statement]:
        """Yield the triggers, which DuckDB has from 2.0 on."""
        with beside(self._connection, self._database) as cursor:
            try:
                cursor.execute("SELECT 1 FROM duckdb_triggers() LIMIT 0")
            except duckdb.CatalogException:
                return
        for name, row in self._each("triggers", "trigger_name"):
            yield Statement("trigger", f"{name} on {row['table_name']}", row["sql"])

    def _comments(self, kind: str, objects: list[tuple[str, Row]]) -> Iterator[Statement]:
        for name, row in objects:
            if row["comment"] is not None:
                yield comment_on(kind, name, row["comment"])
            if kind in {"TABLE", "VIEW"}:
                for column in self._columns.get(row[f"{kind.lower()}_oid"], []):
                    if column["comment"] is not None:
                        full = f"{name}.{identifier(column['column_name'])}"
                        yield comment_on("COLUMN", full, column["comment"])


def _by_table(rows: list[Row]) -> dict[int, list[Row]]:
    tables: dict[int, list[Row]] = {}
    for row in rows:
        tables.setdefault(row["table_oid"], []).append(row)
    return tables


def _sequence(name: str, row: Row) -> Statement:
    sql = (
        f"CREATE SEQUENCE {name} INCREMENT BY {row['increment_by']} "
        f"MINVALUE {row['min_value']} MAXVALUE {row['max_value']} "
        f"START {_start(row)} {'CYCLE' if row['cycle'] else 'NO CYCLE'}"
    )
    return Statement("sequence", name, sql, (sql,))


def _next(row: Row) -> int:
    """Return the value that comes next.

    Not by `last_value`: DuckDB 1.5 shows another after it has opened the file again.
    """
    match = _NEXT.search(row["sql"])
    if match is None:
        raise NotCarried(identifier(row["sequence_name"]), "sequence", f"it reads {row['sql']}")
    return int(match[1])


def _start(row: Row) -> int:
    """Return the value to start from: the next one, or for an exhausted sequence its last."""
    low, high = int(row["min_value"]), int(row["max_value"])
    following = _next(row)
    if low <= following <= high:
        return following
    return high if row["increment_by"] > 0 else low


def _step(name: str, row: Row) -> str:
    """Return a query that exhausts a sequence which is exhausted; otherwise nothing."""
    return f"SELECT nextval({quote(name)})" if _start(row) != _next(row) else ""


def _constraint(row: Row, schema: list[str]) -> list[str]:
    """Return a constraint of a table as SQL; NOT NULL stands beside its column already."""
    kind, columns = row["constraint_type"], _names(row["constraint_column_names"])
    if kind in {"PRIMARY KEY", "UNIQUE"}:
        return [f"{kind} ({columns})"]
    if kind == "FOREIGN KEY":
        target = ".".join([*schema, identifier(row["referenced_table"])])
        return [
            f"{kind} ({columns}) REFERENCES {target} ({_names(row['referenced_column_names'])})"
        ]
    return [row["constraint_text"]] if kind == "CHECK" else []


def _names(columns: list[str]) -> str:
    return ", ".join(map(identifier, columns))


def _without_keys(item: str) -> str:
    return re.sub(r"(?: PRIMARY KEY| UNIQUE)+$", "", item)
