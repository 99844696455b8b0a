"""What is restored is what was backed up: whole, after changes, in part, from a vault alone."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import date
from random import Random
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.backup import books, databases

from pnlbook.backup import manifest as manifests
from pnlbook.backup.catalogue import Contents
from pnlbook.backup.create import Policy, create
from pnlbook.backup.rebuild import Selection, Source, rebuild
from pnlbook.backup.restore import Target, TargetExists, UnknownTable, restore, scan
from pnlbook.backup.snapshot import Base, Taking, take

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backup.conftest import Bench

    from pnlbook.backup.catalogue import Backup
    from pnlbook.backup.snapshot import Snapshot

pytestmark = pytest.mark.core

CORRECT = (
    "UPDATE node_earnings SET amount_usd = amount_usd + 1, gross_amount_usd = gross_amount_usd + 1"
)


def _back(bench: Bench, backup: Backup, *names: str, selection: Selection | None = None) -> Path:
    work = bench.work(*names)
    target = Target(bench.folder / f"back-{backup.sequence}.duckdb", replace=True)
    return restore(work, work.catalogue.read(), backup, target, selection or Selection()).target


def test_a_full_backup_brings_back_every_row_and_definition(bench: Bench) -> None:
    before = books.rows(bench.book)
    made = bench.create("full")
    back = _back(bench, made.backup)
    assert books.rows(back) == before
    assert made.backup.rows == sum(len(found) for found in before.values())
    with duckdb.connect(str(back)) as new, duckdb.connect(str(bench.book), read_only=True) as old:
        assert databases.catalogue(new) == databases.catalogue(old)
        profit = "SELECT sum(net_profit_usd) FROM node_profit()"
        assert new.sql(profit).fetchall() == old.sql(profit).fetchall()


def test_an_incremental_backup_brings_back_changes_of_every_sort(bench: Bench) -> None:
    bench.create("full")
    books.change(
        bench.book,
        "UPDATE nodes SET node_name = 'renamed' WHERE node_id = (SELECT min(node_id) FROM nodes);"
        "DELETE FROM deployment_costs WHERE cost_id = (SELECT max(cost_id) FROM deployment_costs);"
        "INSERT INTO token_prices (token, priced_at, price_usd, source, source_key, load_id) "
        "VALUES ('SOL', '2031-10-09T00:00:00Z', 151.25, 'x', 'x', 1);"
        "CREATE TABLE notes (note VARCHAR);"
        "INSERT INTO notes VALUES (NULL), ('a'), ('a'), ('');"
        f"{CORRECT} WHERE earning_id % 3 = 0",
    )
    before = books.rows(bench.book)
    made = bench.create("incremental")
    assert made.backup.kind == "incremental"
    assert books.rows(_back(bench, made.backup)) == before


def test_each_of_a_chain_of_backups_brings_back_its_own_moment(bench: Bench) -> None:
    moments = []
    for step in range(4):
        books.change(bench.book, f"{CORRECT} WHERE earning_id % 5 = {step}")
        moments.append((bench.create().backup, books.rows(bench.book)))
    assert [backup.kind for backup, _ in moments] == ["full", *["incremental"] * 3]
    for backup, before in moments:
        assert books.rows(_back(bench, backup)) == before


def test_an_unchanged_book_costs_next_to_nothing(bench: Bench) -> None:
    full = bench.create("full").backup
    again = bench.create("incremental").backup
    assert again.object_size < full.object_size / 4
    assert full.backup_id in again.needs


def test_schema_and_data_backups(bench: Bench) -> None:
    schema = bench.create("schema").backup
    empty = _back(bench, schema)
    assert all(not found for found in books.rows(empty).values())
    bench.create("full")
    before = books.rows(bench.book)
    data = bench.create("data").backup
    assert books.rows(_back(bench, data)) == before


def test_part_of_a_backup(bench: Bench) -> None:
    made = bench.create("full").backup
    work = bench.work()
    since = date(2025, 10, 1)
    chosen = Selection(frozenset({"node_earnings", "nodes"}), since)
    back = _back(bench, made, selection=chosen)
    expected = books.count(
        bench.book, "SELECT count(*) FROM node_earnings WHERE earned_at >= '2025-10-01T00:00:00Z'"
    )
    assert 0 < expected < books.count(bench.book, "SELECT count(*) FROM node_earnings")
    assert books.count(back, "SELECT count(*) FROM node_earnings") == expected
    assert books.count(back, "SELECT count(*) FROM nodes") > 0
    assert books.count(back, "SELECT count(*) FROM deployment_costs") == 0
    wrong = Selection(frozenset({"no_such"}))
    with pytest.raises(UnknownTable, match="no_such"):
        restore(work, work.catalogue.read(), made, Target(bench.folder / "x.duckdb"), wrong)


def test_an_existing_file_is_never_written_over(bench: Bench) -> None:
    made = bench.create("full").backup
    work = bench.work()
    with pytest.raises(TargetExists, match="--replace"):
        restore(work, work.catalogue.read(), made, Target(bench.book), Selection())
    before = books.rows(bench.book)
    books.change(bench.book, "DELETE FROM node_earnings")
    restore(work, work.catalogue.read(), made, Target(bench.book, replace=True), Selection())
    assert books.rows(bench.book) == before


def test_a_vault_and_the_key_are_enough(bench: Bench) -> None:
    bench.create("full")
    books.change(bench.book, f"{CORRECT} WHERE earning_id % 2 = 0")
    before = books.rows(bench.book)
    made = bench.create("incremental").backup
    known = bench.work().catalogue.read()
    shutil.rmtree(bench.work().catalogue.folder)
    bench.book.unlink()
    work = bench.work()
    with work.catalogue.locked():
        found, notes = scan(work)
    assert notes == []
    assert [b.backup_id for b in found.backups] == [b.backup_id for b in known.backups]
    for rebuilt, original in zip(found.backups, known.backups, strict=True):
        same = replace(rebuilt, copies=(), pack_size=None, created_at=original.created_at)
        assert same == replace(original, copies=(), pack_size=None)
    target = Target(bench.folder / "again.duckdb")
    back = restore(work, found, found.find(made.backup_id), target, Selection())
    assert books.rows(back.target) == before


def test_an_omitted_backup_is_noticed(bench: Bench) -> None:
    bench.create("full")
    hidden = bench.create("incremental").backup
    bench.create("incremental")
    (bench.vaults[0].path / hidden.object).unlink()
    work = bench.work()
    with work.catalogue.locked():
        _, notes = scan(work)
    assert any("is in none of the vaults" in note for note in notes)


def test_a_fork_of_the_chain_is_noticed(bench: Bench) -> None:
    bench.create("full")
    shutil.rmtree(bench.work().catalogue.folder)
    bench.create("full")
    work = bench.work()
    with work.catalogue.locked():
        found, notes = scan(work)
    assert len(found.backups) == 2
    assert any(note.startswith("2 backups have number 1") for note in notes)


def test_after_a_new_duckdb_the_next_backup_is_a_full_one(bench: Bench) -> None:
    made = bench.create("full").backup
    work = bench.work()
    contents = work.catalogue.read()
    work.catalogue.write(contents.with_backup(replace(made, duckdb_version="1.0.0")))
    assert create(work, "incremental", Policy()).backup.kind == "full"


def _taken(
    connection: duckdb.DuckDBPyConnection, folder: Path, backup_id: str, base: Base | None
) -> tuple[manifests.Manifest, Snapshot]:
    folder.mkdir(parents=True)
    kind = "incremental" if base else "full"
    found = take(Taking(connection, folder, backup_id, kind, base, lambda *_: None))
    made = manifests.Manifest(
        backup_id=backup_id,
        kind=kind,
        sequence=1,
        created_at="",
        duckdb_version=duckdb.__version__,
        program_version="",
        key_id="",
        book_size=0,
        previous=None,
        schema=found.schema,
        tables=found.tables,
        needs={},
    )
    return manifests.from_json(made.to_json()), found


@settings(
    max_examples=10,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(statements=databases.databases(), seed=st.integers(0, 2**32))
def test_any_database_comes_back_equal(
    statements: list[str], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, random = tmp_path_factory.mktemp("any"), Random(seed)  # noqa: S311 - made-up data
    base = None
    for number, made in enumerate(("first", "second")):
        with _opened(folder / "any.duckdb") as connection:
            for statement in () if number else statements:
                with suppress(duckdb.SequenceException):  # a sequence that has come to its end
                    connection.execute(statement)
            databases.fill(connection, random, 3 if number else 8)
        with _opened(folder / "any.duckdb", read_only=True) as connection:
            manifest, taken = _taken(connection, folder / "packs" / made, made, base)
            _assert_back(connection, manifest, folder)
        base = Base(manifest, taken.chunks)


def _opened(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    # A book does without what only newer files may hold; a random database does not.
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": "latest"
    }
    connection = duckdb.connect(str(path), read_only=read_only, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _assert_back(
    connection: duckdb.DuckDBPyConnection, made: manifests.Manifest, folder: Path
) -> None:
    packs, path = folder / "packs", folder / f"{made.backup_id}.duckdb"
    schema = (packs / made.schema.backup / "schema.sql").read_text(encoding="utf-8")
    source = Source(made, schema, lambda file: packs / file.backup / file.path)
    with _opened(path) as back:
        rebuild(back, source, Selection(), lambda *_: None)
    with _opened(path, read_only=True) as back:
        assert databases.contents(back) == databases.contents(connection)
        assert databases.catalogue(back) == databases.catalogue(connection)


def test_nothing_is_known_without_backups(bench: Bench) -> None:
    assert bench.work().catalogue.read() == Contents()
