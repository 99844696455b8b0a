"""What a table is to a backup: columns, and chunks of rows that are compared by fingerprint.

A chunk is the rows whose key lies in `[n * width, (n + 1) * width)`; a table without a whole-number
key is one chunk, number 0. A fingerprint does not depend on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.book import identifier, run

if TYPE_CHECKING:
    import duckdb
    import polars as pl

WIDTH = 2048
_LARGEST_SHARE = 16  # a key so sparse that chunks hold fewer than WIDTH / 16 rows gets wider ones
_KEY_TYPES = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_TIME_TYPES = frozenset({"TIMESTAMP WITH TIME ZONE", "TIMESTAMP", "DATE"})
# What Parquet keeps to the last bit; every other type is stored as its text.
_NATIVE = frozenset(
    {
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "FLOAT",
        "DOUBLE",
        "VARCHAR",
        "BLOB",
        "DATE",
        "TIMESTAMP",
        "TIMESTAMP WITH TIME ZONE",
        "VARCHAR[]",
        "BIGINT[]",
    }
)
# Types of which two values may differ and yet be equal, and so hash alike: 0.0 and -0.0,
# one month and thirty days.
_LOOSE = ("FLOAT", "DOUBLE", "INTERVAL", "TIME WITH TIME ZONE")
_COLUMNS = """
SELECT schema_name, c.table_name, c.column_name, c.data_type, c.is_nullable,
    coalesce((
        SELECT constraint_column_names[1] = c.column_name
        FROM duckdb_constraints() k
        WHERE k.database_name = c.database_name AND k.schema_name = c.schema_name
            AND k.table_name = c.table_name AND k.constraint_type = 'PRIMARY KEY'
    ), false) AS leads_key,
    contains(t.sql, 'GENERATED ALWAYS AS') AS generates
FROM duckdb_columns() c
JOIN duckdb_tables() t USING (database_name, schema_name, table_name)
WHERE database_name = current_database() AND NOT t.internal AND NOT t.temporary
ORDER BY schema_name, c.table_name, column_index
"""


_STORED = "SELECT DISTINCT column_name FROM pragma_storage_info(?)"


@dataclass(frozen=True)
class Column:
    """A column: its name, its type in DuckDB's words, and whether Parquet keeps it as it is."""

    name: str
    type: str

    @property
    def native(self) -> bool:
        """Whether Parquet keeps every value of the type to the last bit."""
        return self.type in _NATIVE or self.type.startswith("DECIMAL(")

    @property
    def stored(self) -> str:
        """Return the SQL of what is stored."""
        name = identifier(self.name)
        return name if self.native else f"CAST({name} AS VARCHAR) AS {name}"

    @property
    def restored(self) -> str:
        """Return the SQL that makes the value of what is stored."""
        name = identifier(self.name)
        return name if self.native else f"CAST({name} AS {self.type})"

    @property
    def hashed(self) -> str:
        """Return the SQL of what differs whenever the value does."""
        name = identifier(self.name)
        loose = any(kind in self.type for kind in _LOOSE)
        return f"CAST({name} AS VARCHAR)" if loose else name


@dataclass(frozen=True)
class Table:
    """A table of a book.

    key: the whole-number column that leads its primary key, if any; width: keys a chunk;
    time: the first column of instants or days that is never NULL, if any.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: str | None
    width: int
    time: str | None

    @property
    def sql(self) -> str:
        """Return the table's name for SQL."""
        return f"{identifier(self.schema)}.{identifier(self.name)}"

    @property
    def chunk(self) -> str:
        """Return the SQL of the number of a row's chunk."""
        return "0::BIGINT" if self.key is None else f"({identifier(self.key)} // {self.width})"


def read_tables(
    connection: duckdb.DuckDBPyConnection, widths: dict[tuple[str, str], int]
) -> list[Table]:
    """Return every table of the default database; widths: those that earlier backups chose."""
    found: dict[tuple[str, str], list[tuple[str, str, bool, bool]]] = {}
    generating: set[tuple[str, str]] = set()
    for schema, name, column, kind, nullable, leads, generates in run(connection, _COLUMNS):
        found.setdefault((schema, name), []).append((column, kind, nullable, leads))
        if generates:
            generating.add((schema, name))
    for place in generating:
        kept = _kept(connection, place)
        found[place] = [row for row in found[place] if not kept or row[0] in kept]
    return [_table(connection, place, rows, widths) for place, rows in found.items()]


def _kept(connection: duckdb.DuckDBPyConnection, place: tuple[str, str]) -> set[str]:
    """Return the columns that a table with rows stores.

    Generated ones are not among them, which DuckDB 1.5 tells in no other way.
    """
    name = ".".join(identifier(part) for part in place)
    return {column for (column,) in run(connection, _STORED, [name])}


def _table(
    connection: duckdb.DuckDBPyConnection,
    place: tuple[str, str],
    rows: list[tuple[str, str, bool, bool]],
    widths: dict[tuple[str, str], int],
) -> Table:
    columns = tuple(Column(name, kind) for name, kind, _, _ in rows)
    times = [name for name, kind, nullable, _ in rows if kind in _TIME_TYPES and not nullable]
    keys = [name for name, kind, _, leads in rows if leads and kind in _KEY_TYPES]
    schema, name = place
    table = Table(schema, name, columns, None, WIDTH, times[0] if times else None)
    return _chunked(connection, table, keys[0], widths.get(place)) if keys else table


def _chunked(
    connection: duckdb.DuckDBPyConnection, table: Table, key: str, width: int | None
) -> Table:
    """Return the table with chunks by `key`, unless it has negative ones."""
    column = identifier(key)
    ((low, high, rows),) = run(
        connection, f"SELECT min({column}), max({column}), count(*) FROM {table.sql}"
    )
    if low is not None and low < 0:
        return table
    chosen = width or WIDTH
    while high is not None and high // chosen > _LARGEST_SHARE * (rows // WIDTH + 1):
        chosen *= 2
    return Table(table.schema, table.name, table.columns, key, chosen, table.time)


def fingerprints(
    connection: duckdb.DuckDBPyConnection, table: Table, relation: str | None = None
) -> pl.DataFrame:
    """Return a row for each chunk: chunk, rows, mixed and added (two sums over the rows' hashes).

    relation: SQL that has the table's rows; None: the table itself.
    """
    hashed = ", ".join(column.hashed for column in table.columns)
    chunks: pl.DataFrame = connection.sql(
        f"SELECT {table.chunk}::BIGINT AS chunk, count(*) AS rows, bit_xor(h) AS mixed, "
        "(sum(h::HUGEINT) % 2305843009213693951)::BIGINT AS added "
        f"FROM (SELECT {identifier(table.key) + ',' if table.key else ''} hash({hashed}) AS h "
        f"FROM {relation or table.sql}) GROUP BY 1 ORDER BY 1"
    ).pl()
    return chunks


def total(chunks: pl.DataFrame) -> str:
    """Return the fingerprint of a whole table, from those of its chunks, as text."""
    mixed = 0
    for value in chunks["mixed"]:
        mixed ^= value
    return f"{chunks['rows'].sum()}-{mixed:016x}-{sum(chunks['added']) % 2305843009213693951:016x}"
