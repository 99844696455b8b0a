"""What a person sees: tables on stdout, files that are whole or not there.

Colour and the width of the terminal count only on a terminal; elsewhere a table is as wide as it
needs to be.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from pnlbook.errors import PnlbookError


class OutputUnwritable(PnlbookError):
    """The file that a result was to go to cannot be made."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"cannot write {path}: {error.strerror}. "
            "Name another file, or see that its folder is there and writable."
        )


_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_UNLIMITED = 100_000
_BOX = box.Box("    \n    \n ─  \n    \n    \n    \n    \n    \n")  # a rule below each name


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    *,
    right: Sequence[bool] | None = None,
    write: Callable[[str], int] | None = None,
) -> None:
    """Print rows of texts under their column names; None is NULL, `right` aligns numbers.

    write: takes the text in place of stdout.
    """
    table = Table(
        box=_BOX,
        pad_edge=False,
        show_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for number, name in enumerate(columns):
        justify: JustifyMethod = "right" if right and right[number] else "left"
        table.add_column(_cell(name), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _print(table, write)


def console(*, stderr: bool = False) -> Console:
    """Return a Rich console that colours only a terminal, and none under NO_COLOR."""
    stream = sys.stderr if stderr else sys.stdout
    terminal = stream.isatty()
    plain = bool(os.environ.get("NO_COLOR")) or not terminal
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system=None if plain else "auto",
        width=None if terminal else _UNLIMITED,
        markup=False,
        highlight=False,
    )


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to make a file at; it becomes `path` at the end of the block, if nothing fails.

    A pipe or device is written to directly.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    try:
        folder = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OutputUnwritable(path, error) from error
    try:
        partial = Path(folder, path.name)
        yield partial
        _flush_to_disk(partial)
        partial.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def file_writer(path: Path) -> Iterator[Callable[[str], int]]:
    """Give a function that writes text to a file, which is whole at the end of the block."""
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="\n") as file,
    ):
        yield file.write


def harmless(text: str) -> str:
    """Return a text whose control characters are shown, and not obeyed by a terminal."""
    return _CONTROL.sub(lambda match: repr(match.group())[1:-1], text)


def _print(table: Table, write: Callable[[str], int] | None) -> None:
    terminal = console()
    if terminal.is_terminal and write is None:
        terminal.print(table)
        return
    plain = Console(width=_UNLIMITED, color_system=None, force_terminal=False)
    with plain.capture() as captured:
        plain.print(table)
    for line in captured.get().splitlines():
        (write or sys.stdout.write)(line.rstrip() + "\n")


def _cell(value: str | None) -> Text:
    if value is None:
        return Text("NULL", style="dim")
    return Text(harmless(value))


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
