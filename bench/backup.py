"""Backup against `COPY FROM DATABASE` followed by restic, on the same book in the same run.

borg is shown as well. A peer that is not installed is left out, and said to be.
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
    facts = options.size(TWENTY_MILLION)
    folder = options.scratch / "backup"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    book = folder / "book.duckdb"
    shutil.copy(_generated(options.scratch, facts), book)
    peers = _Peers(folder, book)
    full = role("backup", "full", folder)
    copied, kept = peers.full()
    bare = peers.borg()
    one_day(book, facts)
    incremental = role("backup", "incremental", folder)
    _, added = peers.again()
    back = role("backup", "restore", folder)
    seconds = full.said["seconds"]
    notes = tuple(f"{stage} {value:.1f} s" for stage, value in full.said["stages"].items())
    return [
        _finding(f"full backup of {facts:,} facts", "s", (seconds, copied), "copy + restic", 1.25)
        | {"notes": (*notes, f"borg instead of restic: {bare}")},
        _finding("its object", "bytes", (full.said["object"], kept), "restic's repository", 1.03),
        _finding(
            "incremental after a day", "s", (incremental.said["seconds"], seconds), "full", 1 / 8
        ),
        _finding(
            "its object", "bytes", (incremental.said["object"], added), "added by restic", 1 / 3
        ),
        {
            "name": "restore, compared",
            "unit": "rows/s",
            "ours": back.said["rows"] / back.said["seconds"],
            "peer": None,
            "peer_name": "",
            "target": Target("ours", "≥", 250_000, "rows/s"),
        },
        *(
            {
                "name": f"peak memory of {name}",
                "unit": "MiB",
                "ours": run.peak_mib,
                "peer": None,
                "peer_name": "",
                "target": Target("ours", "≤", 953, "MiB"),
            }
            for name, run in (("a full backup", full), ("a restore", back))
        ),
    ]
