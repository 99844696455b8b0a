"""The catalogue: what backups there are and where their copies lie, in a folder beside the book.

It is the record that a restore can rely on when the book is what was lost; the book's own tables
are filled from it. `catalogue.json` is replaced in one step; manifests lie beside it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from pnlbook import disk
from pnlbook.backup import manifest as manifests
from pnlbook.backup.errors import BackupError, IntegrityFailure
from pnlbook.backup.vaults.observation import Observation
from pnlbook.book import Holder
from pnlbook.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pnlbook.backup.manifest import Manifest

FORMAT = 1
GOOD = frozenset({"seen", "verified", "permanent"})
HELD = GOOD | {"posted"}
_KEPT_CHECKS = 1000


class CatalogueBusy(BackupError):
    """Another process makes, sends or restores a backup of the same book."""

    exit_code = ExitCode.LOCKED

    def __init__(self, holder: Holder) -> None:
        super().__init__(f"{holder} works on the backups of this book. Try again when it is done.")


class CatalogueDamaged(IntegrityFailure):
    """The catalogue cannot be read."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be read ({problem}). The backups are safe in their vaults: move it "
            "away, then make it anew with 'pnlbook backup catalog --from VAULT'."
        )


class NoRoom(BackupError):
    """The disk is full."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the disk that holds {folder} is full; what was begun there is gone again and the "
            "backups are as they were. Free some space (as much as the book takes), then try again."
        )


class UnknownBackup(UsageError):
    """There is no backup of that id."""

    def __init__(self, backup_id: str) -> None:
        super().__init__(f"there is no backup {backup_id}. 'pnlbook backup list' lists them.")


@dataclass(frozen=True)
class Copy:
    """A copy of a backup in one vault.

    state: pending (not sent yet), posted, seen, verified, permanent, missing, damaged, removed.
    """

    vault: str
    kind: str
    state: str = "pending"
    posted_at: datetime | None = None
    seen_at: datetime | None = None
    verified_at: datetime | None = None
    checked_at: datetime | None = None
    cost_usd: Decimal | None = None
    error: str | None = None


@dataclass(frozen=True)
class Backup:
    """One backup. object: SHA-256 of its object, and its name in every vault.

    pack_size: None where the catalogue was made anew from a vault.
    """

    backup_id: str
    kind: str
    sequence: int
    created_at: datetime
    object: str
    object_size: int
    pack_size: int | None
    book_size: int
    rows: int
    duckdb_version: str
    key_id: str
    manifest_sha256: str
    previous: str | None
    needs: tuple[str, ...]
    copies: tuple[Copy, ...] = ()
    marked_at: datetime | None = None
    removed_at: datetime | None = None

    @classmethod
    def of(cls, made: Manifest, data: bytes, name: str, size: int) -> Backup:
        """Return the backup that a manifest (and its bytes) tells of, with no copies yet.

        name, size: of its object.
        """
        return cls(
            backup_id=made.backup_id,
            kind=made.kind,
            sequence=made.sequence,
            created_at=datetime.fromisoformat(made.created_at),
            object=name,
            object_size=size,
            pack_size=None,
            book_size=made.book_size,
            rows=made.rows,
            duckdb_version=made.duckdb_version,
            key_id=made.key_id,
            manifest_sha256=manifests.digest(data),
            previous=made.previous,
            needs=tuple(sorted({made.backup_id, *made.needs})),
        )

    def copy(self, vault: str) -> Copy | None:
        """Return the copy in a vault."""
        return next((copy for copy in self.copies if copy.vault == vault), None)

    def with_copy(self, copy: Copy) -> Backup:
        """Return the backup with a copy in place of what was known of that vault."""
        others = tuple(c for c in self.copies if c.vault != copy.vault)
        return replace(self, copies=tuple(sorted((*others, copy), key=lambda c: c.vault)))

    @property
    def verified(self) -> int:
        """Return the number of copies whose bytes were fetched back and found equal."""
        return sum(copy.state in {"verified", "permanent"} for copy in self.copies)

    @property
    def restorable(self) -> bool:
        """Whether a copy is known to be held."""
        return self.removed_at is None and any(copy.state in HELD for copy in self.copies)

    @property
    def cost_usd(self) -> Decimal | None:
        """Return what the copies cost; None where the price of one is not known."""
        sent = [copy for copy in self.copies if copy.posted_at is not None]
        if any(copy.cost_usd is None for copy in sent):
            return None
        return sum((copy.cost_usd or Decimal(0) for copy in sent), Decimal(0))


@dataclass(frozen=True)
class Restore:
    """A restore or drill and how it ended."""

    kind: str
    backup_id: str
    vault: str | None
    started_at: datetime
    finished_at: datetime | None
    success: bool | None
    rows: int | None
    target: str | None
    error: str | None


@dataclass(frozen=True)
class Contents:
    """Everything that a catalogue knows."""

    backups: tuple[Backup, ...] = ()
    restores: tuple[Restore, ...] = ()
    checks: tuple[Observation, ...] = ()

    def find(self, backup_id: str) -> Backup:
        """Return a backup by its id, or by the beginning of it; raises UnknownBackup."""
        exact = [b for b in self.backups if b.backup_id == backup_id]
        found = exact or [b for b in self.backups if b.backup_id.startswith(backup_id)]
        if len(found) != 1:
            raise UnknownBackup(backup_id)
        return found[0]

    def latest(self, kinds: frozenset[str] = frozenset(manifests.KINDS)) -> Backup | None:
        """Return the newest backup of some kinds that can be restored."""
        held = [b for b in self.backups if b.kind in kinds and b.restorable]
        return max(held, key=lambda b: b.sequence, default=None)

    def with_backup(self, backup: Backup) -> Contents:
        """Return the contents with a backup added, or in place of what was known of it."""
        others = tuple(b for b in self.backups if b.backup_id != backup.backup_id)
        ordered = sorted((*others, backup), key=lambda b: (b.sequence, b.backup_id))
        return replace(self, backups=tuple(ordered))


@dataclass(frozen=True)
class Catalogue:
    """The folder beside a book."""

    folder: Path
    pending: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pending", self.folder / "pending")

    @classmethod
    def of(cls, book: Path) -> Catalogue:
        """Return the catalogue of a book: `book.duckdb` has `book.duckdb.catalogue`."""
        return cls(book.with_name(f"{book.name}.catalogue"))

    @contextmanager
    def locked(self, name: str = "lock") -> Iterator[None]:
        """Keep other processes from what `name` stands for (the catalogue) during the block.

        What a killed process left half-made is removed first. Raises CatalogueBusy.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / name).open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise CatalogueBusy(Holder.of(int(lock.read() or 0))) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            for left in self.folder.glob("work-*") if name == "lock" else ():
                shutil.rmtree(left, ignore_errors=True)
            yield

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give a folder that nobody else can read, on the book's disk; it goes at the end."""
        with scratch(self.folder, "work-") as folder:
            yield folder

    def read(self) -> Contents:
        """Return what is known; nothing where no backup was made yet. Raises CatalogueDamaged."""
        path = self.folder / "catalogue.json"
        if not path.exists():
            return Contents()
        try:
            values = json.loads(path.read_bytes())
            if values["format"] != FORMAT:
                raise CatalogueDamaged(path, f"format {values['format']}")
            return _contents(values)
        except (ValueError, KeyError, TypeError) as error:
            raise CatalogueDamaged(path, f"{type(error).__name__}: {error}") from error

    def write(self, contents: Contents) -> None:
        """Replace what is known, in one step that survives a crash."""
        kept = replace(contents, checks=contents.checks[-_KEPT_CHECKS:])
        text = json.dumps({"format": FORMAT, **asdict(kept)}, default=_plain, indent=1)
        write_whole(self.folder / "catalogue.json", text.encode())

    def add_manifest(self, backup_id: str, data: bytes, chunks: bytes) -> None:
        """Keep the manifest of a backup with the fingerprints of its chunks."""
        folder = self.folder / "manifests"
        folder.mkdir(mode=0o700, exist_ok=True)
        write_whole(folder / f"{backup_id}.parquet", chunks)
        write_whole(folder / f"{backup_id}.json", data)

    def manifest(self, backup: Backup) -> Manifest:
        """Return the manifest of a backup; raises CatalogueDamaged."""
        path = self.folder / "manifests" / f"{backup.backup_id}.json"
        data = path.read_bytes() if path.exists() else b""
        if manifests.digest(data) != backup.manifest_sha256:
            raise CatalogueDamaged(path, "it is missing or not what was written")
        return manifests.from_json(data)

    def chunks(self, backup: Backup) -> pl.DataFrame:
        """Return the fingerprints of the chunks of a backup."""
        return pl.read_parquet(self.folder / "manifests" / f"{backup.backup_id}.parquet")


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder of mode 0700 inside `parent`; it goes at the end. Raises NoRoom."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    except (OSError, duckdb.Error) as error:
        full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
        if not full:
            raise
        raise NoRoom(parent) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_whole(path: Path, data: bytes) -> None:
    """Put bytes into a file, mode 0600, that is whole or as it was."""
    partial = path.with_name(f".{path.name}.new")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - of a mode
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    disk.sync_folder(path.parent)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _contents(values: Mapping[str, Any]) -> Contents:
    backups = [
        Backup(
            **(
                _timed(row, "created_at", "marked_at", "removed_at")
                | {"needs": tuple(row["needs"]), "copies": tuple(map(_copy, row["copies"]))}
            )
        )
        for row in values["backups"]
    ]
    restores = [Restore(**_timed(row, "started_at", "finished_at")) for row in values["restores"]]
    checks = [Observation(**_timed(row, "started_at")) for row in values["checks"]]
    return Contents(tuple(backups), tuple(restores), tuple(checks))


def _copy(row: dict[str, Any]) -> Copy:
    cost = None if row["cost_usd"] is None else Decimal(row["cost_usd"])
    instants = _timed(row, "posted_at", "seen_at", "verified_at", "checked_at")
    return Copy(**(instants | {"cost_usd": cost}))


def _timed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    found = {name: row[name] for name in names}
    return row | {n: None if v is None else datetime.fromisoformat(v) for n, v in found.items()}
