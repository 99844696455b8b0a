"""What quotes and line ends tell of a file, against one that walks through it byte by byte."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pnlbook.load.formats.shape import line_bytes, shape


def cells(text: str) -> list[tuple[int, int]]:
    """Return where each quoted cell begins and ends, its quotes left out."""
    return [match.span(1) for match in re.finditer(r'"((?:[^"]|"")*)"', text)]


def is_cut(text: str, batch: int) -> bool:
    return any(
        start <= at <= end and "\n" in text[at:end]
        for at in range(batch, len(text), batch)
        for start, end in cells(text)
    )


CELL = st.text("ab\n,").map(lambda text: f'"{text}"') | st.text('ab"\n').map(
    lambda text: '"' + text.replace('"', '""') + '"'
)
ROWS = st.lists(st.lists(CELL | st.text("ab"), min_size=1, max_size=3).map(",".join), max_size=8)


@given(ROWS, st.integers(1, 20))
@example(['"aaa"'], 3)
@example(['a,"x""\nb"'], 5)
@example(['a,"x""y\nb"'], 5)
@example(['"","",""', '"","a""""""\n"'], 9)
def test_a_batch_that_begins_within_a_cell_of_several_lines(rows: list[str], batch: int) -> None:
    text = "".join(f"{row}\n" for row in rows)
    with TemporaryDirectory() as folder:
        path = Path(folder, "file")
        path.write_text(text, newline="")
        found = shape(path, batch)
    assert found.lines == text.count("\n")
    assert not found.open
    if is_cut(text, batch):
        assert found.cut
    if not any("\n" in text[start:end] for start, end in cells(text)):
        assert not found.cut or '"' in text[batch::batch]


@pytest.mark.parametrize(
    ("text", "lines", "is_open"),
    [("", 0, False), ("a", 1, False), ("a\n", 1, False), ('a\n"b', 2, True), ('"a""\n', 1, True)],
)
def test_lines_and_open_quotes(text: str, lines: int, is_open: bool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    found = shape(path, 1 << 20)
    assert (found.lines, found.open) == (lines, is_open)


def test_a_line_is_as_long_as_lines_are_in_all_parts_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(("x" * 19 + "\n") * 100_000 + ("x" * 39 + "\n") * 50_000)
    assert line_bytes(path) == pytest.approx(4_000_000 / 150_000, rel=0.05)
