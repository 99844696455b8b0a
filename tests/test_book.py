"""Opening books: what can be opened, what is said of what cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pnlbook import migrate
from pnlbook.book import (
    BookLocked,
    BookMissing,
    BookUnreadable,
    Holder,
    attached,
    identifier,
    lock_holder,
    open_book,
    quote,
)

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def new_book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("new") / "book.duckdb"
    migrate.create(path)
    return path.read_bytes()


@pytest.fixture
def book(tmp_path: Path, new_book: bytes) -> Path:
    path = tmp_path / "book.duckdb"
    path.write_bytes(new_book)
    return path


def test_reading_is_reading_only(book: Path) -> None:
    with open_book(book) as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("DELETE FROM book_settings")


def test_writing(book: Path) -> None:
    with open_book(book, write=True) as connection:
        connection.execute("INSERT INTO book_settings VALUES ('a', 'b', 'c')")
    with open_book(book) as connection:
        found = connection.execute("SELECT value FROM book_settings WHERE name = 'a'").fetchall()
    assert found == [("b",)]


def test_connections_run_in_the_books_time_zone(book: Path) -> None:
    migrate.change_timezone(book, "Europe/Berlin")
    with open_book(book) as connection:
        shown = connection.execute("SELECT TIMESTAMPTZ '2025-07-01 00:00:00Z'::VARCHAR").fetchall()
    assert shown == [("2025-07-01 02:00:00+02",)]


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(BookMissing, match=r"pnlbook init .*none\.duckdb"):
        open_book(tmp_path / "none.duckdb").__enter__()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"Dear Ann,\n", b"\0" * 20_000, b"node_id,amount\nn1,5\n"])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "letter"
    path.write_bytes(content)
    with pytest.raises(BookUnreadable, match=r"it is not a DuckDB file\. Name a book with --book"):
        open_book(path).__enter__()
    assert path.read_bytes() == content


@pytest.mark.parametrize("damage", ["header", "middle", "half"])
def test_damaged_book(book: Path, damage: str) -> None:
    content = bytearray(book.read_bytes())
    if damage == "header":
        content[4096:8192] = b"\xff" * 4096
        content[8192:12288] = b"\xff" * 4096
    elif damage == "middle":
        content[len(content) // 4 :] = b"\xff" * (len(content) - len(content) // 4)
    else:
        del content[len(content) // 2 :]
    book.write_bytes(content)
    with pytest.raises((BookUnreadable, duckdb.Error)), open_book(book) as connection:
        connection.execute("FROM book_settings").fetchall()


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BookUnreadable):
        open_book(tmp_path).__enter__()


def test_newer_duckdb(book: Path) -> None:
    content = bytearray(book.read_bytes())
    assert content[8:12] == b"DUCK"
    content[12:20] = (9999).to_bytes(8, "little")
    book.write_bytes(content)
    with pytest.raises(BookUnreadable):
        open_book(book).__enter__()


def test_folder_without_permission(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pnlbook import migrate\n"
        "try: migrate.create(Path(sys.argv[1]))\n"
        "except migrate.BookNotMade as error: print(error)\n"
    )
    tmp_path.chmod(0o555)
    done = _unprivileged(code, str(tmp_path / "book.duckdb"))
    assert done == (
        f"cannot make {tmp_path}/book.duckdb: Permission denied. "
        "Choose another path, or mend that.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_book_without_permission(book: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pnlbook.book import *\n"
        "try: open_book(Path(sys.argv[1])).__enter__()\n"
        "except BookUnreadable as error: print(error)\n"
    )
    book.chmod(0)
    assert "permission denied. Grant this user read" in _unprivileged(code, str(book))


def test_reading_needs_no_permission_to_write(book: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from pnlbook.book import *\n"
        "with open_book(Path(sys.argv[1])) as c: print(c.execute('SELECT 1').fetchall())\n"
    )
    book.chmod(0o444)
    book.parent.chmod(0o555)
    assert _unprivileged(code, str(book)) == "[(1,)]\n"


def _unprivileged(code: str, argument: str) -> str:
    """Run Python code as a user who may not pass over permissions, and return what it prints."""
    command = [sys.executable, "-c", code, argument]
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root passes over permissions")
        powers = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={powers}", f"--inh-caps={powers}", *command]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_attach_for_writing(book: Path) -> None:
    with duckdb.connect() as scratch, attached(scratch, book, "book"):
        scratch.execute("INSERT INTO book_settings VALUES ('a', 'b', 'c')")
    with open_book(book) as connection:
        assert connection.execute("SELECT count(*) FROM book_settings WHERE name = 'a'").fetchall()


def test_nobody_holds_it(book: Path) -> None:
    assert lock_holder(book) is None


def test_locked_names_the_holder() -> None:
    error = BookLocked(Path("b"), Holder(7, "pnlbook load"), 30.04, write=False)
    assert str(error) == (
        "book b is open for writing by process 7 (pnlbook load); waited 30 s. "
        "Try again, or raise --lock-timeout."
    )
    assert error.exit_code == 4
    assert "in use; waited 2 s" in str(BookLocked(Path("b"), None, 2.0, write=True))


def test_holder_of_this_process() -> None:
    holder = Holder.of(os.getpid())
    assert holder.pid == os.getpid()
    assert len(holder.command) < 90
    assert "\n" not in holder.command
    assert str(Holder.of(2**22 + 1)) == f"process {2**22 + 1}"


@pytest.mark.parametrize("text", ["plain", "it's", 'a "b"', "'; DROP TABLE nodes; --", ""])
def test_quoting(text: str) -> None:
    found = duckdb.execute(f"SELECT {quote(text)} AS {identifier(text or 'x')}")
    assert [column[0] for column in found.description] == [text or "x"]
    assert found.fetchall() == [(text,)]
