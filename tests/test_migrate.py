"""Migrations: up and down, whole or not at all, and what a user added stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest

from pnlbook import migrate, sql
from pnlbook.book import (
    BookExists,
    BookMissing,
    BookTooNew,
    BookTooOld,
    BookUnreadable,
    connect,
    open_book,
)
from pnlbook.errors import UsageError
from pnlbook.sql import Definition

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

SECOND = """-- Why.

-- up
CREATE TABLE budgets (node_id VARCHAR PRIMARY KEY);
ALTER TABLE nodes ADD COLUMN budget DECIMAL(24, 12);

-- down
ALTER TABLE nodes DROP COLUMN budget;
DROP TABLE budgets;
"""


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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the migrations be those of a folder that begins as the program's."""
    path = tmp_path / "migrations"
    path.mkdir()
    for file in sql.migrations_folder().glob("*.sql"):
        (path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(sql, "migrations_folder", lambda: path)
    sql.migrations.cache_clear()
    monkeypatch.setattr(sql, "migrations", sql.migrations.__wrapped__)
    return path


@pytest.fixture
def last() -> int:
    return len(sql.migrations())


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables, and the schema."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "SELECT table_name FROM duckdb_tables() ORDER BY table_name"
        ).fetchall()
        tables = {
            n: connection.execute(f'SELECT t::VARCHAR FROM "{n}" t').fetchall() for [n] in names
        }
        objects = connection.execute(
            "SELECT sql FROM duckdb_tables() UNION ALL SELECT sql FROM duckdb_views() "
            "UNION ALL SELECT macro_definition FROM duckdb_functions() WHERE NOT internal "
            "ORDER BY ALL"
        ).fetchall()
    return tables | {"the schema": objects}


def execute(path: Path, statements: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path)) as connection:
        return connection.execute(statements).fetchall()


class TestNewBook:
    def test_every_table_and_column_has_a_comment(self, book: Path) -> None:
        bare = execute(
            book,
            "SELECT table_name, '' FROM duckdb_tables() WHERE comment IS NULL "
            "UNION ALL SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE NOT internal AND comment IS NULL AND table_name IN "
            "(SELECT table_name FROM duckdb_tables())",
        )
        assert bare == []

    def test_every_table_has_a_primary_key(self, book: Path) -> None:
        assert (
            execute(book, "SELECT table_name FROM duckdb_tables() WHERE NOT has_primary_key") == []
        )

    def test_every_fact_table_has_its_history(self, book: Path) -> None:
        different = execute(
            book,
            "WITH c AS (SELECT table_name, column_name, data_type FROM duckdb_columns()) "
            "SELECT h.table_name, column_name FROM c h ANTI JOIN c "
            "ON h.table_name = c.table_name || '_history' AND h.column_name = c.column_name "
            "AND h.data_type = c.data_type "
            "WHERE h.table_name LIKE '%_history' AND column_name <> 'superseded_by' "
            "AND h.table_name IN (SELECT table_name FROM duckdb_tables())",
        )
        assert different == []

    def test_create_is_idempotent(self, book: Path) -> None:
        before = book.read_bytes()
        assert migrate.create(book, timezone="Europe/Berlin") is False
        assert book.read_bytes() == before

    def test_nothing_is_left_beside_it(self, book: Path) -> None:
        assert list(book.parent.iterdir()) == [book]

    def test_failure_leaves_nothing(self, tmp_path: Path, folder: Path, last: int) -> None:
        bad = folder / f"{last + 1:04d}_bad.sql"
        bad.write_text("-- up\nSELEC;\n-- down\n", encoding="utf-8")
        with pytest.raises(migrate.MigrationFailed, match=bad.stem):
            migrate.create(tmp_path / "new.duckdb")
        assert list(tmp_path.iterdir()) == [folder]


class TestUp:
    def test_applies_what_is_missing(self, book: Path, folder: Path, last: int) -> None:
        (folder / f"{last + 1:04d}_budgets.sql").write_text(SECOND, encoding="utf-8")
        with pytest.raises(BookTooOld, match="migrate up"), open_book(book):
            pass
        assert [m.name for m in migrate.up(book).applied] == ["budgets"]
        assert migrate.up(book) == migrate.Upgrade((), refreshed=False)
        with open_book(book) as connection:
            assert connection.execute("SELECT budget FROM nodes").fetchall() == []

    def test_one_at_a_time(self, book: Path, folder: Path, last: int) -> None:
        for number in (last + 1, last + 2):
            text = f"-- up\nCREATE TABLE t{number} (a INTEGER);\n-- down\nDROP TABLE t{number};\n"
            (folder / f"{number:04d}_t.sql").write_text(text, encoding="utf-8")
        assert [m.number for m in migrate.up(book, to=last + 1).applied] == [last + 1]
        applied = [step.applied_at is not None for step in migrate.status(book)]
        assert applied == [True] * (last + 1) + [False]
        assert [m.number for m in migrate.up(book).applied] == [last + 2]

    def test_a_failing_migration_changes_nothing(self, book: Path, folder: Path, last: int) -> None:
        before = dump(book)
        bad = SECOND.replace("\n-- down", "INSERT INTO budgets VALUES (NULL);\n-- down")
        path = folder / f"{last + 1:04d}_bad.sql"
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(migrate.MigrationFailed, match=r"_bad \(up\) failed and was undone"):
            migrate.up(book)
        assert dump(book) == before
        path.unlink()
        with open_book(book) as connection:
            assert connection.execute("FROM nodes").fetchall() == []

    def test_those_before_a_failing_one_stay(self, book: Path, folder: Path, last: int) -> None:
        (folder / f"{last + 1:04d}_budgets.sql").write_text(SECOND, encoding="utf-8")
        bad = "-- up\nDROP TABLE nowhere;\n-- down\n"
        (folder / f"{last + 2:04d}_bad.sql").write_text(bad, encoding="utf-8")
        with pytest.raises(migrate.MigrationFailed):
            migrate.up(book)
        assert [s.number for s in migrate.status(book) if s.applied_at][-1] == last + 1

    def test_views_and_macros_of_the_user_stay(self, book: Path, folder: Path, last: int) -> None:
        execute(
            book,
            "CREATE VIEW my_nodes AS SELECT node_id FROM nodes;"
            "CREATE MACRO my_half(x) AS x / 2;"
            "CREATE MACRO my_settings() AS TABLE FROM book_settings;",
        )
        (folder / f"{last + 1:04d}_budgets.sql").write_text(SECOND, encoding="utf-8")
        migrate.up(book)
        assert execute(book, "SELECT my_half(4), count(*) FROM my_nodes") == [(2.0, 0)]
        assert execute(book, "FROM my_settings() WHERE name = 'timezone'")

    def test_changed_macros_are_installed(
        self, book: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new = Definition(
            "core", "forty_two", "CREATE OR REPLACE MACRO forty_two() AS (42);", "", book
        )
        kept = sql.definitions()
        monkeypatch.setattr(sql, "definitions", lambda: (*kept, new))
        monkeypatch.setattr(sql, "definitions_digest", lambda: "other")
        with pytest.raises(BookTooOld), open_book(book):
            pass
        assert migrate.up(book) == migrate.Upgrade((), refreshed=True)
        assert migrate.up(book) == migrate.Upgrade((), refreshed=False)
        assert execute(book, "SELECT forty_two()") == [(42,)]
        monkeypatch.undo()
        migrate.up(book)
        with pytest.raises(duckdb.CatalogException):
            execute(book, "SELECT forty_two()")

    def test_a_macro_that_fails_leaves_those_of_before(
        self, book: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = dump(book)
        bad = Definition("core", "bad", "CREATE MACRO bad() AS (SELEC);", "", book)
        monkeypatch.setattr(sql, "definitions", lambda: (bad,))
        with pytest.raises(migrate.DefinitionFailed, match="bad could not be installed"):
            migrate.up(book)
        assert dump(book) == before


class TestDown:
    def test_down_then_up(self, book: Path, folder: Path, last: int) -> None:
        (folder / f"{last + 1:04d}_budgets.sql").write_text(SECOND, encoding="utf-8")
        migrate.up(book)
        applied = dump(book)
        assert [m.name for m in migrate.down(book, to=last)] == ["budgets"]
        assert migrate.status(book)[-1].applied_at is None
        migrate.up(book)
        assert dump(book)["the schema"] == applied["the schema"]

    def test_all_the_way_and_back(self, book: Path, last: int) -> None:
        schema = dump(book)["the schema"]
        assert [m.number for m in migrate.down(book, to=0)] == [*range(last, 0, -1)]
        assert set(dump(book)) == {"migrations", "the schema"}
        migrate.up(book)
        assert dump(book)["the schema"] == schema

    def test_a_failing_one_changes_nothing(self, book: Path, folder: Path, last: int) -> None:
        bad = SECOND + "DROP TABLE nowhere;\n"
        (folder / f"{last + 1:04d}_bad.sql").write_text(bad, encoding="utf-8")
        migrate.up(book)
        before = dump(book)
        with pytest.raises(migrate.MigrationFailed, match=r"_bad \(down\)"):
            migrate.down(book, to=last)
        assert dump(book) == before


class TestStatus:
    def test_instants_are_utc(self, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "Asia/Kolkata")
        [step, *_] = migrate.status(book)
        assert step.applied_at
        assert abs(datetime.now(UTC) - step.applied_at) < timedelta(minutes=5)


class TestNew:
    def test_takes_the_next_number(self, folder: Path, last: int) -> None:
        path = migrate.new("add_budgets", folder)
        assert path.name == f"{last + 1:04d}_add_budgets.sql"
        assert sql.migrations()[-1].name == "add_budgets"

    @pytest.mark.parametrize("name", ["", "Budgets", "add budgets", "../up", "1st"])
    def test_refuses_other_names(self, folder: Path, name: str) -> None:
        with pytest.raises(UsageError, match="cannot name a migration"):
            migrate.new(name, folder)


class TestOtherFiles:
    def test_newer_book(self, book: Path, last: int) -> None:
        execute(book, "INSERT INTO migrations VALUES (99, 'later', now(), '9.9')")
        before = book.read_bytes()
        for use in (
            lambda: migrate.up(book),
            lambda: migrate.down(book, to=0),
            lambda: migrate.status(book),
            lambda: open_book(book).__enter__(),
        ):
            with pytest.raises(BookTooNew, match=f"schema 99.*knows up to {last}"):
                use()
        assert book.read_bytes() == before

    def test_another_duckdb_file(self, tmp_path: Path) -> None:
        path = tmp_path / "other.duckdb"
        execute(path, "CREATE TABLE t (a INTEGER)")
        with pytest.raises(BookUnreadable, match="not a book of pnlbook"):
            migrate.up(path)
        with pytest.raises(BookExists):
            migrate.create(path)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(BookMissing):
            migrate.status(tmp_path / "none.duckdb")
        assert list(tmp_path.iterdir()) == []

    def test_connection_is_closed(self, book: Path) -> None:
        migrate.status(book)
        with connect(book, write=True, timeout=0) as connection:
            assert connection.execute("SELECT 1").fetchall() == [(1,)]
