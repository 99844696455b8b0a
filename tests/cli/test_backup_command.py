"""`pnlbook backup`: what its commands print, return and leave behind."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import Outcome, Pnlbook, start, write

pytestmark = pytest.mark.core


@pytest.fixture
def keyed(pnlbook: Pnlbook, full_book: Path) -> Path:
    """Return a book with a backup key at hand."""
    assert pnlbook("keys", "new").code == 0
    return full_book


def said(outcome: Outcome) -> Any:  # noqa: ANN401 - any JSON
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


@pytest.mark.usefixtures("full_book")
def test_without_a_key_nothing_is_made(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("backup", "create")
    assert outcome.code == 2
    assert "pnlbook keys new" in outcome.err
    assert not Path("backups").exists()


@pytest.mark.usefixtures("keyed")
def test_from_the_first_backup_to_the_restored_book(pnlbook: Pnlbook) -> None:
    first = pnlbook("backup", "create")
    assert first.code == 0
    assert "A full backup" in first.err
    assert "copies: local verified" in first.out
    made = said(pnlbook("backup", "create", "--json"))
    assert made["kind"] == "incremental"
    assert said(pnlbook("backup", "list", "--json"))[0]["backup_id"] == made["backup_id"]
    status = pnlbook("backup", "status")
    assert (status.code, "never drilled" in status.out) == (1, True)
    assert "all compared and equal" in pnlbook("backup", "drill").out
    status = pnlbook("backup", "status")
    assert (status.code, "The book is protected" in status.out) == (0, True)
    restored = said(pnlbook("backup", "restore", "--to", "again.duckdb", "--json"))
    assert restored["backup_id"] == made["backup_id"]
    loads = pnlbook("loads", "--book", "again.duckdb", "--json")
    assert said(loads) == said(pnlbook("loads", "--json"))
    again = pnlbook("backup", "restore", "--to", "again.duckdb")
    assert (again.code, "--replace" in again.err) == (2, True)
    assert pnlbook("backup", "restore", "--to", "again.duckdb", "--replace").code == 0


@pytest.mark.usefixtures("keyed")
def test_a_vault_alone_is_enough(pnlbook: Pnlbook) -> None:
    pnlbook("backup", "create")
    shutil.rmtree("book.duckdb.catalogue")
    Path("book.duckdb").unlink()
    outcome = pnlbook("backup", "restore", "--vault", "local", "--to", "new.duckdb")
    assert outcome.code == 0, outcome.err
    assert "No catalogue beside book.duckdb" in outcome.err
    Path("new.duckdb").rename("book.duckdb")
    found = said(pnlbook("backup", "catalog", "--from", "local", "--json"))
    assert len(found["backups"]) == 1
    assert pnlbook("loads").code == 0


@pytest.mark.usefixtures("keyed")
def test_damage_has_the_exit_code_of_integrity(pnlbook: Pnlbook) -> None:
    pnlbook("backup", "create")
    [stored] = [path for path in Path("backups").iterdir() if len(path.name) == 64]
    data = bytearray(stored.read_bytes())
    data[-1] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(data)
    verified = pnlbook("backup", "verify")
    assert verified.code == 5
    assert "is damaged" in verified.err
    restored = pnlbook("backup", "restore", "--to", "x.duckdb")
    assert restored.code == 5
    assert not Path("x.duckdb").exists()
    assert pnlbook("backup", "status").code == 1


@pytest.mark.usefixtures("keyed")
def test_another_key_is_told_apart_by_its_id(
    pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    pnlbook("backup", "create")
    Path("config/pnlbook/keyring.json").unlink()
    monkeypatch.setenv("BACKUP_ENCRYPTION_KEY", "00" * 32)
    outcome = pnlbook("backup", "restore", "--to", "x.duckdb")
    assert outcome.code == 5
    assert "was made for key" in outcome.err
    assert "00000000" not in outcome.err + outcome.out


@pytest.mark.usefixtures("keyed")
def test_a_vault_that_cannot_be_reached(pnlbook: Pnlbook) -> None:
    Path("blocked").write_text("a file")
    Path("pnlbook.toml").write_text(
        '[vaults.near]\nkind = "folder"\npath = "near"\n'
        '[vaults.blocked]\nkind = "folder"\npath = "blocked"\n'
        "[backup]\nminimum_copies = 2\n"
    )
    outcome = pnlbook("backup", "create")
    assert outcome.code == 6
    assert "has 1 of at least 2 copies" in outcome.err
    Path("blocked").unlink()
    outcome = pnlbook("backup", "status", "--repair")
    assert "Repaired" in outcome.err
    assert "blocked  verified" in outcome.out


@pytest.mark.usefixtures("keyed")
def test_schedules(pnlbook: Pnlbook) -> None:
    assert "0 2 * * *" in pnlbook("backup", "schedule").out
    outcome = pnlbook("backup", "schedule", "daily", "--cron", "61 * * * *")
    assert (outcome.code, "61" in outcome.err) == (2, True)
    assert "30 1 * * *" in pnlbook("backup", "schedule", "daily", "--cron", "30 1 * * *").out
    assert "Due: " in pnlbook("backup", "run-due").err
    assert pnlbook("backup", "run-due").err == "Nothing is due.\n"
    for kind, word in (("systemd", "OnCalendar"), ("cron", "run-due"), ("github", "on:")):
        assert word in pnlbook("backup", "schedule", "--emit", kind).out


@pytest.mark.usefixtures("keyed")
def test_pruning_says_why_each_is_kept(pnlbook: Pnlbook) -> None:
    pnlbook("backup", "create")
    outcome = pnlbook("backup", "prune", "--dry-run")
    assert outcome.code == 0
    assert "keep full-" in outcome.out


@pytest.mark.usefixtures("keyed")
def test_what_is_unknown_is_told(pnlbook: Pnlbook) -> None:
    for arguments, code, words in (
        (("create", "--kind", "half"), 2, "full, incremental, schema, data"),
        (("create", "--vault", "nowhere"), 2, "nowhere"),
        (("restore", "no-such-backup", "--to", "x.duckdb"), 6, "no folder"),
        (("list",), 0, "There is no backup"),
    ):
        outcome = pnlbook("backup", *arguments)
        assert (outcome.code, words in outcome.err) == (code, True), outcome


def test_a_writer_waits_for_the_snapshot_and_no_longer(keyed: Path, pnlbook: Pnlbook) -> None:
    write(keyed, "CREATE TABLE many AS SELECT i, hash(i)::VARCHAR AS h FROM range(1000000) t(i)")
    backup = start("backup", "create", "--book", str(keyed))
    folder, end = Path("book.duckdb.catalogue"), time.monotonic() + 30
    while not any(folder.glob("work-*/pack/parts/*")):
        assert time.monotonic() < end
        time.sleep(0.02)
    changed = pnlbook("backup", "schedule", "extra", "--cron", "@hourly", "--kind", "schema")
    assert changed.code == 0, changed.err
    _, said_there = backup.communicate(timeout=60)
    assert backup.returncode == 0, said_there
