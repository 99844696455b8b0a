"""Folding the log into a book: what dies in it leaves the book whole, and nothing folds but this.

DuckDB writes some blocks in place before it writes the header that points to the new state. A death
within such a write is made here of the books before and after: one half of a block from each.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from tests.load import books

from pnlbook import migrate
from pnlbook.book import BookUnreadable, open_book, run
from pnlbook.checkpoint import KEPT, LOG, beside

pytestmark = pytest.mark.core

ROWS = 20_000
HEADERS, BLOCK = 12_288, 262_144
_DIE = """
import os, signal, sys
from pathlib import Path
from pnlbook.load import LoadOptions, load

book, source, event, place = sys.argv[1:]

def watch(what, arguments):
    if what == event and str(arguments[0]) == place:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
load(Path(book), [source], LoadOptions())
"""
_MEET = """
import subprocess, sys
from pathlib import Path
from pnlbook.book import open_book, run

book = Path(sys.argv[1])
other = "import sys, duckdb; duckdb.connect(sys.argv[1], read_only=True)"

def watch(what, arguments):
    if what == "os.remove":
        sys.stdout.write(subprocess.run(
            [sys.executable, "-c", other, str(book)], stderr=subprocess.PIPE, text=True
        ).stderr)

sys.addaudithook(watch)
with open_book(book, write=True) as connection:
    run(connection, "INSERT INTO book_settings VALUES ('a', 'b', 'c')")
"""
_HOLD = """
import sys
import duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
input()
"""


@dataclass(frozen=True)
class Deaths:
    """Folders of one book: as it was, and as two processes left it that died as they loaded.

    kept: once the blocks were kept; written: once the checkpoint was whole.
    """

    was: Path
    kept: Path
    written: Path
    corrected: Path
    complete: dict[str, list[tuple[object, ...]]]

    def torn(self, folder: Path, part: float, *blocks: int) -> Path:
        """Return a book of which these blocks are written in part, the others whole."""
        book = self.copy(self.kept, folder)
        old, new = book.read_bytes(), bytearray((self.written / book.name).read_bytes())
        new[:HEADERS] = old[:HEADERS]
        for block in blocks:
            cut = block + int(BLOCK * part)
            new[cut : block + BLOCK] = old[cut : block + BLOCK]
        book.write_bytes(new)
        return book

    def copy(self, source: Path, folder: Path) -> Path:
        """Return the book of a copy of one of the folders."""
        return Path(shutil.copytree(source, folder, dirs_exist_ok=True)) / "book.duckdb"

    @property
    def in_place(self) -> list[int]:
        """The offsets of blocks that the checkpoint wrote over."""
        old = (self.kept / "book.duckdb").read_bytes()
        new = (self.written / "book.duckdb").read_bytes()
        offsets = range(HEADERS, len(old), BLOCK)
        return [at for at in offsets if old[at : at + BLOCK] != new[at : at + BLOCK]]


def _file(folder: Path, amount: str) -> Path:
    lines = [f"e{i},node-{i % 7},{amount},bonus,paid,2025-10-01" for i in range(ROWS)]
    return books.write(folder, f"e-{amount}.csv", books.earnings(*lines))


def _die(book: Path, source: Path, event: str, place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DIE, str(book), str(source), event, str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> Deaths:
    folder = tmp_path_factory.mktemp("deaths")
    was, kept, written, complete = (folder / name for name in ("was", "kept", "written", "done"))
    was.mkdir()
    book = books.new_book(was)
    books.load_into(book, _file(folder, "1.00"))
    for copy in (kept, written, complete):
        shutil.copytree(was, copy)
    corrected = _file(folder, "2.00")
    books.load_into(complete / book.name, corrected)
    _die(kept / book.name, corrected, "open", kept)
    _die(written / book.name, corrected, "os.remove", written / f"{book.name}{KEPT}")
    return Deaths(was, kept, written, corrected, books.facts(complete / book.name))


def _names(book: Path) -> list[str]:
    return sorted(path.name for path in book.parent.iterdir())


def _opens_by_itself(book: Path) -> bool:
    try:
        duckdb.connect(str(book), read_only=True).close()
    except duckdb.Error as error:
        return "Corrupt database file" not in str(error)
    return True


def test_the_deaths_are_what_they_are_taken_for(deaths: Deaths) -> None:
    assert _names(deaths.kept / "b") == ["book.duckdb", "book.duckdb.rollback", "book.duckdb.wal"]
    assert (deaths.kept / "book.duckdb").read_bytes() == (deaths.was / "book.duckdb").read_bytes()
    assert "book.duckdb.rollback" in _names(deaths.written / "b")
    assert len(deaths.in_place) > 1


@pytest.mark.parametrize("part", [0.05, 0.5, 0.95])
def test_a_block_half_written(deaths: Deaths, part: float, tmp_path: Path) -> None:
    broken = 0
    for number, block in enumerate(deaths.in_place):
        book = deaths.torn(tmp_path / str(number), part, block)
        broken += not _opens_by_itself(book)
        assert books.facts(book) == deaths.complete
        assert _names(book) == ["book.duckdb", "book.duckdb.wal"]
        assert books.load_into(book, deaths.corrected).files[0].skipped
    assert broken


def test_every_block_half_written_then_loaded_again(deaths: Deaths, tmp_path: Path) -> None:
    book = deaths.torn(tmp_path / "torn", 0.5, *deaths.in_place)
    assert not _opens_by_itself(book)
    books.load_into(book, _file(tmp_path, "3.00"))
    other = deaths.copy(deaths.was, tmp_path / "other")
    for amount in ("2.00", "3.00"):
        books.load_into(other, _file(tmp_path, amount))
    assert books.facts(book) == books.facts(other)
    assert _names(book) == ["book.duckdb"]


def test_dead_before_the_first_block(deaths: Deaths, tmp_path: Path) -> None:
    assert books.facts(deaths.copy(deaths.kept, tmp_path / "copy")) == deaths.complete


def test_dead_after_the_header(deaths: Deaths, tmp_path: Path) -> None:
    book = deaths.copy(deaths.written, tmp_path / "copy")
    before = book.read_bytes()
    assert books.facts(book) == deaths.complete
    assert book.read_bytes() == before
    assert KEPT not in "".join(_names(book))


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("size", [0, 10, 40, 5_000, 12_345, 100_000, -1])
def test_dead_as_the_blocks_were_kept(
    deaths: Deaths, size: int, zeros: bool, tmp_path: Path
) -> None:
    book = deaths.copy(deaths.kept, tmp_path / "copy")
    kept = beside(book, KEPT)
    whole = kept.stat().st_size
    os.truncate(kept, size if size >= 0 else whole + size)
    if zeros:  # as a loss of power may leave it
        os.truncate(kept, whole)
    before = book.read_bytes()
    assert books.facts(book) == deaths.complete
    assert book.read_bytes() == before
    assert not kept.exists()


def test_what_is_kept_of_another_book_is_left_alone(deaths: Deaths, tmp_path: Path) -> None:
    books.new_book(tmp_path)
    book = tmp_path / "book.duckdb"
    before = book.read_bytes()
    shutil.copy(deaths.kept / f"book.duckdb{KEPT}", tmp_path)
    books.facts(book)
    assert book.read_bytes() == before
    assert _names(book) == ["book.duckdb"]


def test_a_book_that_is_held_is_mended_later(deaths: Deaths, tmp_path: Path) -> None:
    book = deaths.copy(deaths.kept, tmp_path / "copy")
    holding = [sys.executable, "-c", _HOLD, str(book)]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert books.facts(book) == deaths.complete
        assert beside(book, KEPT).exists()
        holder.communicate(b"\n")
    assert books.facts(book) == deaths.complete
    assert not beside(book, KEPT).exists()


def test_nobody_meets_a_book_that_is_being_folded(tmp_path: Path) -> None:
    program = [sys.executable, "-c", _MEET, str(books.new_book(tmp_path))]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True)
    assert "Conflicting lock is held" in done.stdout


def test_who_may_not_write_is_told_what_mends_it(deaths: Deaths, tmp_path: Path) -> None:
    book = deaths.torn(tmp_path / "torn", 0.5, *deaths.in_place)
    beside(book, KEPT).rename(tmp_path / "away")
    beside(book, KEPT).mkdir()  # what cannot be read, even by root
    with pytest.raises(
        BookUnreadable, match=r"a process died as it wrote to it\. book\.duckdb\.rollback mends it"
    ):
        books.facts(book)
    beside(book, KEPT).rmdir()
    with pytest.raises(BookUnreadable, match=r"it is damaged \(.*pnlbook backup restore"):
        books.facts(book)
    (tmp_path / "away").rename(beside(book, KEPT))
    assert books.facts(book) == deaths.complete


def test_what_is_kept_is_as_private_as_the_book(deaths: Deaths, tmp_path: Path) -> None:
    book = deaths.copy(deaths.was, tmp_path / "copy")
    book.chmod(0o600)
    _die(book, deaths.corrected, "open", book.parent)
    assert beside(book, KEPT).stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_folded_stays_in_the_log(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    before = book.read_bytes()
    beside(book, KEPT).mkdir()  # so nothing can be kept
    large = "CREATE TABLE large AS SELECT range::VARCHAR || repeat('x', 40) AS text FROM range(?)"
    with open_book(book, write=True) as connection:
        run(connection, large, [1_000_000])
        run(connection, "UPDATE large SET text = text || 'y'")
    assert beside(book, LOG).stat().st_size > 16 << 20  # which DuckDB would fold
    assert book.read_bytes()[:HEADERS] == before[:HEADERS]
    beside(book, KEPT).rmdir()
    with open_book(book, write=True) as connection:
        assert run(connection, "SELECT count(*) FROM large") == [(1_000_000,)]
    assert _names(book) == ["book.duckdb"]


def test_what_could_not_be_put_back_is_not_written_over(deaths: Deaths, tmp_path: Path) -> None:
    book = deaths.copy(deaths.kept, tmp_path / "copy")
    kept = beside(book, KEPT).read_bytes()
    hook = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pnlbook.book import open_book, run\n"
        "os.fsync = lambda _: (_ for _ in ()).throw(OSError('the disk is out'))\n"
        "with open_book(Path(sys.argv[1]), write=True) as c: run(c, 'CREATE TABLE more (n INT)')\n"
    )
    subprocess.run([sys.executable, "-c", hook, str(book)], check=True)
    assert beside(book, KEPT).read_bytes() == kept
    with open_book(book) as connection:
        assert run(connection, "FROM more") == []
    assert not beside(book, KEPT).exists()


def test_nothing_is_folded_where_nothing_was_written(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    before = book.read_bytes()
    with open_book(book, write=True) as connection:
        run(connection, "FROM book_settings")
    assert book.read_bytes() == before
    assert _names(book) == ["book.duckdb"]


@pytest.mark.parametrize("suffix", [LOG, KEPT])
def test_no_new_book_beside_the_rest_of_another(suffix: str, tmp_path: Path) -> None:
    book = tmp_path / "book.duckdb"
    beside(book, suffix).touch()
    with pytest.raises(migrate.BookNotMade, match=rf"book\.duckdb{suffix} is there, of a book"):
        migrate.create(book)
    assert _names(book) == [beside(book, suffix).name]
