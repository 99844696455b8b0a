"""What the loader's tests share: new books, and what stands in one."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pnlbook import migrate
from pnlbook.book import open_book, run
from pnlbook.load import LoadOptions, LoadResult, load
from pnlbook.load.tables import TABLES

HEADER = "earning_id,node_id,amount_usd,payment_type,payment_status,earned_at"
LINEAGE = "source_line, load_id"


@cache
def _template() -> Path:
    path = Path(mkdtemp(prefix="pnlbook-test-")) / "book.duckdb"
    migrate.create(path)
    return path


def new_book(folder: Path) -> Path:
    """Return the path of a new, empty book in `folder`."""
    return Path(shutil.copy(_template(), folder / "book.duckdb"))


def write(folder: Path, name: str, data: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def earnings(*rows: str) -> str:
    """Return a CSV file of earnings: `id,node,amount,type,status,instant` a row."""
    return "\n".join([HEADER, *rows]) + "\n"


def load_into(book: Path, *sources: Path | str, **options: Any) -> LoadResult:  # noqa: ANN401
    """Load with the given options."""
    return load(book, [str(source) for source in sources], LoadOptions(**options))


def rows(book: Path, statement: str) -> list[tuple[Any, ...]]:
    """Return what a statement yields."""
    with open_book(book) as connection:
        return run(connection, statement)


def facts(book: Path, *, lineage: bool = True) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table that loads fill, history included, as text, in order.

    lineage: False leaves out what depends on which file, line or load a row came by.
    """
    found = {}
    with open_book(book) as connection:
        for table in TABLES:
            ours = f", {table.id_column}" if table.numbered else ""
            left = "" if lineage else f"EXCLUDE ({LINEAGE}{ours})"
            for name in (table.name, table.history) if lineage else (table.name,):
                found[name] = run(
                    connection,
                    f"SELECT COLUMNS(*)::VARCHAR FROM (SELECT * {left} FROM {name}) ORDER BY ALL",
                )
    return found
