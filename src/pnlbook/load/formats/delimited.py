"""CSV and TSV files by RFC 4180: a header, double quotes, one delimiter for the whole file."""

from __future__ import annotations

import csv
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from pnlbook.book import quote, run
from pnlbook.load.formats.raw import Lines, Raw
from pnlbook.load.result import FileRejected, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    import duckdb

    from pnlbook.load.mapping import Mapping
    from pnlbook.load.sources import Prepared

_DELIMITERS = ",;\t|"
_HEADER_BYTES = 1 << 20
_BLOCK = 8 << 20
_LINE, _LONG_LINE = 2 << 20, 16 << 20
_BUFFER = 32 << 20
_TOO_LONG = "LINE SIZE OVER MAXIMUM"
_REASONS = {
    "TOO MANY COLUMNS": "the row has more cells than the header; is a delimiter unquoted?",
    "MISSING COLUMNS": "the row has fewer cells than the header",
    "UNQUOTED VALUE": "a quote is opened here and never closed, or text follows a closing quote",
    _TOO_LONG: f"the row is longer than {_LONG_LINE >> 20} MB",
    "INVALID ENCODING": "the row is not UTF-8; name the file's encoding with --encoding (latin-1?)",
}


def read(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, mapping: Mapping, name: str
) -> Raw:
    """Read a delimited text file; a row's line is the line of the file on which it begins."""
    delimiter = mapping.delimiter or _delimiter(prepared)
    header, header_lines = _header(prepared, delimiter)
    beside = ThreadPoolExecutor(1)
    line_count = beside.submit(_line_count, prepared.path)
    beside.shutdown(wait=False)
    return _Reader(scratch, prepared, name, delimiter, header, header_lines, line_count).raw(_LINE)


@dataclass(frozen=True)
class _Reader:
    """Reads one file; DuckDB is slower on short rows when it must be ready for long ones."""

    scratch: duckdb.DuckDBPyConnection
    prepared: Prepared
    name: str
    delimiter: str
    header: tuple[str, ...]
    header_lines: int
    line_count: Future[int]

    def raw(self, longest: int) -> Raw:
        """Return how to read rows of up to `longest` bytes."""
        types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.header)))
        relation = (
            f"read_csv({quote(str(self.prepared.path))}, auto_detect = false, header = false, "
            f"skip = {self.header_lines}, delim = {quote(self.delimiter)}, "
            f"quote = '\"', escape = '\"', columns = {{{types}}}, strict_mode = true, "
            f"null_padding = false, max_line_size = {longest}, buffer_size = {_BUFFER}, "
            "store_rejects = true, rejects_limit = 0, "
            f"rejects_table = '{self._refused(longest)}', "
            f"rejects_scan = '{self._refused(longest)}_scan')"
        )
        return Raw(
            self.header,
            relation,
            lambda rows: self.lines(longest, rows),
            has_empty_texts=False,
        )

    def _refused(self, longest: int) -> str:
        return f"{self.name}_refused_{longest}"

    def lines(self, longest: int, rows: int) -> Lines:
        """Return where the rows stood, or that the file has longer ones than was thought."""
        rejects = []
        for kind, reject in _rejects(self.scratch, self.prepared, self._refused(longest)):
            if kind == _TOO_LONG and longest < _LONG_LINE:
                return Lines("", again=self.raw(_LONG_LINE))
            rejects.append(reject)
        if not rejects and self.line_count.result() == rows + self.header_lines:
            return Lines(f"s.rowid + {1 + self.header_lines}")
        refused = {reject.line for reject in rejects}
        found = [n for n in _starts(self.prepared.path, self.delimiter) if n not in refused]
        if len(found) != rows:
            return Lines("NULL::BIGINT", rejects)
        self.scratch.register("row_starts", pa.table({"line": pa.array(found, pa.int64())}))
        run(self.scratch, f"CREATE OR REPLACE TABLE stage.{self.name}_lines AS FROM row_starts")
        self.scratch.unregister("row_starts")
        line = f"(SELECT line FROM stage.{self.name}_lines AS l WHERE l.rowid = s.rowid)"
        return Lines(line, rejects)


def _delimiter(prepared: Prepared) -> str:
    if prepared.format == "tsv":
        return "\t"
    first = next(iter(_start(prepared).splitlines()), "")
    return max(_DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))


def _start(prepared: Prepared) -> str:
    with prepared.path.open("rb") as file:
        return file.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace")


def _header(prepared: Prepared, delimiter: str) -> tuple[tuple[str, ...], int]:
    reader = csv.reader(io.StringIO(_start(prepared), newline=""), delimiter=delimiter)
    try:
        header = tuple(cell.strip() for cell in next(reader, []))
    except csv.Error as error:
        raise FileRejected(prepared.source.location, f"line 1: {error}.") from error
    if not any(header):
        problem = "line 1 is blank, but must name the columns."
        raise FileRejected(prepared.source.location, problem)
    return header, reader.line_num


def _rejects(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, refused: str
) -> Iterator[tuple[str, Reject]]:
    found = run(
        scratch,
        "SELECT line_byte_position, any_value(error_type::VARCHAR), any_value(csv_line) "
        f"FROM {refused} GROUP BY ALL ORDER BY line_byte_position",
    )
    positions = [_after_blank_lines(prepared.path, position - 1) for position, _, _ in found]
    numbers = _line_numbers(prepared.path, positions)
    for (_, kind, line), position, number in zip(found, positions, numbers, strict=True):
        text = _bytes_of_line(prepared.path, position) if kind == "INVALID ENCODING" else line
        reason = _REASONS.get(kind, kind.lower())
        yield kind, Reject(prepared.source.location, number, None, None, reason, text or "")


def _after_blank_lines(path: Path, position: int) -> int:
    """Return where the row begins: DuckDB counts blank lines before it as part of it."""
    with path.open("rb") as file:
        file.seek(position)
        while file.read(1) in (b"\r", b"\n"):
            position += 1
    return position


def _line_numbers(path: Path, positions: list[int]) -> list[int]:
    """Return the line, from 1, of each byte position; positions ascend."""
    numbers: list[int] = []
    line, at = 1, 0
    with path.open("rb") as file:
        for position in positions:
            while at < position:
                block = file.read(min(_BLOCK, position - at))
                line += block.count(b"\n")
                at += len(block)
            numbers.append(line)
    return numbers


def _bytes_of_line(path: Path, position: int) -> str:
    with path.open("rb") as file:
        file.seek(position)
        line = file.readline(_LONG_LINE)
    return line.rstrip(b"\r\n").decode("utf-8", errors="backslashreplace")


def _line_count(path: Path) -> int:
    """Return the number of lines, one without an end at the end of the file included."""
    count, last = 0, b"\n"
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            count += block.count(b"\n")
            last = block[-1:]
    return count + (last != b"\n")


def _starts(path: Path, delimiter: str) -> Iterator[int]:
    """Yield the line on which each record after the header begins; blank lines are no records."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        next(reader, None)
        previous = reader.line_num
        for record in reader:
            if record:
                yield previous + 1
            previous = reader.line_num
