"""Backup against `COPY FROM DATABASE` followed by restic, on the same book in the same run.

borg is shown as well, where it is installed. Without restic there is nothing to compare with.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from data import generate

from bench.measure import Finding, Target, role
from pnlbook import migrate
from pnlbook.backup.catalogue import Catalogue
from pnlbook.backup.create import Policy, create
from pnlbook.backup.keyring import Key, Keyring
from pnlbook.backup.rebuild import Selection
from pnlbook.backup.restore import Target as RestoreTarget
from pnlbook.backup.restore import restore
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.work import Work

if TYPE_CHECKING:
    from bench.measure import Options

TWENTY_MILLION = 20_000_000
_DAY = 0.0015  # share of the facts that one day brings
_CORRECTED = 200


def compare(options: Options) -> list[Finding]:
    """Compare time, size and memory of a full backup, an incremental one and a restore."""
    if shutil.which("restic") is None:
        print("backup: install restic to compare with (Debian: apt-get install restic)")
        return []
    facts = options.size(TWENTY_MILLION)
    folder = options.scratch / "backup"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    book = folder / "book.duckdb"
    shutil.copy(_generated(options.scratch, facts), book)
    full = role("backup", "full", folder)
    copied, kept, borg = _copy_and_restic(folder), _size(folder / "restic"), _borg(folder)
    one_day(book, facts)
    day = role("backup", "incremental", folder)
    _copy_and_restic(folder)
    added = _size(folder / "restic") - kept
    back = role("backup", "restore", folder)
    shutil.rmtree(folder)
    stages = tuple(f"{stage} {took:.1f} s" for stage, took in full.said["stages"].items())
    seconds = full.said["seconds"]
    return [
        _against(
            f"full backup of {facts:,} facts",
            "s",
            (seconds, copied),
            "COPY FROM DATABASE, then restic",
            (1.25, (*stages, borg)),
        ),
        _against("its object", "bytes", (full.said["object"], kept), "restic's", (1.03, ())),
        _against(
            "incremental after a day", "s", (day.said["seconds"], seconds), "full", (1 / 8, ())
        ),
        _against(
            "its object", "bytes", (day.said["object"], added), "what restic adds", (1 / 3, ())
        ),
        _alone(
            "restore, every row compared",
            "rows/s",
            back.said["rows"] / back.said["seconds"],
            250_000,
        ),
        *(
            _alone(f"peak memory of {name}", "MiB", run.peak_mib, 953)
            for name, run in (("a full backup", full), ("a restore", back))
        ),
    ]


def _against(
    name: str,
    unit: str,
    figures: tuple[float, float],
    peer: str,
    bound: tuple[float, tuple[str, ...]],
) -> Finding:
    limit, notes = bound
    return Finding(name, unit, *figures, peer, Target("ratio", "≤", limit, "x"), notes=notes)


def _alone(name: str, unit: str, figure: float, bound: float) -> Finding:
    target = Target("ours", "≥" if unit == "rows/s" else "≤", bound, unit)
    return Finding(name, unit, figure, None, "", target)


def _generated(scratch: Path, facts: int) -> Path:
    """Return a book of made-up facts, made unless it is there from an earlier run."""
    path = scratch / f"facts-{facts}.duckdb"
    if not path.exists():
        generate.write_book(generate.Plan(facts=facts), path)
    migrate.up(path)
    return path


def one_day(book: Path, facts: int) -> None:
    """Let a day pass: new earnings come in, and 200 old ones are corrected."""
    chosen = random.Random(1)
    with duckdb.connect(str(book)) as connection:
        row = connection.execute("SELECT max(earning_id) FROM node_earnings").fetchone()
        last, new = int(row[0]) if row else 0, int(facts * _DAY)
        old = chosen.sample(range(1, last), min(_CORRECTED, last - 1))
        connection.execute(
            "UPDATE node_earnings SET payment_status = 'failed' "
            "WHERE earning_id IN (SELECT unnest(?))",
            [old],
        )
        connection.execute(
            "INSERT INTO node_earnings SELECT * REPLACE (earning_id + ? AS earning_id, "
            "source_key || '+' AS source_key) FROM node_earnings WHERE earning_id > ?",
            [new, last - new],
        )


def _copy_and_restic(folder: Path) -> float:
    """Copy the book into a fresh file, back that up with restic, and return the seconds."""
    copy, repository = folder / "copy.duckdb", folder / "restic"
    environment = os.environ | {"RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": str(repository)}
    if not repository.exists():
        subprocess.run(["restic", "init", "-q"], check=True, env=environment)
    copy.unlink(missing_ok=True)
    # In a process of its own: what this one has taken would count in the peaks of those it starts.
    copied: float = role("backup", "copy", folder).said["seconds"]
    started = time.perf_counter()
    subprocess.run(["restic", "-q", "backup", str(copy)], check=True, env=environment)
    return copied + time.perf_counter() - started


def _copy(folder: Path) -> None:
    book, copy = folder / "book.duckdb", folder / "copy.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{book}' AS book (READ_ONLY); ATTACH '{copy}' AS copy")
        connection.execute("COPY FROM DATABASE book TO copy")


def _borg(folder: Path) -> str:
    """Say how long borg takes for the copy that restic backed up, and what it keeps."""
    if shutil.which("borg") is None:
        return "borg is not installed"
    repository = folder / "borg"
    environment = os.environ | {"BORG_PASSPHRASE": "bench"}
    make = ["borg", "init", "-e", "repokey-blake2", str(repository)]
    subprocess.run(make, check=True, env=environment, capture_output=True)
    started = time.perf_counter()
    back_up = ["borg", "create", f"{repository}::one", str(folder / "copy.duckdb")]
    subprocess.run(back_up, check=True, env=environment, capture_output=True)
    seconds = time.perf_counter() - started
    return f"borg instead of restic: {seconds:.1f} s, {_size(repository):,} bytes"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Be one side: full, incremental, restore or copy, in the folder of the benchmark."""
    side, folder = sys.argv[1], Path(sys.argv[2])
    book = folder / "book.duckdb"
    vault = FolderVault("bench", folder / "vault")
    work = Work(book, Catalogue.of(book), Keyring([Key.of(bytes(32))]), [vault])
    started = time.perf_counter()
    said: dict[str, object] = {}
    if side == "copy":
        _copy(folder)
    elif side == "restore":
        contents = work.catalogue.read()
        latest = contents.backups[-1]
        target = RestoreTarget(folder / "restored.duckdb")
        rows = restore(work, contents, latest, target, Selection()).rows
        said = {"rows": rows}
    else:
        made = create(work, side, Policy())
        said = {"object": made.backup.object_size, "stages": made.seconds}
    print(json.dumps(said | {"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
