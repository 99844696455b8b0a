"""Taking away the files of a spool that the book has read to the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.book import run
from pnlbook.worklog.importer import Position
from pnlbook.worklog.lines import continues
from pnlbook.worklog.spool import is_live
from pnlbook.worklog.spool_importer import IMPORTER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

_DAY = 86_400


@dataclass(frozen=True)
class Pruned:
    """The files that were taken away, their bytes, and how many stay."""

    files: tuple[Path, ...]
    size: int
    kept: int


def prune(
    connection: duckdb.DuckDBPyConnection, folder: Path, days: float, *, dry_run: bool = False
) -> Pruned:
    """Remove the files whose writer ended, that the book read whole, unchanged for so many days.

    What is removed cannot be loaded again otherwise, e.g. with the text of messages.
    """
    rows = run(
        connection,
        "SELECT location, bytes_read, lines_read, head_bytes, head_sha256 FROM work_files "
        "WHERE source = ?",
        [IMPORTER.name],
    )
    known = {location: Position(*position) for location, *position in rows}
    found = list(IMPORTER.find(folder))
    before = time.time() - days * _DAY
    gone = [path for path in found if _is_done(path, known, before)]
    size = sum(path.stat().st_size for path in gone)
    for path in () if dry_run else gone:
        path.unlink(missing_ok=True)
    return Pruned(tuple(gone), size, len(found) - len(gone))


def _is_done(path: Path, known: Mapping[str, Position], before: float) -> bool:
    if is_live(path):
        return False
    position, status = known.get(str(path.resolve())), path.stat()
    return (
        position is not None
        and position.bytes_read == status.st_size
        and status.st_mtime <= before
        and continues(path, position)
    )
