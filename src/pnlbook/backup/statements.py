"""Statements that make objects of a database, and the reading of the SQL that DuckDB writes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pnlbook.backup.errors import BackupError
from pnlbook.book import identifier, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

Row = dict[str, Any]  # of a catalogue function, by the names of its columns

_QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*\""""
_STOP = re.compile(_QUOTED + r"|[()\[\]{},]")
_WORD = re.compile(_QUOTED + r"|\w+|[^\w'\"]")


class NotCarried(BackupError):
    """A restore could not make an object of the database again as it is."""

    def __init__(self, name: str, kind: str, reason: str) -> None:
        super().__init__(
            f"{kind} {name} cannot be backed up, because a restore could not make it again: "
            f"{reason}\nCorrect or drop it, and back up again."
        )
        self.kind = kind
        self.name = name


@dataclass(frozen=True)
class Statement:
    """What makes an object. shape: what the object must have in common with its copy."""

    kind: str
    name: str
    sql: str
    shape: tuple[object, ...] = field(default=())


def comment_on(kind: str, name: str, text: str) -> Statement:
    """Return what comments on an object or a column."""
    sql = f"COMMENT ON {kind} {name} IS {quote(text)}"
    return Statement(f"comment on {kind.lower()}", name, sql, (text,))


def read(connection: duckdb.DuckDBPyConnection, of: str, database: str) -> list[Row]:
    """Return the rows of a catalogue function that are a database's, in DuckDB's order."""
    cursor = connection.execute(
        f"SELECT * FROM duckdb_{of}() WHERE database_name = $1",
        [database],
    )
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@contextmanager
def beside(
    connection: duckdb.DuckDBPyConnection, database: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection of its own, so that what fails does not abort a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"USE {identifier(database)}")
        yield cursor


def in_database(database: str, name: str) -> str:
    """Return a qualified name with that of its database before it."""
    qualified = "." in re.sub(_QUOTED, "", name)
    return f"{identifier(database)}.{name if qualified else f'main.{name}'}"


def items_of(sql: str) -> Iterator[str]:
    """Yield what stands between the commas of the first parentheses."""
    start = next(match.end() for match in _STOP.finditer(sql) if match.group() == "(")
    while True:
        end = end_of_item(sql, start)
        yield sql[start:end].strip()
        if sql[end : end + 1] != ",":
            return
        start = end + 1


def end_of_item(text: str, start: int) -> int:
    """Return where an expression ends: at a comma or closing bracket that is not in it."""
    depth = 0
    for match in _STOP.finditer(text, start):
        found = match.group()
        if found in "([{":
            depth += 1
        elif depth == 0 and found in ")]},":
            return match.start()
        elif found in ")]}":
            depth -= 1
    return len(text)


def unqualified(sql: str, database: str) -> str:
    """Return the statement with a database's name gone from wherever it qualifies another."""
    words = _WORD.findall(sql)
    kept: list[str] = []
    skip = False
    for before, word, following in zip(["", *words], words, [*words[1:], ""], strict=False):
        names = word.casefold() in {database.casefold(), identifier(database).casefold()}
        if names and following == "." and before != ".":
            skip = True
        elif skip:
            skip = False
        else:
            kept.append(word)
    return "".join(kept)
