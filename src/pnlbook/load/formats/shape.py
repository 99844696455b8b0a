"""What quotes and line ends tell of a delimited file, whatever stands between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_SAMPLES, _SAMPLE = 16, 64 << 10
_REST_OF_CELL = re.compile(rb'(?:[^"]++|"")*+')
_LINE_END = re.compile(rb"[\r\n]")


class Shape(NamedTuple):
    """How a file is cut up.

    lines: their number, one without an end at the end of the file included. cut: whether a batch
    begins within a cell that goes on on another line. open: whether a quote is never closed.
    """

    lines: int
    cut: bool
    open: bool


def shape(path: Path, batch: int) -> Shape:
    """Return the shape of a file that is read in batches of so many bytes."""
    lines, quotes, last, cut = 0, 0, b"\n", False
    with path.open("rb", buffering=0) as file:
        while block := file.read(batch):
            within = quotes % 2 == 1
            if within or block.startswith(b'"'):  # perhaps the second half of a quote in a cell
                cell = _REST_OF_CELL.match(block, 0 if within else 1)
                cut = cut or (cell is not None and _LINE_END.search(cell[0]) is not None)
            lines += block.count(b"\n")
            quotes += block.count(b'"')
            last = block[-1:]
    return Shape(lines + (last != b"\n"), cut, quotes % 2 == 1)


def line_bytes(path: Path) -> float:
    """Return about how many bytes a line has, from samples of all parts of a file."""
    size, line_ends = 0, 0
    with path.open("rb") as file:
        for start in range(0, path.stat().st_size, max(path.stat().st_size // _SAMPLES, _SAMPLE)):
            file.seek(start)
            sample = file.read(_SAMPLE)
            size, line_ends = size + len(sample), line_ends + sample.count(b"\n")
    return size / max(line_ends, 1)
