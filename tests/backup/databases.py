"""Random databases for tests: statements that make one, rows for it, and what can be compared.

Names are awkward on purpose, and numbered, so that objects sort in another order than they need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
from hypothesis import strategies as st

from pnlbook.book import identifier, quote

if TYPE_CHECKING:
    from random import Random

    from hypothesis.strategies import DrawFn

    Connection = duckdb.DuckDBPyConnection

NAMES = (
    "plain", "Upper", "select", "none", "two words", 'quo"te', "o'clock", "naïve", "日本", "😀",
    "a.b", "a,b", "p(q", "1st", "semi;colon", "-- no", "main", "x := 1",
)  # fmt: skip
TEXTS = ("", "it's", 'say "so"', "two\nlines", "; DROP TABLE x", "naïve 日本 😀", "\\n", " ")
WORDS = tuple(quote(text) for text in (*TEXTS, "NULL", "nan", "e\u0301", "\u200b", "tab\t"))
# SQL values of every type, by the name that DuckDB's catalogue has for it.
VALUES: dict[str, tuple[str, ...]] = {
    "TINYINT": ("0", "1", "-128", "127"),
    "SMALLINT": ("0", "1", "-32768", "32767"),
    "INTEGER": ("0", "1", "2", "3", "-2147483648", "2147483647"),
    "BIGINT": ("0", "1", "2", "-9223372036854775808", "9223372036854775807"),
    "HUGEINT": (
        "0",
        "-170141183460469231731687303715884105728",
        "170141183460469231731687303715884105727",
    ),
    "UTINYINT": ("0", "255"),
    "USMALLINT": ("0", "65535"),
    "UINTEGER": ("0", "4294967295"),
    "UBIGINT": ("0", "18446744073709551615"),
    "UHUGEINT": ("0", "340282366920938463463374607431768211455"),
    "DECIMAL(4,1)": ("0", "-999.9", "0.1"),
    "DECIMAL(18,3)": ("0", "123456789012345.678", "-0.001"),
    "DECIMAL(38,18)": ("0", "12345678901234567890.123456789012345678", "-0.000000000000000001"),
    "FLOAT": ("0", "1.5", "'nan'", "'inf'", "'-inf'", "'-0.0'", "1e-45", "3.4028235e38"),
    "DOUBLE": (
        "0",
        "0.1",
        "'nan'",
        "'inf'",
        "'-inf'",
        "'-0.0'",
        "5e-324",
        "1.7976931348623157e308",
    ),
    "VARCHAR": WORDS,
    "BLOB": (r"''", r"'\x00'", r"'\x00\xFF\x27\x22\x0A'", r"'abc'"),
    "BOOLEAN": ("true", "false"),
    "DATE": ("'2024-02-29'", "'0001-01-01'", "'9999-12-31'", "'infinity'", "'-infinity'"),
    "TIME": ("'00:00:00'", "'23:59:59.999999'"),
    "TIMESTAMP": ("'2024-02-29 12:34:56.789012'", "'infinity'", "'-infinity'", "'1969-12-31'"),
    "TIMESTAMP_S": ("'2024-02-29 12:34:56'", "'1969-12-31 23:59:59'"),
    "TIMESTAMP_MS": ("'2024-02-29 12:34:56.789'", "'1969-12-31 23:59:59.999'"),
    "TIMESTAMP_NS": ("'2024-02-29 12:34:56.789012345'", "'1969-12-31 23:59:59.999999999'"),
    "TIMESTAMP WITH TIME ZONE": ("'2024-02-29 12:34:56.789012+05:45'", "'infinity'", "'-infinity'"),
    "INTERVAL": ("'0 days'", "'1 month -2 days 3 microseconds'", "'13 months'", "'-36 hours'"),
    "UUID": (
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-4fff-bfff-ffffffffffff'",
    ),
    "BIT": ("'0'", "'1'", "'0101010101'"),
    "JSON": ("'null'", "'{\"a\": [1, 2.50, \"it''s\"]}'", "'[]'", "'\"text\"'"),
    "INTEGER[]": ("[]", "[1, NULL, -1]", "[NULL]"),
    "VARCHAR[][]": ("[]", "[[], NULL, ['', 'it''s', NULL]]"),
    "INTEGER[3]": ("[1, 2, 3]", "[NULL, 0, NULL]"),
    'STRUCT(a INTEGER, "b ""c" VARCHAR)': (
        "row(1, 'it''s')",
        "row(NULL, NULL)",
        "row(0, '')",
    ),
    "STRUCT(l DOUBLE[], s STRUCT(d DATE))": (
        "row(['nan'::DOUBLE, NULL], row('2024-02-29'::DATE))",
        "row([], row(NULL))",
        "row(NULL, NULL)",
    ),
    "MAP(VARCHAR, DOUBLE)": ("MAP {}", "MAP {'': 'nan'::DOUBLE, 'it''s': NULL}"),
}
TYPES = tuple(VALUES)
KEYS = ("INTEGER", "BIGINT", "VARCHAR", "DATE", "DECIMAL(18,3)", "UUID")
WHOLE = ("INTEGER", "BIGINT")
# Of every catalogue function, what a copy of a database has in common with it.
COMPARED = {
    "schemas": "schema_name, comment",
    "types": "schema_name, type_name, logical_type, type_category, comment, labels",
    "sequences": "schema_name, sequence_name, comment, min_value, max_value, increment_by, cycle, "
    "CASE WHEN start BETWEEN min_value AND max_value THEN start END",
    "tables": "schema_name, table_name, comment, has_primary_key, column_count, "
    "check_constraint_count",
    "columns": "schema_name, table_name, column_name, column_index, comment, column_default, "
    "is_nullable, data_type",
    "constraints": "schema_name, table_name, constraint_type, expression, "
    "constraint_column_indexes, constraint_column_names, constraint_name, referenced_table, "
    "referenced_column_names",
    "indexes": "schema_name, index_name, table_name, comment, is_unique, is_primary, sql",
    "views": "schema_name, view_name, comment, column_count, sql",
    "functions": "schema_name, function_name, function_type, comment, parameters, "
    "parameter_types, macro_definition",
}
# `last_value` is not what comes next after DuckDB 1.5 has opened the file again.
SOURCES = {
    "sequences": "(SELECT *, regexp_extract(sql, 'START (-?\\d+) (NO )?CYCLE;?$', 1)::HUGEINT "
    "AS start FROM duckdb_sequences())"
}


def catalogue(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return what must be equal in a copy of the connection's default database, sorted.

    Of databases both opened from files: DuckDB 1.5 writes expressions in another way until then.
    """
    result = {}
    for function, columns in COMPARED.items():
        rows = connection.execute(
            f"SELECT {columns} FROM {SOURCES.get(function, f'duckdb_{function}()')} "
            "WHERE database_name = current_database()"
            + ("" if function in {"sequences", "constraints", "indexes"} else " AND NOT internal")
        ).fetchall()
        result[function] = sorted(rows, key=repr)
    result["collations"] = sorted(
        connection.execute(
            "SELECT schema_name, table_name, regexp_extract_all(sql, 'COLLATE \\w+') "
            "FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
    )
    return result


def contents(connection: Connection) -> dict[str, list[str]]:
    """Return all rows of every table of the default database as text, sorted, by its name."""
    result = {}
    for schema, table in _tables(connection):
        name = f"{identifier(schema)}.{identifier(table)}"
        rows = connection.execute(f"SELECT rows::VARCHAR FROM {name} AS rows").fetchall()
        result[name] = sorted(text for [text] in rows)
    return result


def fill(connection: Connection, random: Random, rows: int = 8) -> None:
    """Put up to so many random rows into every table; those that a constraint forbids are left out.

    Tables are filled twice, so that references find what they need.
    """
    for schema, table in _tables(connection) * 2:
        columns = connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = "
            "current_database() AND schema_name = ? AND table_name = ? "
            "AND NOT starts_with(column_name, 'generated') ORDER BY column_index",
            [schema, table],
        ).fetchall()
        names = ", ".join(identifier(name) for name, _ in columns)
        for _ in range(rows // 2):
            values = ", ".join(_value(connection, random, kind) for _, kind in columns)
            target = f"{identifier(schema)}.{identifier(table)} ({names})"
            try:
                connection.execute(f"INSERT INTO {target} VALUES ({values})")
            except (duckdb.ConstraintException, duckdb.OutOfRangeException):
                continue


def _tables(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT temporary ORDER BY ALL"
    ).fetchall()


def _value(connection: Connection, random: Random, kind: str) -> str:
    if random.random() < 0.15:
        return "NULL"
    if kind.startswith("ENUM("):
        [labels] = connection.execute(f"SELECT enum_range(NULL::{kind})").fetchone() or [[]]
        return quote(random.choice(labels))
    return f"CAST({random.choice(VALUES[kind])} AS {kind})"


@st.composite
def databases(draw: DrawFn) -> list[str]:
    """Draw statements that make a database in an empty one, in the order that they need."""
    maker = _Maker(draw)
    maker.schemas()
    maker.types()
    maker.sequences()
    maker.scalar_macros()
    for _ in range(draw(st.integers(1, 4))):
        maker.table()
    maker.indexes()
    maker.table_macros()
    maker.views()
    maker.positions()
    return maker.statements


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    columns: dict[str, str]  # the type of every column, by its quoted name
    key: str | None  # the column that others may refer to


@dataclass
class _Maker:
    """Draws one object after the other; later ones use earlier ones."""

    draw: DrawFn
    statements: list[str] = field(default_factory=list)
    spaces: list[str] = field(default_factory=lambda: [""])
    named_types: list[str] = field(default_factory=list)
    counters: list[str] = field(default_factory=list)
    scalars: list[str] = field(default_factory=list)
    tables: list[_Table] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    count: int = 0

    def schemas(self) -> None:
        for _ in range(self.draw(st.integers(0, 2))):
            name = self.fresh().replace('""', "")  # DuckDB 1.5 finds no sequence in any other
            self.add(f"CREATE SCHEMA {name}")
            self.spaces.append(f"{name}.")

    def types(self) -> None:
        labels = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True)
        for _ in range(self.draw(st.integers(0, 3))):
            enum = f"ENUM ({', '.join(self.draw(labels))})"
            kind = self.draw(st.sampled_from([enum, *TYPES]))
            name = self.place()
            self.add(f"CREATE TYPE {name} AS {kind}")
            self.named_types.append(name)
            self.comment("TYPE", name)

    def sequences(self) -> None:
        for _ in range(self.draw(st.integers(0, 3))):
            name = self.place().replace('""', "")
            low, size = self.draw(st.integers(-5, 5)), self.draw(st.integers(0, 9))
            start = self.draw(st.integers(low, low + size))
            step = self.draw(st.sampled_from([1, 2, 7, -1, -3]))
            cycle = self.draw(st.sampled_from(["CYCLE", "NO CYCLE"]))
            bounds = f"MINVALUE {low} MAXVALUE {low + size}" if size else ""
            begin = f"START {start} {cycle}" if size else ""
            self.add(f"CREATE SEQUENCE {name} INCREMENT BY {step} {bounds} {begin}")
            self.counters.append(name)
            self.comment("SEQUENCE", name)

    def positions(self) -> None:
        for name in self.counters:
            for _ in range(self.draw(st.integers(0, 2))):
                self.add(f"SELECT nextval({quote(name)})")

    def scalar_macros(self) -> None:
        for _ in range(self.draw(st.integers(0, 3))):
            name, one, two = self.place(), self.column(), self.column()
            body = f"concat({one}::VARCHAR, {two}::VARCHAR)"
            if self.scalars and self.maybe():
                body = f"{self.draw(st.sampled_from(self.scalars))}({body})"
            default = self.draw(
                st.sampled_from([*WORDS, "NULL", "-1", "true", "DATE '2024-02-29'"])
            )
            overload = self.draw(st.sampled_from(["", f", ({one}, {two}, x) AS x IS NULL"]))
            typed = self.draw(st.sampled_from(["", " VARCHAR"]))
            self.add(f"CREATE MACRO {name}({one}{typed}, {two} := {default}) AS {body}{overload}")
            self.scalars.append(name)
            self.comment("MACRO", name)

    def table(self) -> None:
        space = self.draw(st.sampled_from(self.spaces))
        name = f"{space}{self.fresh()}"
        key = self.draw(st.sampled_from([None, *KEYS]))
        columns = {} if key is None else {self.column(): key}
        items = [f"{column} {kind} PRIMARY KEY" for column, kind in columns.items()]
        items += [self.plain(columns) for _ in range(self.draw(st.integers(1, 6)))]
        first = next(iter(columns))
        items += self.constraints(space, name, first, columns[first], own=key is not None)
        self.add(f"CREATE TABLE {name} ({', '.join(items)})")
        made = _Table(space, name, columns, first if key else None)
        self.tables.append(made)
        self.sources.append(name)
        self.comment("TABLE", name)
        for column in columns:
            self.comment("COLUMN", f"{name}.{column}")

    def plain(self, columns: dict[str, str]) -> str:
        """Draw a column, add it to those of its table, and return its definition."""
        column = self.column()
        named = [*self.named_types, *TYPES] if self.maybe() else [*KEYS, "VARCHAR"]
        kind = self.draw(st.sampled_from(named))
        columns[column] = kind
        rules = [""]
        if kind in VALUES:
            value = self.draw(st.sampled_from(VALUES[kind]))
            rules += [f"DEFAULT CAST({value} AS {kind})", "NOT NULL"]
        if kind in KEYS:
            rules += ["UNIQUE", f"NOT NULL UNIQUE CHECK ({column} IS NOT NULL)"]
        if kind == "VARCHAR":
            rules += ["COLLATE NOCASE", *(f"DEFAULT {macro}('x')" for macro in self.scalars)]
        if kind in WHOLE:
            rules += [f"DEFAULT nextval({quote(sequence)})" for sequence in self.counters]
        return f"{column} {kind} {self.draw(st.sampled_from(rules))}"

    def constraints(self, space: str, name: str, first: str, kind: str, *, own: bool) -> list[str]:
        """Draw what stands after the columns of a table: checks, references, generated columns."""
        targets = [
            (table.name, table.key)
            for table in self.tables
            if table.key and table.schema == space and table.columns[table.key] == kind
        ]
        if own:
            targets.append((name, first))
        generated = identifier(f"generated {self.number()}")
        known = [
            f"CHECK ({first} IS NOT DISTINCT FROM {first} OR {first} IN (NULL))",
            f"{generated} VARCHAR AS (concat({first}::VARCHAR, ', ('))",
            *(f"CHECK ({macro}({first}) IS NOT NULL)" for macro in self.scalars),
            *(f"FOREIGN KEY ({first}) REFERENCES {table} ({key})" for table, key in targets),
        ]
        return self.draw(st.lists(st.sampled_from(known), max_size=3, unique=True))

    def indexes(self) -> None:
        for table in self.tables:
            keys = [column for column, kind in table.columns.items() if kind in KEYS]
            if keys and self.maybe():
                column, name = self.draw(st.sampled_from(keys)), self.fresh()
                on = self.draw(st.sampled_from([column, f"(concat({column}, ')'))"]))
                self.add(f"CREATE INDEX {name} ON {table.name} ({on})")
                self.comment("INDEX", f"{table.schema}{name}")

    def table_macros(self) -> None:
        for _ in range(self.draw(st.integers(0, 2))):
            name, top = self.place(), self.column()
            source = self.draw(st.sampled_from(self.sources))
            query = f"SELECT * FROM {source} ORDER BY ALL LIMIT {top}"
            overload = self.draw(st.sampled_from(["", ", (a, b) AS TABLE (SELECT a, b)"]))
            self.add(f"CREATE MACRO {name}({top} := 3) AS TABLE ({query}){overload}")
            self.sources.append(f"{name}()")
            self.comment("MACRO TABLE", name)

    def views(self) -> None:
        for _ in range(self.draw(st.integers(0, 4))):
            name, column = self.place(), self.column()
            source = self.draw(st.sampled_from(self.sources))
            call = f"{self.draw(st.sampled_from(self.scalars))}('x')" if self.scalars else "1"
            heading, shown = self.draw(st.sampled_from([("", column), (f"({column})", "x")]))
            self.add(f"CREATE VIEW {name} {heading} AS SELECT {call} AS {shown}, * FROM {source}")
            self.sources.append(name)
            self.comment("VIEW", name)
            if not heading:
                self.comment("COLUMN", f"{name}.{column}")

    def comment(self, kind: str, name: str) -> None:
        text = self.draw(st.none() | st.sampled_from(WORDS))
        if text is not None:
            self.add(f"COMMENT ON {kind} {name} IS {text}")

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def add(self, statement: str) -> None:
        self.statements.append(statement)

    def place(self) -> str:
        """Draw a qualified name that nothing has yet."""
        return self.draw(st.sampled_from(self.spaces)) + self.fresh()

    def column(self) -> str:
        return self.fresh()

    def fresh(self) -> str:
        return identifier(f"{self.draw(st.sampled_from(NAMES))}{self.number()}")

    def number(self) -> int:
        self.count += 1
        return self.count
