"""Where a load works until it commits: a scratch database and a folder, which go at its end."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pnlbook.book import run
from pnlbook.load.result import NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pnlbook.load.result import Progress


@dataclass(frozen=True)
class Scratch:
    """Where a load works: a database, a folder, and whom to tell how far it is."""

    connection: duckdb.DuckDBPyConnection
    folder: Path
    tell: Callable[[Progress], None]


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield a folder that nobody else can read, which goes at the end.

    Raises NoRoom when the disk, or the database in it, is full.
    """
    folder = Path(tempfile.mkdtemp(prefix="pnlbook-"))
    try:
        yield folder
    except (OSError, duckdb.Error) as error:
        if "No space left" not in str(error) and "directory size" not in str(error):
            raise
        raise NoRoom(folder.parent) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def open_scratch(
    folder: Path, memory_limit: str, tell: Callable[[Progress], None]
) -> Iterator[Scratch]:
    """Yield a scratch database that spills into a folder."""
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": "false",
        }
    )
    try:
        run(connection, "SET TimeZone = 'UTC'")
        yield Scratch(connection, folder, tell)
    finally:
        connection.close()
