"""Fixtures of the command line's tests."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.running import FACTS, Outcome, Pnlbook, write

from pnlbook import migrate
from pnlbook.cli.app import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test in a folder of its own, with no settings of the user's."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("PNLBOOK_", "BACKUP_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("_TYPER_FORCE_DISABLE_TERMINAL", "1")


@pytest.fixture
def pnlbook(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Pnlbook:
    def call(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        code = run(arguments)
        return Outcome(code, *capfd.readouterr())

    return call


@pytest.fixture(scope="session")
def new_book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the bytes of a new book."""
    path = tmp_path_factory.mktemp("new") / "book.duckdb"
    migrate.create(path)
    return path.read_bytes()


@pytest.fixture
def book(tmp_path: Path, new_book: bytes) -> Path:
    """Return a new book, which is the default one of the test's folder."""
    path = tmp_path / "book.duckdb"
    path.write_bytes(new_book)
    return path


@pytest.fixture
def full_book(book: Path) -> Path:
    """Return a book that knows of two loads and three rejects."""
    write(book, FACTS)
    return book
