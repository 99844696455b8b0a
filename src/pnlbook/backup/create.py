"""Making a backup: snapshot → pack → container → check → record → vaults → verify → record."""

from __future__ import annotations

import io
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from pnlbook import __version__, sql
from pnlbook.backup import copies, manifest, pack
from pnlbook.backup.catalogue import HELD, Backup
from pnlbook.backup.container import seal, unseal
from pnlbook.backup.errors import BackupError, IntegrityFailure
from pnlbook.backup.manifest import Manifest
from pnlbook.backup.rebuild import Selection, Source, check_file, stored
from pnlbook.backup.snapshot import Base, Taking, take
from pnlbook.backup.tables import total
from pnlbook.backup.work import MEMORY, engine
from pnlbook.book import open_book, quote, run
from pnlbook.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from pnlbook.backup.catalogue import Contents
    from pnlbook.backup.manifest import TableEntry
    from pnlbook.backup.snapshot import Snapshot
    from pnlbook.backup.work import Work


class SelfCheckFailed(IntegrityFailure):
    """A finished object does not hold what was read from the book."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the finished backup was read again and {what}. It was not sent anywhere; "
            "check this machine's disk and memory, then back up again."
        )


class TooFewCopies(BackupError):
    """A backup reached fewer vaults than the settings ask for."""

    exit_code = ExitCode.REMOTE

    def __init__(self, backup: Backup, minimum: int) -> None:
        self.backup = backup
        held = sum(copy.state in HELD for copy in backup.copies)
        problems = [f"{c.vault}: {c.error}" for c in backup.copies if c.error]
        said = f" {' '.join(problems)}" if problems else ""
        super().__init__(
            f"backup {backup.backup_id} was made and has {held} of at least {minimum} copies."
            f"{said} It is kept beside the book: 'pnlbook backup status --repair' sends it again."
        )


@dataclass(frozen=True)
class Policy:
    """How many copies a backup must and may have."""

    minimum_copies: int = 1
    maximum_copies: int | None = None

    def wanted(self, vaults: int) -> int:
        """Return how many of so many vaults are to hold a copy."""
        return min(vaults, self.maximum_copies or vaults)


@dataclass(frozen=True)
class Made:
    """What came of it; seconds by stage."""

    backup: Backup
    kind_asked: str
    files: int
    seconds: dict[str, float]

    @property
    def made_full(self) -> bool:
        """Whether a full backup was made where an incremental one was asked for."""
        return self.kind_asked == "incremental" and self.backup.kind == "full"


def create(work: Work, kind: str, policy: Policy) -> Made:
    """Make a backup, send it to every vault, verify the copies, and record it.

    Raises CatalogueBusy, BookLocked, NotStored, NoRoom, IntegrityFailure; TooFewCopies when it was
    made but did not get where it should.
    """
    with work.catalogue.locked(), work.catalogue.workspace() as space:
        _resume(work, policy)
        contents = work.catalogue.read()
        begun = _begun(work, kind, contents)
        seconds: dict[str, float] = {}
        made, taken = _sealed(work, begun, space, seconds)
        work.catalogue.pending.mkdir(mode=0o700, exist_ok=True)
        waiting = work.catalogue.pending / made.object
        (space / "object").replace(waiting)
        work.catalogue.add_manifest(
            made.backup_id, (space / "pack" / pack.MANIFEST_FILE).read_bytes(), _parquet(taken)
        )
        work.catalogue.write(contents.with_backup(made))
        started = time.monotonic()
        made = deliver(work, made, waiting, policy)
        seconds["copies"] = time.monotonic() - started
    return Made(made, kind, len(taken.tables), seconds)


def _resume(work: Work, policy: Policy) -> None:
    """Send what an earlier run, killed or without a vault, left beside the book."""
    for backup in work.catalogue.read().backups:
        path = work.catalogue.pending / backup.object
        if path.exists():
            with suppress(TooFewCopies):  # it stays there, and `status` tells of it
                deliver(work, backup, path, policy)


def deliver(work: Work, backup: Backup, path: Path, policy: Policy) -> Backup:
    """Send a finished object and verify its copies; call it under the catalogue's lock.

    The object stays beside the book until enough vaults hold it.
    """
    backup = copies.send(work, backup, path, policy.maximum_copies)
    _record(work, backup)
    with work.catalogue.workspace() as space:
        for vault in work.vaults:
            copy = backup.copy(vault.name)
            if copy is not None and copy.state == "posted":
                backup = backup.with_copy(copies.verify(work, backup, vault, space))
    _record(work, backup)
    held = [copy for copy in backup.copies if copy.state in HELD]
    if len(held) >= policy.wanted(len(work.vaults)):
        path.unlink(missing_ok=True)
    if len(held) < policy.minimum_copies:
        raise TooFewCopies(backup, policy.minimum_copies)
    return backup


def _record(work: Work, backup: Backup) -> None:
    contents = work.catalogue.read().with_backup(backup)
    work.catalogue.write(replace(contents, checks=contents.checks + work.checks()))


@dataclass(frozen=True)
class _Begun:
    """A backup that was begun: its id, its kind after all, and what it builds on."""

    backup_id: str
    kind: str
    sequence: int
    previous: str | None
    base: Base | None
    objects: dict[str, str]


def _begun(work: Work, kind: str, contents: Contents) -> _Begun:
    last = max(contents.backups, key=lambda b: b.sequence, default=None)
    base = _base(work, contents) if kind in {"incremental", "data"} else None
    if kind == "incremental" and base is None:
        kind = "full"
    if kind == "data" and base is not None:
        base = Base(replace(base.manifest, tables=()), base.chunks)
    stamp = work.now().strftime("%Y%m%dT%H%M%SZ")
    return _Begun(
        backup_id=f"{kind}-{stamp}-{secrets.token_hex(2)}",
        kind=kind,
        sequence=last.sequence + 1 if last else 1,
        previous=last.manifest_sha256 if last else None,
        base=base,
        objects={backup.backup_id: backup.object for backup in contents.backups},
    )


def _base(work: Work, contents: Contents) -> Base | None:
    """Return what an incremental backup builds on: the newest with rows, of this DuckDB."""
    latest = contents.latest(frozenset({"full", "incremental"}))
    if latest is None or latest.duckdb_version != duckdb.__version__:
        return None
    held = {backup.backup_id for backup in contents.backups if backup.restorable}
    if not held >= set(latest.needs):
        return None
    return Base(work.catalogue.manifest(latest), work.catalogue.chunks(latest))


def _sealed(
    work: Work, begun: _Begun, space: Path, seconds: dict[str, float]
) -> tuple[Backup, Snapshot]:
    """Make the object in the workspace and check it."""
    folder = space / "pack"
    folder.mkdir(mode=0o700)
    clock = _Clock(seconds)
    created = work.now()
    taken = _snapshot(work, begun, folder, space)
    clock.lap("snapshot")
    made = _manifest(work, begun, taken, created.isoformat())
    data = made.to_json()
    (folder / pack.MANIFEST_FILE).write_bytes(data)
    (folder / pack.CHUNKS_FILE).write_bytes(_parquet(taken))
    size = pack.pack_size(folder)
    count = work.bytes("encrypting", "", size)
    sealed = seal(pack.pack(folder), size, work.keyring.active, space / "object", count)
    shutil.rmtree(folder / "parts", ignore_errors=True)
    clock.lap("encrypt")
    _check(work, made, taken, space)
    clock.lap("check")
    backup = Backup.of(made, data, sealed.sha256, sealed.size)
    return replace(backup, pack_size=size), taken


class _Clock:
    """Seconds by stage."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._started = time.monotonic()

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self._seconds[stage] = now - self._started
        self._started = now


def _snapshot(work: Work, begun: _Begun, folder: Path, space: Path) -> Snapshot:
    """Take the snapshot; the book is held, for reading, no longer than that."""
    with open_book(work.book, timeout=work.lock_timeout, on_wait=work.on_wait) as connection:
        run(connection, f"SET memory_limit = '{MEMORY}'")
        run(connection, f"SET temp_directory = {quote(str(space / 'spill'))}")
        run(connection, "SET TimeZone = 'UTC'")
        tell = work.rows("reading")
        return take(Taking(connection, folder, begun.backup_id, begun.kind, begun.base, tell))


def _manifest(work: Work, begun: _Begun, taken: Snapshot, created: str) -> Manifest:
    read = {file.backup for table in taken.tables for file in table.files}
    read |= {taken.schema.backup}
    return Manifest(
        backup_id=begun.backup_id,
        kind=begun.kind,
        sequence=begun.sequence,
        created_at=created,
        duckdb_version=duckdb.__version__,
        program_version=f"{__version__}, schema {len(sql.migrations())}",
        key_id=work.keyring.active.id,
        book_size=work.book.stat().st_size,
        previous=begun.previous,
        schema=taken.schema,
        tables=taken.tables,
        needs={other: begun.objects[other] for other in sorted(read - {begun.backup_id})},
    )


def _parquet(taken: Snapshot) -> bytes:
    data = io.BytesIO()
    taken.chunks.write_parquet(data, compression="zstd")
    return data.getvalue()


def _check(work: Work, made: Manifest, taken: Snapshot, space: Path) -> None:
    """Read the finished object as a restore would, and compare every row in it with the book's."""
    folder = space / "check"
    folder.mkdir(mode=0o700)
    blocks = unseal(space / "object", work.keyring, work.bytes("checking", "", 0))
    found = pack.unpack(blocks, folder)
    if (folder / pack.MANIFEST_FILE).read_bytes() != made.to_json():
        what = "its manifest was not the one written"
        raise SelfCheckFailed(what)
    files = made.own_files()
    for file in files:
        check_file(file, folder / file.path)
    if {file.path for file in files} != {name for name in found if name.startswith("parts/")}:
        what = "it did not hold the files that its manifest names"
        raise SelfCheckFailed(what)
    with duckdb.connect(config=engine(space)) as connection:
        run(connection, "SET TimeZone = 'UTC'")
        source = Source(made, "", lambda file: folder / file.path)
        for entry in made.tables:
            _check_table(connection, source, entry, taken.chunks)
    shutil.rmtree(folder)


def _check_table(
    connection: duckdb.DuckDBPyConnection, source: Source, entry: TableEntry, chunks: pl.DataFrame
) -> None:
    own = [file for file in entry.files if file.backup == source.manifest.backup_id]
    if not own:
        return
    numbers = [number for file in own for number in manifest.numbers(file.chunks)]
    read = chunks.filter(
        (pl.col("schema") == entry.schema)
        & (pl.col("name") == entry.name)
        & pl.col("chunk").is_in(numbers)
    )
    if total(stored(connection, source, entry, own, Selection())) != total(read):
        what = f"the rows of table {entry.name} in it were not those of the book"
        raise SelfCheckFailed(what)
