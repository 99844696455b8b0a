"""Parquet files; every type arrives as its text, so that all formats obey the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from pnlbook.book import identifier, quote, run
from pnlbook.load.formats.raw import Lines, Raw
from pnlbook.load.result import FileRejected

if TYPE_CHECKING:
    from pnlbook.load.mapping import Mapping
    from pnlbook.load.sources import Prepared

_NESTED = ("STRUCT", "MAP", "UNION")


def read(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, mapping: Mapping, name: str
) -> Raw:
    """Read a Parquet file; a row's line is its number, from 1."""
    _ = mapping, name
    relation = f"read_parquet({quote(str(prepared.path))})"
    try:
        found = run(scratch, f"DESCRIBE FROM {relation}")
    except duckdb.Error as error:
        problem = f"the Parquet file is cut short or damaged ({str(error).splitlines()[0]})."
        raise FileRejected(prepared.source.location, problem) from error
    columns = tuple(row[0] for row in found)
    texts = [f"{_text(row[0], row[1])} AS c{i}" for i, row in enumerate(found)]
    return Raw(
        columns, f"(SELECT {', '.join(texts)} FROM {relation})", lambda _rows: Lines("s.rowid + 1")
    )


def _text(column: str, kind: str) -> str:
    quoted = identifier(column)
    if kind.endswith("]") or kind.startswith(_NESTED):
        return f"CAST(to_json({quoted}) AS VARCHAR)"
    return f"CAST({quoted} AS VARCHAR)"
