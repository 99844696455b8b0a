"""A kill at any moment and a full disk leave the book exactly as before, or exactly complete."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.load import books

ROWS = 20_000
_PROGRAM = """
import os, signal, sys, threading, time
from pathlib import Path
from pnlbook.load import LoadOptions, load

book, source, stage, delay = Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])

def die():
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)

def told(progress):
    if progress.stage == stage:
        threading.Thread(target=die).start()

load(book, [source], LoadOptions(), on_progress=told)
time.sleep(1)
"""


def _file(folder: Path, amount: str) -> Path:
    lines = [f"e{i},node-{i % 7},{amount},bonus,paid,2025-10-01" for i in range(ROWS)]
    return books.write(folder, f"e-{amount}.csv", books.earnings(*lines))


@pytest.mark.parametrize("stage", ["reading", "writing"])
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
def test_kill_at_any_moment_then_load_again(stage: str, delay: float, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    books.load_into(book, _file(tmp_path, "1.00"))
    before = books.facts(book)
    complete_folder = tmp_path / "complete"
    complete_folder.mkdir()
    complete = Path(shutil.copy(book, complete_folder / "book.duckdb"))
    corrected = _file(tmp_path, "2.00")
    books.load_into(complete, corrected)
    after = books.facts(complete)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(book), str(corrected), stage, str(delay)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert books.facts(book) in (before, after)
    books.load_into(book, corrected)
    assert books.facts(book) == after


_FULL_DISK = """
set -e
mount -t tmpfs -o size=$2 tmpfs "$1"
cp "$3" "$1/book.duckdb"
set +e
"$5" -c '
import sys
from pathlib import Path
from pnlbook.load import LoadOptions, load
from pnlbook.errors import PnlbookError
try:
    load(Path(sys.argv[1]), [sys.argv[2]], LoadOptions())
except PnlbookError as error:
    print(type(error).__name__, error)
' "$1/book.duckdb" "$4"
cp "$1/book.duckdb" "$3"
test ! -e "$1/book.duckdb.wal" || cp "$1/book.duckdb.wal" "$3.wal"
"""


@pytest.mark.parametrize("where", ["book", "scratch"])
def test_a_full_disk(where: str, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    books.load_into(
        book, books.write(tmp_path, "a.csv", books.earnings("a,x,1,bonus,paid,2025-10-01"))
    )
    before = books.facts(book)
    lines = [f"{i:040d},{hash(i):032x},{i}.25,bonus,paid,2025-10-01" for i in range(60_000)]
    path = books.write(tmp_path, "e.csv.gz", b"")
    plain = books.write(tmp_path, "e.csv", books.earnings(*lines))
    subprocess.run(["gzip", "-kf", str(plain)], check=True)
    disk = tmp_path / "disk"
    disk.mkdir()
    book_size = book.stat().st_size
    size = book_size + (600_000 if where == "book" else 2_000_000)
    environment = {**os.environ, "TMPDIR": str(tmp_path if where == "book" else disk)}
    own_mounts = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-rm"]
    done = subprocess.run(
        [
            *own_mounts,
            "sh",
            "-c",
            _FULL_DISK,
            "sh",
            str(disk),
            str(size),
            str(book),
            str(path),
            sys.executable,
        ],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert "NoRoom there is no room left" in done.stdout, done.stdout + done.stderr
    assert books.facts(book) == before
    assert books.load_into(book, path).rows_added == len(lines)
