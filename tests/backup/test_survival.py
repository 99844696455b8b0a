"""Kills, full disks, failing vaults and damage leave the earlier state; a second run completes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from tests.backup import books

from pnlbook.backup import upkeep
from pnlbook.backup.catalogue import CatalogueBusy, NoRoom
from pnlbook.backup.container import Damaged
from pnlbook.backup.copies import NoGoodCopy
from pnlbook.backup.create import Policy, TooFewCopies, create
from pnlbook.backup.keyring import Key
from pnlbook.backup.rebuild import Selection
from pnlbook.backup.record import record
from pnlbook.backup.restore import Target, drill, restore, scan
from pnlbook.backup.retention import Rules
from pnlbook.backup.schedule import Schedule
from pnlbook.backup.status import read_status

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.backup.conftest import Bench

    from pnlbook.backup.work import Progress


_CHILD = """
import os, signal, sys
from pathlib import Path
from pnlbook.backup.catalogue import Catalogue
from pnlbook.backup.create import Policy, create
from pnlbook.backup.keyring import Key, Keyring
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.work import Work

book, stage, nth = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
seen = 0

def tell(progress):
    global seen
    seen += progress.stage == stage
    if seen == nth:
        os.kill(os.getpid(), signal.SIGKILL)

vault = FolderVault("near", book.parent / "near")
key = Key.of(bytes(range(32)))
create(Work(book, Catalogue.of(book), Keyring([key]), [vault], tell=tell), "incremental", Policy())
"""


@pytest.mark.parametrize(
    ("stage", "nth"),
    [
        ("reading", 1),
        ("reading", 20),
        ("encrypting", 1),
        ("checking", 1),
        ("sending", 1),
        ("fetching", 1),
    ],
)
def test_a_kill_at_any_stage_leaves_what_was_and_a_second_run_completes(
    stage: str, nth: int, bench: Bench
) -> None:
    first = bench.create("full").backup
    books.change(bench.book, "UPDATE nodes SET node_name = 'later'")
    before = books.rows(bench.book)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(bench.book), stage, str(nth)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert books.rows(bench.book) == before
    work = bench.work()
    known = work.catalogue.read()
    assert known.find(first.backup_id) == replace(first)
    upkeep.repair(work, Policy())
    made = bench.create().backup
    contents = work.catalogue.read()
    assert all(copy.state == "verified" for b in contents.backups for copy in b.copies)
    assert not list(work.catalogue.pending.iterdir())
    assert not list(work.catalogue.folder.glob("work-*"))
    target = Target(bench.folder / "back.duckdb")
    assert books.rows(restore(work, contents, made, target, Selection()).target) == before


_RESTORER = """
import os, signal, sys
from pathlib import Path
from pnlbook.backup.catalogue import Catalogue
from pnlbook.backup.keyring import Key, Keyring
from pnlbook.backup.rebuild import Selection
from pnlbook.backup.restore import Target, restore
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.work import Work

book, stage = Path(sys.argv[1]), sys.argv[2]

def tell(progress):
    if progress.stage == stage and progress.done > 0:
        os.kill(os.getpid(), signal.SIGKILL)

vault, key = FolderVault("near", book.parent / "near"), Key.of(bytes(range(32)))
work = Work(book, Catalogue.of(book), Keyring([key]), [vault], tell=tell)
contents = work.catalogue.read()
target = Target(book.parent / "back.duckdb", replace=True)
restore(work, contents, contents.backups[-1], target, Selection())
"""


@pytest.mark.parametrize("stage", ["fetching", "decrypting", "restoring"])
def test_a_kill_of_a_restore_leaves_the_target_as_it_was(stage: str, bench: Bench) -> None:
    made = bench.create("full").backup
    target = bench.folder / "back.duckdb"
    target.write_text("what was there")
    done = subprocess.run(
        [sys.executable, "-c", _RESTORER, str(bench.book), stage],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert target.read_text() == "what was there"
    work = bench.work()
    restore(work, work.catalogue.read(), made, Target(target, replace=True), Selection())
    assert books.rows(target) == books.rows(bench.book)
    assert not list(bench.folder.glob(".back.duckdb.*"))


def test_a_vault_that_fails_is_sent_to_later(bench: Bench) -> None:
    blocked = bench.folder / "far"
    blocked.write_text("a file stands where the folder should be")
    made = bench.create("full", "near", "far").backup
    assert [copy.state for copy in made.copies] == ["pending", "verified"]
    assert (bench.work().catalogue.pending / made.object).exists()
    status = read_status(
        bench.work().catalogue.read(), [], [made.object], Policy(), made.created_at
    )
    assert any("was not sent to every vault" in warning for warning in status.warnings)
    blocked.unlink()
    [repaired] = upkeep.repair(bench.work("near", "far"), Policy())
    assert [copy.state for copy in repaired.copies] == ["verified", "verified"]
    assert not (bench.work().catalogue.pending / made.object).exists()


def test_too_few_copies_is_an_error_that_loses_nothing(bench: Bench) -> None:
    (bench.folder / "near").write_text("no folder")
    with pytest.raises(TooFewCopies, match="--repair"):
        bench.create("full")
    (bench.folder / "near").unlink()
    [repaired] = upkeep.repair(bench.work(), Policy())
    assert repaired.verified == 1


def test_damage_is_found_and_mended_from_the_other_vault(bench: Bench) -> None:
    made = bench.create("full", "near", "far").backup
    path = bench.vaults[0].path / made.object
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    work = bench.work("near", "far")
    [checked] = upkeep.verify(work, [made])
    assert {copy.vault: copy.state for copy in checked.copies} == {
        "near": "damaged",
        "far": "verified",
    }
    before = books.rows(bench.book)
    target = Target(bench.folder / "back.duckdb")
    back = restore(work, work.catalogue.read(), checked, target, Selection())
    assert back.vaults == ("far",)
    assert books.rows(back.target) == before
    [mended] = upkeep.repair(work, Policy())
    assert mended.verified == 2
    assert path.read_bytes() == (bench.vaults[1].path / made.object).read_bytes()


def test_a_restore_of_a_damaged_backup_leaves_no_file(bench: Bench) -> None:
    made = bench.create("full").backup
    path = bench.vaults[0].path / made.object
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    work = bench.work()
    with pytest.raises(NoGoodCopy, match="damaged"):
        restore(work, work.catalogue.read(), made, Target(bench.folder / "x.duckdb"), Selection())
    assert not list(bench.folder.glob("*x.duckdb*"))


def test_another_key_opens_nothing(bench: Bench) -> None:
    made = bench.create("full").backup
    work = bench.work(key=Key.of(bytes(32)))
    with pytest.raises(Exception, match="keys import"):
        restore(work, work.catalogue.read(), made, Target(bench.folder / "x.duckdb"), Selection())
    assert not list(bench.folder.glob("*x.duckdb*"))


def test_an_object_that_is_spoilt_before_it_is_sent_is_not_sent(bench: Bench) -> None:
    work = bench.work()

    with pytest.raises(Damaged):
        create(replace(work, tell=_flip_in(work.catalogue.folder)), "full", Policy())
    assert not list(bench.folder.glob("near/*"))
    assert bench.work().catalogue.read().backups == ()


def _flip_in(folder: Path) -> Callable[[Progress], None]:
    flipped = set[Path]()

    def tell(progress: Progress) -> None:
        if progress.stage != "checking":
            return
        for path in set(folder.glob("work-*/object")) - flipped:
            data = bytearray(path.read_bytes())
            data[5000] ^= 255
            path.write_bytes(data)
            flipped.add(path)

    return tell


def test_nothing_of_the_book_can_be_read_in_what_is_stored(bench: Bench) -> None:
    canary = "canary-7f3a9-in-the-coal-mine"
    books.change(bench.book, f"UPDATE nodes SET node_name = '{canary}'")
    bench.create("full", "near", "far")
    stored = [path for vault in bench.vaults for path in vault.path.rglob("*") if path.is_file()]
    assert len(stored) == 2
    for path in stored:
        data = path.read_bytes()
        assert canary.encode() not in data
        assert b"node_earnings" not in data
        assert b"pnlbook" not in data
    kept = bench.work().catalogue.folder
    assert all(canary.encode() not in p.read_bytes() for p in kept.rglob("*") if p.is_file())


_WRITER = """
import sys, time
import duckdb
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    try:
        connection = duckdb.connect(sys.argv[1])
    except duckdb.IOException:
        time.sleep(0.005)
        continue
    connection.execute("BEGIN; UPDATE account SET cents = cents - 7 WHERE id = 1; "
                       "UPDATE account SET cents = cents + 7 WHERE id = 2; COMMIT")
    connection.close()
    time.sleep(0.02)
"""


def test_what_a_writer_keeps_true_is_true_in_every_backup(bench: Bench) -> None:
    books.change(
        bench.book,
        "CREATE TABLE account (id INTEGER PRIMARY KEY, cents BIGINT);"
        "INSERT INTO account VALUES (1, 1000000), (2, 0)",
    )
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(bench.book), "6"])
    time.sleep(0.5)
    try:
        made = [bench.create().backup for _ in range(2)]
    finally:
        assert writer.wait(timeout=60) == 0
    work = bench.work()
    for number, backup in enumerate(made):
        target = Target(bench.folder / f"back-{number}.duckdb")
        back = restore(work, work.catalogue.read(), backup, target, Selection()).target
        assert books.count(back, "SELECT sum(cents) FROM account") == 1_000_000
    assert books.count(bench.book, "SELECT cents FROM account WHERE id = 2") > 0


def test_a_full_disk_is_told_and_leaves_no_half_backup(bench: Bench) -> None:
    small = bench.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], check=True)
    try:
        bench.book = Path(bench.book.rename(bench.folder / "away.duckdb"))
        (small / "book.duckdb").write_bytes(bench.book.read_bytes())
        bench.book = small / "book.duckdb"
        room = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
        (small / "ballast").write_bytes(bytes(room - 150_000))
        with pytest.raises(NoRoom, match="Free some space"):
            bench.create("full")
        assert bench.work().catalogue.read().backups == ()
        (small / "ballast").unlink()
        assert bench.create("full").backup.verified == 1
    finally:
        subprocess.run(["umount", str(small)], check=True)


_DUE = """
import sys
from pathlib import Path
from pnlbook.backup.catalogue import Catalogue, CatalogueBusy
from pnlbook.backup.create import Policy
from pnlbook.backup.keyring import Key, Keyring
from pnlbook.backup.upkeep import run_due
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.work import Work

book, key = Path(sys.argv[1]), Key.of(bytes(range(32)))
vault = FolderVault("near", book.parent / "near")
try:
    print(len(run_due(Work(book, Catalogue.of(book), Keyring([key]), [vault]), Policy())))
except CatalogueBusy:
    print("busy")
"""


def test_two_at_once_make_each_due_backup_once(bench: Bench) -> None:
    command = [sys.executable, "-c", _DUE, str(bench.book)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in running)
    assert said.count("1") == 1
    assert set(said) <= {"0", "1", "busy"}
    assert len(bench.work().catalogue.read().backups) == 1
    assert upkeep.run_due(bench.work(), Policy()) == []


def test_a_schedule_that_is_changed_is_kept_in_the_book(bench: Bench) -> None:
    upkeep.set_schedule(bench.work(), Schedule("daily", "full", "30 1 * * *"))
    with duckdb.connect(str(bench.book), read_only=True) as connection:
        found = {s.name: s.cron for s in upkeep.read_schedules(connection)}
    assert found == {"archive": "0 4 1 * *", "daily": "30 1 * * *", "weekly": "0 3 * * 0"}


def test_the_catalogue_lets_one_process_in(bench: Bench) -> None:
    with bench.work().catalogue.locked(), pytest.raises(CatalogueBusy, match=str(os.getpid())):
        bench.create()


def test_what_a_backup_costs_stands_in_the_book_once(bench: Bench) -> None:
    made = bench.create("full", "near", "far").backup
    work = bench.work("near", "far")
    for _ in range(2):
        record(work, work.catalogue.read())
    cost = 2 * (Decimal(made.object_size) * Decimal("0.02") / 10**9)
    with duckdb.connect(str(bench.book), read_only=True) as connection:
        rows = connection.execute("SELECT cost_usd, vaults FROM arweave_backups").fetchall()
        [(in_statement,)] = connection.execute(
            "SELECT sum(amount_usd) FROM pnl_statement('month') WHERE kind = 'backup'"
        ).fetchall()
        copies = connection.execute("SELECT state FROM backup_copies").fetchall()
    assert rows == [(cost.quantize(Decimal("1e-12")), ["far", "near"])]
    assert abs(in_statement) == cost.quantize(Decimal("1e-12"))
    assert copies == [("verified",), ("verified",)]


def test_a_drill_proves_the_restore_and_leaves_nothing(bench: Bench) -> None:
    made = bench.create("full").backup
    work = bench.work()
    done = drill(work, work.catalogue.read(), made)
    assert (done.rows, done.problems) == (made.rows, ())
    assert not list(work.catalogue.folder.glob("work-*"))


def test_pruning_removes_copies_but_never_what_is_needed(bench: Bench) -> None:
    old = bench.create("full").backup
    needed = bench.create("full").backup
    newest = bench.create("incremental").backup
    rules = Rules(daily=0, weekly=0, monthly=0, yearly=0, last=1, grace=timedelta(0))
    work = bench.work()
    first = upkeep.prune(work, rules, dry_run=False)
    assert first.mark == (old.backup_id,)
    upkeep.prune(work, rules, dry_run=False)
    left = {path.name for path in bench.vaults[0].path.iterdir() if len(path.name) == 64}
    assert left == {needed.object, newest.object}
    assert work.catalogue.read().find(old.backup_id).removed_at is not None
    with work.catalogue.locked():
        found, notes = scan(work)
    assert len(found.backups) == 2
    assert notes  # the one that was removed is missed, and said to be
