"""A query's result in the form that was asked for: csv, json, jsonl, markdown and parquet.

Text forms are written by DuckDB as one text a row and copied through in blocks, so that a result of
any size takes constant memory. Lines end in LF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from pnlbook.book import identifier, quote
from pnlbook.cli import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from duckdb.sqltypes import DuckDBPyType

    Write = Callable[[str], Any]

_BLOCK = 10_000  # rows fetched and written at a time
_SUBQUERIES = (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI)


@dataclass(frozen=True)
class Result:
    """What a statement returns, not run yet; `select` knows its columns as c0, c1, ..."""

    sql: str
    names: tuple[str, ...]
    kinds: tuple[DuckDBPyType, ...]

    def select(self, expressions: list[str]) -> str:
        """Return the query of `expressions` over the columns."""
        columns = ", ".join(f"c{n}" for n in range(len(self.names)))
        chosen = ", ".join(expressions)
        return f"SELECT {chosen} FROM (\n{self.sql}\n) AS result({columns})"  # noqa: S608 - theirs

    def texts(self) -> list[str]:
        """Return the expression of each column's text."""
        return [values.text(f"c{n}", kind) for n, kind in enumerate(self.kinds)]

    def unique_names(self) -> list[str]:
        """Return the names of the columns, a repeated one with a number: a, a_2."""
        seen: dict[str, int] = {}
        unique = []
        for name in self.names:
            seen[name] = seen.get(name, 0) + 1
            unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
        return unique


def prepare(connection: duckdb.DuckDBPyConnection, text: str) -> Result | None:
    """Run all statements of `text` but the last, whose result is returned; None: it has none."""
    statements = duckdb.extract_statements(text)
    if not statements:
        return None
    *before, last = statements
    for statement in before:
        connection.execute(statement)
    if not _is_query(last):
        connection.execute(last)
        return None
    # DuckDB 1.5 takes a PIVOT apart into statements without a text.
    return _bind(connection, _without_end(last.query or text))


def rows(
    connection: duckdb.DuckDBPyConnection, result: Result, limit: int
) -> list[tuple[Any, ...]]:
    """Return at most `limit` rows, every value as its text or None."""
    return connection.execute(f"{result.select(result.texts())}\nLIMIT {limit}").fetchall()


def count(connection: duckdb.DuckDBPyConnection, result: Result) -> int:
    """Return the number of rows."""
    [number] = connection.execute(result.select(["count(*)"])).fetchone() or [0]
    return int(number)


def write_csv(connection: duckdb.DuckDBPyConnection, result: Result, write: Write) -> None:
    """Write CSV: NULL is nothing, an empty text is two quotes."""
    write(",".join(_quoted(name) for name in result.names) + "\n")
    row = " || ',' || ".join(_csv_field(text) for text in result.texts())
    for block in _blocks(connection, result.select([row])):
        write("\n".join(block) + "\n")


def write_jsonl(connection: duckdb.DuckDBPyConnection, result: Result, write: Write) -> None:
    """Write JSON lines: one object a row."""
    for block in _blocks(connection, _json_rows(result)):
        write("\n".join(block) + "\n")


def write_json(connection: duckdb.DuckDBPyConnection, result: Result, write: Write) -> None:
    """Write one JSON array of objects, an object a line."""
    before = "[\n"
    for block in _blocks(connection, _json_rows(result)):
        write(before + ",\n".join(block))
        before = ",\n"
    write("[]\n" if before == "[\n" else "\n]\n")


def write_markdown(connection: duckdb.DuckDBPyConnection, result: Result, write: Write) -> None:
    """Write a Markdown table, numbers to the right."""
    rules = ["---:" if kind.id in values.NUMBERS else "---" for kind in result.kinds]
    names = [name.replace("|", r"\|").replace("\n", "<br>") for name in result.names]
    write(f"| {' | '.join(names)} |\n| {' | '.join(rules)} |\n")
    cells = " || ' | ' || ".join(_markdown_cell(text) for text in result.texts())
    for block in _blocks(connection, result.select([f"'| ' || {cells} || ' |'"])):
        write("\n".join(block) + "\n")


def write_parquet(connection: duckdb.DuckDBPyConnection, result: Result, path: Path) -> None:
    """Write a Parquet file that keeps the types."""
    columns = [
        f"{_exact(f'c{n}', kind)} AS {identifier(name)}"
        for n, (name, kind) in enumerate(zip(result.unique_names(), result.kinds, strict=True))
    ]
    options = "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false"
    connection.execute(f"COPY ({result.select(columns)}) TO {quote(str(path))} ({options})")


TEXT_FORMATS = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_jsonl,
    "markdown": write_markdown,
}


def _is_query(statement: duckdb.Statement) -> bool:
    answers = statement.expected_result_type == [duckdb.ExpectedResultType.QUERY_RESULT]
    return answers or statement.type == duckdb.StatementType.MULTI  # PIVOT


def _bind(connection: duckdb.DuckDBPyConnection, text: str) -> Result:
    if duckdb.extract_statements(text)[-1].type not in _SUBQUERIES:
        text = _literal(connection.execute(text))
    relation = connection.sql(text)
    return Result(text, tuple(relation.columns), tuple(relation.types))


def _literal(cursor: duckdb.DuckDBPyConnection) -> str:
    """Return a query of the rows fetched, for what cannot stand in parentheses (EXPLAIN, CALL)."""
    names = [identifier(column[0]) for column in cursor.description]
    fetched = [[quote(str(v)) if v is not None else "NULL" for v in r] for r in cursor.fetchall()]
    if not fetched:
        return "SELECT " + ", ".join(f"NULL::VARCHAR AS {name}" for name in names) + " LIMIT 0"
    tuples = ", ".join(f"({', '.join(row)})" for row in fetched)
    return f"FROM (VALUES {tuples}) AS result({', '.join(names)})"


def _without_end(statement: str) -> str:
    """Return the statement without its semicolon and what follows it, to stand in parentheses."""
    data = statement.encode()
    begun = False
    for offset, _ in duckdb.tokenize(statement):
        end = data[offset : offset + 1] == b";"
        if end and begun:
            return data[:offset].decode()
        begun = begun or not end
    return statement


def _blocks(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[str]]:
    cursor = connection.execute(query)
    while block := cursor.fetchmany(_BLOCK):
        yield [row[0] for row in block]


def _json_rows(result: Result) -> str:
    pairs = [
        f"{_json_key(name)} || ':' || coalesce({values.json(f'c{n}', kind)}, 'null')"
        for n, (name, kind) in enumerate(zip(result.unique_names(), result.kinds, strict=True))
    ]
    return result.select(["'{' || " + " || ',' || ".join(pairs) + " || '}'"])


def _json_key(name: str) -> str:
    return f"to_json({quote(name)})::VARCHAR"


def _csv_field(text: str) -> str:
    quoted = f"""'"' || replace({text}, '"', '""') || '"'"""
    plain = f"""regexp_full_match({text}, '[^",\\r\\n]+')"""
    return f"CASE WHEN {text} IS NULL THEN '' WHEN {plain} THEN {text} ELSE {quoted} END"


def _quoted(name: str) -> str:
    plain = name and not any(mark in name for mark in '",\r\n')
    return name if plain else '"' + name.replace('"', '""') + '"'


def _markdown_cell(text: str) -> str:
    escaped = rf"replace(replace({text}, '|', '\|'), chr(10), '<br>')"
    return f"coalesce({escaped}, 'NULL')"


def _exact(column: str, kind: DuckDBPyType) -> str:
    # Parquet has no 128-bit integers; DuckDB would write them as DOUBLE.
    return f"{column}::DECIMAL(38, 0)" if kind.id in {"hugeint", "uhugeint"} else column
