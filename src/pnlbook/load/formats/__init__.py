"""One module for each source format; each gives the source as text columns (`raw.Raw`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook.load.formats import delimited, excel, json, parquet

if TYPE_CHECKING:
    import duckdb

    from pnlbook.load.formats.raw import Raw
    from pnlbook.load.mapping import Mapping
    from pnlbook.load.sources import Prepared

_READERS = {
    "csv": delimited.read,
    "tsv": delimited.read,
    "json": json.read,
    "jsonl": json.read,
    "parquet": parquet.read,
    "excel": excel.read,
}


def read(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, mapping: Mapping, name: str
) -> Raw:
    """Return a source as text columns; `name` is its own within the scratch database."""
    return _READERS[prepared.format](scratch, prepared, mapping, name)
