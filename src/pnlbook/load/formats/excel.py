"""Excel and OpenDocument sheets; a number arrives as the shortest text that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pnlbook.book import run
from pnlbook.load.formats.raw import Lines, Raw
from pnlbook.load.result import FileRejected

if TYPE_CHECKING:
    import duckdb

    from pnlbook.load.mapping import Mapping
    from pnlbook.load.sources import Prepared

_HEADER_ROWS = 1


def read(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, mapping: Mapping, name: str
) -> Raw:
    """Read one sheet (the first, or the mapping's `sheet`); a line is a row of it."""
    frame = _frame(prepared, mapping.sheet)
    columns = tuple(frame.columns)
    frame.columns = [f"c{i}" for i in range(len(columns))]
    texts = frame.columns
    rows = frame.with_row_index("line", offset=1 + _HEADER_ROWS).filter(
        ~pl.all_horizontal(pl.col(texts).is_null())
    )
    scratch.register("sheet", rows.to_arrow())
    run(scratch, f"CREATE TABLE stage.{name}_sheet AS FROM sheet")
    scratch.unregister("sheet")
    names = ", ".join(f"CAST({text} AS VARCHAR) AS {text}" for text in texts)
    line = f"(SELECT line::BIGINT FROM stage.{name}_sheet AS l WHERE l.rowid = s.rowid)"
    return Raw(columns, f"(SELECT {names} FROM stage.{name}_sheet)", lambda _rows: Lines(line))


def _frame(prepared: Prepared, sheet: str | None) -> pl.DataFrame:
    try:
        return pl.read_excel(
            prepared.path,
            engine="calamine",
            sheet_name=sheet,
            infer_schema_length=0,
            drop_empty_rows=False,
            drop_empty_cols=False,
            raise_if_empty=False,
        )
    except Exception as error:
        problem = f"the workbook cannot be read ({error})."
        raise FileRejected(prepared.source.location, problem) from error
