"""A process that puts one object into a folder: putter.py FOLDER NAME SOURCE [HINDRANCE].

Says `moving` after the first piece and goes on at the next line of its input, if it waits.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from pnlbook.backup.errors import BackupError
from pnlbook.backup.vaults.folder import FolderVault


def main(folder: Path, name: str, source: Path, hindrance: str = "") -> int:
    moved = 0

    def wait(count: int) -> None:
        nonlocal moved
        if not moved and hindrance == "wait":
            print("moving", flush=True)  # noqa: T201
            sys.stdin.readline()
        moved += count

    hinder(folder, hindrance)
    try:
        FolderVault("local", folder).put(name, source, wait)
    except BackupError as error:
        print(error)  # noqa: T201
        print(sorted(path.name for path in folder.iterdir()))  # noqa: T201
        return int(error.exit_code)
    return 0


def hinder(folder: Path, hindrance: str) -> None:
    """Leave the process a megabyte to write, by a limit of its own or by a small disk."""
    if hindrance == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    if hindrance == "disk":
        command = ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
        subprocess.run(command, check=True)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), *sys.argv[4:]))
