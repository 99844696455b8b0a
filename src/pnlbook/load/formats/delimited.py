"""CSV and TSV files by RFC 4180: a header, double quotes, one delimiter for the whole file."""

from __future__ import annotations

import csv
import io
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from pnlbook.book import quote, run
from pnlbook.load.formats.raw import Lines, Raw
from pnlbook.load.formats.shape import Shape, line_bytes, shape
from pnlbook.load.result import FileRejected, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

    from pnlbook.load.mapping import Mapping
    from pnlbook.load.sources import Prepared

_DELIMITERS = ",;\t|"
_HEADER_BYTES = 1 << 20
_BLOCK = 8 << 20
_LINE, _LONG_LINE = 2 << 20, 16 << 20
# DuckDB cuts a file into four batches a buffer. One that is nearly a row group of the staged table
# (122,880 rows) becomes one without being copied once more.
_BATCHES_A_BUFFER, _BATCH_ROWS, _LARGEST_BATCH = 4, 116_000, 16 << 20
_TOO_LONG, _QUOTE = "LINE SIZE OVER MAXIMUM", "UNQUOTED VALUE"
_REASONS = {  # what weighs most of a row that has several faults comes first
    _TOO_LONG: f"the row is longer than {_LONG_LINE >> 20} MB",
    _QUOTE: "a quote is opened here and never closed, or text follows a closing quote",
    "INVALID ENCODING": "the row is not UTF-8; name the file's encoding with --encoding (latin-1?)",
    "TOO MANY COLUMNS": "the row has more cells than the header; is a delimiter unquoted?",
    "MISSING COLUMNS": "the row has fewer cells than the header",
}


def read(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, mapping: Mapping, name: str
) -> Raw:
    """Read a delimited text file; a row's line is the line of the file on which it begins."""
    delimiter = mapping.delimiter or _delimiter(prepared)
    header, header_lines = _header(prepared, delimiter)
    return _Reader(scratch, prepared, name, delimiter, header, header_lines).raw()


@dataclass(frozen=True)
class _Reader:
    """One way to read a file.

    longest: bytes of the longest row; DuckDB is slower on short rows when it must be ready for long
    ones. parallel: by several threads, each of which has to guess where its first row begins.
    """

    scratch: duckdb.DuckDBPyConnection
    prepared: Prepared
    name: str
    delimiter: str
    header: tuple[str, ...]
    header_lines: int
    longest: int = _LINE
    parallel: bool = True

    def raw(self) -> Raw:
        """Return how to read the rows, and begin to look at the file's quotes and lines."""
        batch = _batch(self.prepared.path, self.longest)
        types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.header)))
        relation = (
            f"read_csv({quote(str(self.prepared.path))}, auto_detect = false, header = false, "
            f"skip = {self.header_lines}, delim = {quote(self.delimiter)}, "
            f"quote = '\"', escape = '\"', columns = {{{types}}}, strict_mode = true, "
            f"null_padding = false, parallel = {self.parallel}, max_line_size = {self.longest}, "
            f"buffer_size = {_BATCHES_A_BUFFER * batch}, "
            "store_rejects = true, rejects_limit = 0, "
            f"rejects_table = '{self._refused}', rejects_scan = '{self._refused}_scan')"
        )
        beside = ThreadPoolExecutor(1)
        found = beside.submit(shape, self.prepared.path, batch)
        beside.shutdown(wait=False)
        return Raw(
            self.header,
            relation,
            lambda rows: self._lines(found.result(), rows),
            has_empty_texts=False,
        )

    @property
    def _refused(self) -> str:
        return f"{self.name}_refused_{self.longest}_{self.parallel}"

    def _lines(self, shape: Shape, rows: int) -> Lines:
        """Return where the rows stood, or another way to read them when this one is not up to it.

        Rows and refused ones are held against the file: none is lost, and none is read twice.
        """
        if self.parallel and shape.cut:
            return Lines("", again=replace(self, parallel=False).raw())
        path, location = self.prepared.path, self.prepared.source.location
        rejects = []
        for kinds, reject in self._rejects():
            if _TOO_LONG in kinds and self.longest < _LONG_LINE:
                return Lines("", again=replace(self, longest=_LONG_LINE).raw())
            if _QUOTE in kinds and self.parallel:  # only one thread tells where such a row begins
                return Lines("", again=replace(self, parallel=False).raw())
            rejects.append(reject)
        if not rejects and shape.lines == rows + self.header_lines:
            return Lines(f"s.rowid + {1 + self.header_lines}")
        refused = {reject.line for reject in rejects}
        found = [n for n in _starts(path, self.delimiter) if n not in refused]
        if shape.open and len(found) == rows + 1:  # one thread leaves such a row out without a word
            line = found.pop()
            text = _from_line(path, line)
            rejects.append(Reject(location, line, None, None, _reason([_QUOTE], text), text))
        if len(found) != rows:
            if self.parallel:
                return Lines("", again=replace(self, parallel=False).raw())
            problem = (
                f"its rows cannot be told apart: {len(found):,} by its quotes and line ends, "
                f"{rows:,} when read. Look for quotes within cells: each is written twice."
            )
            raise FileRejected(location, problem)
        self.scratch.register("row_starts", pa.table({"line": pa.array(found, pa.int64())}))
        run(self.scratch, f"CREATE OR REPLACE TABLE stage.{self.name}_lines AS FROM row_starts")
        self.scratch.unregister("row_starts")
        line_of = f"(SELECT line FROM stage.{self.name}_lines AS l WHERE l.rowid = s.rowid)"
        return Lines(line_of, rejects)

    def _rejects(self) -> Iterator[tuple[list[str], Reject]]:
        found = run(
            self.scratch,
            "SELECT line_byte_position, list(DISTINCT error_type::VARCHAR) "
            f"FROM {self._refused} GROUP BY ALL ORDER BY line_byte_position",
        )
        line, at = 1, 0
        with self.prepared.path.open("rb") as file:
            for first, kinds in found:
                position = _after_blank_lines(file, first - 1)
                line += _line_ends(file, at, position)
                at = position
                text = _record(file, position, self.delimiter)
                reason = _reason(kinds, text)
                yield kinds, Reject(self.prepared.source.location, line, None, None, reason, text)


def _reason(kinds: list[str], text: str) -> str:
    """Say what is wrong with a record, by DuckDB's names for it."""
    if _QUOTE in kinds and "\n" in text and text.count('"') % 2:
        return "a quote is opened here and never closed: all that follows is taken for this row"
    known = [reason for kind, reason in _REASONS.items() if kind in kinds]
    return known[0] if known else kinds[0].lower()


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


def _after_blank_lines(file: BinaryIO, position: int) -> int:
    """Return where the row begins: DuckDB counts blank lines before it as part of it."""
    file.seek(position)
    while file.read(1) in (b"\r", b"\n"):
        position += 1
    return position


def _line_ends(file: BinaryIO, start: int, end: int) -> int:
    """Return how many lines end, by LF, CR LF or CR, from byte `start` to byte `end`."""
    file.seek(start)
    count = 0
    while (left := end - file.tell()) > 0:
        block = file.read(min(_BLOCK, left))
        if block.endswith(b"\r") and len(block) < left:
            block += file.read(1)
        count += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")
    return count


def _record(file: BinaryIO, position: int, delimiter: str) -> str:
    """Return the record that begins at a byte position, as it stands in the file.

    Of one whose quote is never closed, as much as a row may be long.
    """
    file.seek(position)
    text = io.TextIOWrapper(file, "utf-8", errors="backslashreplace", newline="")
    kept: list[str] = []

    def lines() -> Iterator[str]:
        left = _LONG_LINE
        while left > 0 and (line := text.readline(left)):
            left -= len(line)
            kept.append(line)
            yield line

    csv.field_size_limit(sys.maxsize)
    next(csv.reader(lines(), delimiter=delimiter), None)
    text.detach()
    return "".join(kept).rstrip("\r\n")


def _from_line(path: Path, line: int) -> str:
    """Return what stands from a line on, as much as a row may be long."""
    with path.open(encoding="utf-8", errors="backslashreplace", newline="") as file:
        next(itertools.islice(file, line - 2, None), None)
        return file.read(_LONG_LINE).rstrip("\r\n")


def _batch(path: Path, longest: int) -> int:
    """Return how many bytes of a file a thread is to read at once.

    DuckDB 2.0 loses rows where four batches are not exactly a buffer, hence whole pages.
    """
    fitting = int(_BATCH_ROWS * line_bytes(path)) >> 12 << 12
    return min(max(fitting, longest), _LARGEST_BATCH)


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
