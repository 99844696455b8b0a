"""`pnlbook migrate`: the command; the migrations themselves are tested in tests/test_migrate.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import pytest
from tests.cli.running import Outcome, Pnlbook, check_golden, scrubbed

from pnlbook import sql

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


@pytest.mark.usefixtures("book")
def test_status(pnlbook: Pnlbook, tmp_path: Path) -> None:
    check_golden("migrate-status.table", scrubbed(pnlbook("migrate", "status").out, tmp_path))
    steps = json.loads(pnlbook("migrate", "status", "--json").out)
    assert [(step["number"], step["name"]) for step in steps] == [
        (1, "first_book"),
        (2, "backups"),
        (3, "work_logs"),
    ]
    assert all(step["applied_at"].endswith("+00:00") for step in steps)


@pytest.mark.usefixtures("book")
def test_up_to_date(pnlbook: Pnlbook) -> None:
    assert pnlbook("migrate", "up") == Outcome(0, "book.duckdb is up to date.\n", "")


def test_macros_of_another_version_are_refreshed(pnlbook: Pnlbook, book: Path) -> None:
    with duckdb.connect(str(book)) as connection:
        connection.execute("UPDATE book_settings SET value = 'x' WHERE name = 'definitions_sha256'")
    said = "book.duckdb: refreshed the macros and views; the schema was up to date.\n"
    assert pnlbook("migrate", "up") == Outcome(0, said, "")
    again = json.loads(pnlbook("migrate", "up", "--json").out)
    assert (again["applied"], again["refreshed"]) == ([], False)


def test_down_asks_first(pnlbook: Pnlbook, book: Path) -> None:
    before = book.read_bytes()
    outcome = pnlbook("migrate", "down")
    assert outcome == Outcome(
        2,
        "",
        "error: Taking back 0003_work_logs deletes the data in its tables. "
        "Nothing was changed; give --yes to go ahead.\n",
    )
    assert book.read_bytes() == before


@pytest.mark.usefixtures("book")
def test_down_and_up(pnlbook: Pnlbook) -> None:
    assert pnlbook("migrate", "down", "--yes").out == "book.duckdb: took back 0003_work_logs.\n"
    assert pnlbook("migrate", "down", "--yes").out == "book.duckdb: took back 0002_backups.\n"
    assert pnlbook("migrate", "down", "--yes").out == "book.duckdb: took back 0001_first_book.\n"
    assert pnlbook("migrate", "down", "--yes").out == "book.duckdb has nothing to take back.\n"
    refused = pnlbook("loads")
    assert refused.code == 1
    assert "pnlbook migrate up --book book.duckdb" in refused.err
    applied = "book.duckdb: applied 0001_first_book, 0002_backups, 0003_work_logs.\n"
    assert pnlbook("migrate", "up").out == applied
    assert pnlbook("loads").code == 0


def test_new(pnlbook: Pnlbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "migrations_folder", lambda: tmp_path)
    outcome = pnlbook("migrate", "new", "add_budgets")
    path = tmp_path / "0001_add_budgets.sql"
    assert outcome.out == f"Wrote {path}. Fill in its 'up' and 'down'.\n"
    assert path.is_file()
    assert pnlbook("migrate", "new", "Not OK").code == 2


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_no_book(pnlbook: Pnlbook, command: str) -> None:
    outcome = pnlbook("migrate", command)
    assert outcome.code == 1
    assert outcome.err.startswith("error: no book at book.duckdb.")
