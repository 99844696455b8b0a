"""Waiting for a book that another process holds, with real processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import Outcome, Pnlbook, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.core

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(book: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold the book until the block ends or its stdin is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(book), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_reader_gives_up_on_a_writer(pnlbook: Pnlbook, book: Path) -> None:
    with held(book, "writing") as holder:
        outcome = pnlbook("sql", "SELECT 1", "--lock-timeout", "0.6")
    assert (outcome.code, outcome.out) == (4, "")
    waiting, error = outcome.err.splitlines()
    assert waiting.startswith(f"waiting for process {holder.pid} (")
    assert error.startswith(
        f"error: book book.duckdb is open for writing by process {holder.pid} ("
    )
    assert error.endswith("); waited 1 s. Try again, or raise --lock-timeout.")


def test_writer_gives_up_on_a_reader(pnlbook: Pnlbook, book: Path) -> None:
    with held(book, "reading") as holder:
        outcome = pnlbook("migrate", "up", "--lock-timeout", "0", "--quiet")
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith(f"error: book book.duckdb is in use by process {holder.pid} (")


def test_readers_share(pnlbook: Pnlbook, book: Path) -> None:
    with held(book, "reading"):
        assert pnlbook("sql", "SELECT 1 AS x", "--format", "csv") == Outcome(0, "x\n1\n", "")


def test_waiting_ends_when_the_holder_leaves(pnlbook: Pnlbook, book: Path) -> None:
    with held(book, "writing") as holder:
        assert holder.stdin
        leave = threading.Timer(1.0, holder.stdin.close)
        leave.start()
        outcome = pnlbook("sql", "SELECT 1 AS x", "--format", "csv")
        leave.join()
    assert (outcome.code, outcome.out) == (0, "x\n1\n")
    assert outcome.err.startswith(f"waiting for process {holder.pid}")
    assert outcome.err.count("\n") == 1


@pytest.mark.usefixtures("book")
def test_holder_is_named_as_it_was_called(pnlbook: Pnlbook) -> None:
    query = "SELECT count(*) FROM range(100000000000) AS t(n) WHERE sqrt(n) > 5"
    with start("sql", query) as holder:
        try:
            _wait_until_held(pnlbook)
            outcome = pnlbook("init", "--timezone", "UTC", "--lock-timeout", "0")
        finally:
            holder.terminate()
    assert outcome.code == 4
    assert f"in use by process {holder.pid} (pnlbook sql)" in outcome.err


def test_doctor_names_the_holder(pnlbook: Pnlbook, book: Path) -> None:
    with held(book, "writing") as holder:
        outcome = pnlbook("doctor", "--lock-timeout", "0")
    assert outcome.code == 0
    assert f"process {holder.pid} (" in outcome.out


def test_timeout_of_the_settings(
    pnlbook: Pnlbook, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PNLBOOK_LOCK_TIMEOUT", "0")
    with held(book, "writing"):
        outcome = pnlbook("loads", "--json")
    assert outcome.code == 4
    assert '"kind": "BookLocked"' in outcome.err
    assert "waited 0 s" in outcome.err


def _wait_until_held(pnlbook: Pnlbook) -> None:
    while pnlbook("init", "--timezone", "UTC", "--lock-timeout", "0").code == 0:
        pass
