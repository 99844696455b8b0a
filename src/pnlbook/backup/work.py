"""What backup work is given: the book, its catalogue, keys, vaults, and whom to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pnlbook.backup.catalogue import Catalogue
    from pnlbook.backup.keyring import Keyring
    from pnlbook.backup.vaults.observation import Observation
    from pnlbook.backup.vaults.vault import Vault
    from pnlbook.book import Waiting

MEMORY = "600MB"  # of DuckDB while it reads or makes a book; beyond that it uses the disk


def engine(space: Path) -> dict[str, str | bool | int | float | list[str]]:
    """Return the settings of a DuckDB that works in a folder; names mean tables, nothing else."""
    return {
        "memory_limit": MEMORY,
        "temp_directory": str(space / "spill"),
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
    }


@dataclass(frozen=True)
class Progress:
    """How far the work is: `unit` is rows or bytes, `total` 0 where the end is not known."""

    stage: str
    what: str
    done: int
    total: int
    unit: str


def utc_now() -> datetime:
    """Return this moment, in UTC, whole microseconds."""
    return datetime.now(UTC)


def _silent(_progress: Progress) -> None:
    pass


@dataclass(frozen=True)
class Work:
    """One piece of work on the backups of a book.

    now: the clock; observations: what the vaults were seen to do, filled by them.
    """

    book: Path
    catalogue: Catalogue
    keyring: Keyring
    vaults: Sequence[Vault]
    lock_timeout: float = 30.0
    tell: Callable[[Progress], None] = _silent
    on_wait: Callable[[Waiting], None] | None = None
    now: Callable[[], datetime] = utc_now
    observations: list[Observation] = field(default_factory=list)

    def rows(self, stage: str) -> Callable[[str, int, int], None]:
        """Return a function that tells of rows."""
        return lambda what, done, total: self.tell(Progress(stage, what, done, total, "rows"))

    def bytes(self, stage: str, what: str, total: int) -> Callable[[int], None]:
        """Return a function that counts bytes, called with how many more are done."""
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            self.tell(Progress(stage, what, done, total, "bytes"))

        return count

    def checks(self) -> tuple[Observation, ...]:
        """Return what the vaults were seen to do, and forget it."""
        seen = tuple(self.observations)
        self.observations.clear()
        return seen
