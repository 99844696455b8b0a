"""Files that are read in several batches: each row comes in once, as if one had read them all."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from tests.load import books

from pnlbook.load import DataRejected, FileRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.core

SIZE = 8 << 20
REST = "1,bonus,paid,2025-10-01"
LIKE_A_ROW = f"no row,alex,{REST}"


def plain(key: str) -> str:
    return f"{key},alex,{REST}"


def lines_like_rows(key: str) -> str:
    inside = "\n".join([LIKE_A_ROW] * 20)
    return f'{key},"alex\n{inside}\n",{REST}'


def quotes_and_lines(key: str) -> str:
    return f'{key},"""alex""\n""{LIKE_A_ROW}""\n""",{REST}'


def all_quoted(key: str) -> str:
    return ",".join(f'"{cell}"' for cell in plain(key).split(","))


ROWS = (plain, lines_like_rows, quotes_and_lines, all_quoted)


def made_of(write: Callable[[str], str], size: int = SIZE) -> Iterator[str]:
    """Yield rows until they are `size` characters long."""
    number = 0
    while size > 0:
        number += 1
        yield write(f"e{number}")
        size -= len(write(f"e{number}")) + 1


def told(path: Path) -> list[tuple[str, str, int]]:
    """Return key, node and line of each row, as Python's own reader finds them."""
    reader = csv.reader(io.StringIO(path.read_text(), newline=""))
    next(reader)
    found, line = [], reader.line_num + 1
    for key, node, *_ in reader:
        found.append((key, node, line))
        line = reader.line_num + 1
    return found


def loaded(book: Path) -> list[tuple[str, str, int]]:
    statement = "SELECT source_key, node_id, source_line FROM node_earnings ORDER BY earning_id"
    return books.rows(book, statement)


@pytest.mark.parametrize("write", ROWS, ids=lambda write: write.__name__)
def test_a_line_within_a_cell_is_no_row(write: Callable[[str], str], tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    path = books.write(tmp_path, "e.csv", books.earnings(*made_of(write)))
    books.load_into(book, path)
    assert loaded(book) == told(path)


@pytest.mark.parametrize("before", [3, 4, 5])
def test_nor_where_a_batch_begins_within_the_only_such_cell(before: int, tmp_path: Path) -> None:
    """A reader that starts within the cell finds as many rows as the file has lines."""
    book = books.new_book(tmp_path)
    cell = f'x,"{"x" * 1_500_000}\nno row,alex",{REST}'
    rows = [*made_of(plain, before << 20), cell, *made_of(plain, 4 << 20)]
    path = books.write(tmp_path, "e.csv", books.earnings(*(f"{n}{r}" for n, r in enumerate(rows))))
    books.load_into(book, path)
    assert loaded(book) == told(path)


@pytest.mark.parametrize("width", [1, 5, 13])
def test_no_row_is_lost_where_batches_meet(width: int, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    rows = (f"{n},{'x' * (n % 7 + width)},{REST}" for n in range(1, 300_001))
    path = books.write(tmp_path, "e.csv", books.earnings(*rows))
    assert books.load_into(book, path).rows_added == 300_000
    lines = "SELECT count(*) FROM node_earnings WHERE source_line = source_key::BIGINT + 1"
    assert books.rows(book, lines) == [(300_000,)]


@pytest.mark.parametrize("rows_after", [10, 300_000])
def test_a_quote_never_closed_takes_the_rest_of_the_file(rows_after: int, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    rest = [f'open,"alex,{REST}', *(plain(f"a{n}") for n in range(rows_after))]
    path = books.write(
        tmp_path, "e.csv", books.earnings(*(plain(f"b{n}") for n in range(9)), *rest)
    )
    with pytest.raises(DataRejected) as raised:
        books.load_into(book, path)
    (reject,) = raised.value.result.files[0].rejects
    assert (reject.line, reject.raw) == (11, "\n".join(rest))
    assert "all that follows" in reject.reason
    assert loaded(book) == []
    assert books.load_into(book, path, max_rejects=None).rows_added == 9
    assert loaded(book) == told(path)[:9]


def test_a_file_whose_rows_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    path = books.write(tmp_path, "e.csv", books.earnings(f'e1, "alex\nalex",{REST}', plain("e2")))
    with pytest.raises(FileRejected, match="cannot be told apart"):
        books.load_into(book, path)
    assert loaded(book) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "bad",
    [
        f'bad,"alex"x,{REST}',
        f'bad,"alex"x,1,bonus,paid,"2025-10-01\nno row,"alex"x,{REST}"',
        f'bad,"alex\nalex",{REST},more',
        "bad",
    ],
)
def test_a_refused_row_is_kept_whole_with_its_line(bad: str, end: str, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    rows = [plain("e1"), bad, plain("e2"), "", bad, plain("e3")]
    text = books.earnings(*rows).replace("\n", end)
    result = books.load_into(book, books.write(tmp_path, "e.csv", text), max_rejects=None)
    lines = 1 + bad.count("\n")
    raw = bad.replace("\n", end)
    found = [(reject.line, reject.raw) for reject in result.files[0].rejects]
    assert found == [(3, raw), (5 + lines, raw)]
    told_lines = [("e1", "alex", 2), ("e2", "alex", 3 + lines), ("e3", "alex", 5 + 2 * lines)]
    assert loaded(book) == told_lines
