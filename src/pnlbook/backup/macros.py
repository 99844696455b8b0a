"""Macros as SQL, with the types and defaults that DuckDB tells only where a call fails to match."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

import duckdb

from pnlbook.backup.statements import (
    NotCarried,
    Row,
    Statement,
    beside,
    comment_on,
    end_of_item,
    in_database,
    read,
)
from pnlbook.book import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPED = int(duckdb.__version__.split(".")[0]) > 1  # a default is told with its type
_NUMBER = r"|-?\d+(?:\.\d+)?" if _TYPED else ""
_LITERAL = re.compile(rf" := (?:NULL|true|false|'(?:[^']|'')*'{_NUMBER})$")
_COMPLAINT = "DuckDB says: "


class Macros:
    """The macros of a database, whose defaults DuckDB tells only where a call fails to match."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: str) -> None:
        self._connection = connection
        self._database = database

    def groups(self) -> list[list[Row]]:
        """Return the overloads of every macro, in their order."""
        rows = sorted(read(self._connection, "functions", self._database), key=_macro_key)
        return [list(group) for _, group in groupby(rows, key=_macro_key)]

    def written(self, name: str, overloads: list[Row]) -> Iterator[Statement]:
        """Yield what makes a macro and its comment."""
        tabular = overloads[0]["function_type"] == "table_macro"
        kind = "MACRO TABLE" if tabular else "MACRO"
        heads = self._heads(kind, name, overloads)
        types = [self._types(kind, name, head) for head in heads]
        bodies = [_body(row, tabular=tabular, single=len(overloads) == 1) for row in overloads]
        parts = ",\n".join(
            f"({', '.join(head)}) AS {body}" for head, body in zip(heads, bodies, strict=True)
        )
        yield Statement(kind.lower(), name, f"CREATE MACRO {name} {parts}", (*heads, *types))
        if overloads[0]["comment"] is not None:
            yield comment_on(kind, name, overloads[0]["comment"])

    def _heads(self, kind: str, name: str, overloads: list[Row]) -> list[tuple[str, ...]]:
        """Return the parameters of every overload, with their types and defaults, as SQL."""
        absent = "".join(parameter for row in overloads for parameter in row["parameters"]) + "_"
        call = f"{_call(kind, self._database, name)}({identifier(absent)} := NULL)"
        answer = self._answer(call)
        text = answer.partition("Candidate macros:\n")[2]
        heads = []
        try:
            for row in overloads:
                head, text = _head(row, text)
                heads.append(head)
        except ValueError as error:
            reason = f"its parameters cannot be read. {answer}"
            raise NotCarried(name, kind.lower(), reason) from error
        return heads

    def _types(self, kind: str, name: str, head: tuple[str, ...]) -> str:
        """Return what a call without optional arguments gives, which their types decide.

        DuckDB 1.5 shows a default of 0.1 without its type. Empty where that cannot matter.
        """
        defaults = [parameter for parameter in head if " := " in parameter]
        if all(_LITERAL.search(parameter) for parameter in defaults):
            return ""
        arguments = ", ".join("NULL" for parameter in head if " := " not in parameter)
        call = f"{_call(kind, self._database, name)}({arguments})"
        query = f"SELECT list(column_type) FROM (DESCRIBE {call})"
        return self._answer(query).partition(_COMPLAINT)[0]

    def _answer(self, query: str) -> str:
        """Return the row of a query or DuckDB's complaint; the transaction is not touched by it."""
        with beside(self._connection, self._database) as cursor:
            try:
                return str(cursor.execute(query).fetchone())
            except duckdb.Error as error:
                return f"{_COMPLAINT}{error}"


def _call(kind: str, database: str, name: str) -> str:
    return f"{'FROM' if kind == 'MACRO TABLE' else 'SELECT'} {in_database(database, name)}"


def _macro_key(row: Row) -> tuple[str, str, str]:
    return row["function_type"], row["schema_name"], row["function_name"]


def _body(row: Row, *, tabular: bool, single: bool) -> str:
    text = row["macro_definition"]
    if not tabular:
        return f"({text})"
    return f"TABLE {text}" if single else f"TABLE ({text})"


def _head(row: Row, text: str) -> tuple[tuple[str, ...], str]:
    """Return an overload's parameters by the text that lists it, and the text after it."""
    head = []
    text = _after(text, "\t", row["function_name"], "(")
    for number, (name, kind) in enumerate(
        zip(row["parameters"], row["parameter_types"], strict=True)
    ):
        written = f" {kind}" if kind else ""
        text = _after(text, ", " if number else "", name, written)
        end = end_of_item(text, 0)
        head.append(identifier(name) + written + text[:end])
        text = text[end:]
    return tuple(head), _after(text, ")").removeprefix("\n")


def _after(text: str, before: str, name: str = "", after: str = "") -> str:
    """Return the rest of a text that begins so; DuckDB quotes the name or does not."""
    for form in (name, identifier(name)):
        if text.startswith(before + form + after):
            return text[len(before + form + after) :]
    raise ValueError(text)
