"""Bringing a backup back, always into a new book: fetch → check → decrypt → rebuild → compare."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from pnlbook import checkpoint, sql
from pnlbook.backup import copies, manifest, pack
from pnlbook.backup.catalogue import Backup, Contents, Copy, Restore, scratch
from pnlbook.backup.container import checksum, unseal
from pnlbook.backup.errors import BackupError, IntegrityFailure, VaultError
from pnlbook.backup.rebuild import Selection, Source, check_file, rebuild
from pnlbook.backup.record import fill
from pnlbook.backup.work import MEMORY, Progress, engine
from pnlbook.book import BookError, open_book, quote, run
from pnlbook.errors import PnlbookError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pnlbook.backup.manifest import File, Manifest
    from pnlbook.backup.vaults.vault import StoredObject, Vault
    from pnlbook.backup.work import Work


BOOK = ".restored"  # while it is made; no schema has the name of its database then


class TargetExists(UsageError):
    """A file stands where the restored book was to be."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists. Name another path with --to, or replace it with --replace: "
            "it stays as it is until the restored book has been compared."
        )


class TargetUnwritable(UsageError):
    """The restored book cannot be written where it was to be."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"cannot write {path}: {error.strerror}. Name another path with --to, or mend that."
        )


class NothingToRestore(BackupError):
    """No backup is known."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"there is no backup in {where}. Name the vault that holds one with --vault, "
            "or make one with 'pnlbook backup create'."
        )


class UnknownTable(UsageError):
    """A table that was asked for is in no backup of that id."""

    def __init__(self, names: list[str], known: list[str]) -> None:
        super().__init__(
            f"the backup holds no table {', '.join(names)}. It holds {', '.join(known)}."
        )


@dataclass(frozen=True)
class Target:
    """Where the restored book goes, and whether a file there may be replaced by it."""

    path: Path
    replace: bool = False


@dataclass(frozen=True)
class Restored:
    """What came of it. problems: data checks that did not hold in the book then."""

    backup_id: str
    created_at: datetime
    vaults: tuple[str, ...]
    rows: int
    tables: int
    target: Path
    problems: tuple[str, ...]


def restore(
    work: Work,
    contents: Contents,
    backup: Backup,
    target: Target,
    selection: Selection,
) -> Restored:
    """Restore a backup, compare it with what was backed up, and run the data checks.

    Raises TargetExists, NoGoodCopy, IntegrityFailure, SchemaFailed; then no file is left, and one
    that was to be replaced is as it was.
    """
    path = target.path
    if path.exists() and not target.replace:
        raise TargetExists(path)
    started = work.now()
    with _near(path) as space:
        restored = _rebuilt(work, contents, backup, space, selection)
        book = space / BOOK
        _log(work, book, restored, started)
        _flush(book)
        for companion in checkpoint.companions(path):
            companion.unlink(missing_ok=True)
        book.replace(path)
    return replace(restored, target=path)


def drill(work: Work, contents: Contents, backup: Backup) -> Restored:
    """Restore a backup into a scratch book, compare it, and throw it away."""
    with work.catalogue.workspace() as space:
        return _rebuilt(work, contents, backup, space, Selection())


def remember(
    work: Work,
    kind: str,
    backup_id: str,
    started: datetime,
    outcome: Restored | PnlbookError,
) -> Restore:
    """Return the log entry of a restore or drill, and write it to the catalogue."""
    done = outcome if isinstance(outcome, Restored) else None
    entry = Restore(
        kind=kind,
        backup_id=backup_id,
        vault=",".join(done.vaults) if done else None,
        started_at=started,
        finished_at=work.now(),
        success=done is not None,
        rows=done.rows if done else None,
        target=str(done.target) if done and kind == "restore" else None,
        error=str(outcome) if done is None else "; ".join(done.problems) or None,
    )
    contents = work.catalogue.read()
    checks = contents.checks + work.checks()
    work.catalogue.write(replace(contents, restores=(*contents.restores, entry), checks=checks))
    return entry


@contextmanager
def _near(target: Path) -> Iterator[Path]:
    """Give a folder on the target's disk that nobody else can read; it goes at the end."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        with scratch(target.parent, f".{target.name}.restoring-{os.getpid()}-") as folder:
            yield folder
    except OSError as error:
        raise TargetUnwritable(target, error) from error


def _sweep(target: Path) -> None:
    """Remove what restores to the same target left behind when they were killed."""
    for left in target.parent.glob(f".{target.name}.restoring-*-*"):
        process = left.name.rpartition("restoring-")[2].partition("-")[0]
        if process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _rebuilt(
    work: Work, contents: Contents, backup: Backup, space: Path, selection: Selection
) -> Restored:
    """Fetch all that the backup needs and make `book` in the workspace."""
    vaults: list[str] = []
    own = _unpacked(work, backup, space, None, vaults)
    data = (own / pack.MANIFEST_FILE).read_bytes()
    made = manifest.from_json(data)
    _require_tables(made, selection)
    for other, name in made.needs.items():
        needed = _known(contents, other, name, backup)
        _unpacked(work, needed, space, _wanted(made, other, selection), vaults)

    def locate(file: File) -> Path:
        return space / file.backup / file.path

    for entry in made.tables:
        for file in entry.files if selection.wants(entry) else ():
            check_file(file, locate(file))
    schema = (space / made.schema.backup / pack.SCHEMA_FILE).read_text(encoding="utf-8")
    source = Source(made, schema, locate)
    rows = _build(work, source, selection, space)
    book = space / BOOK
    return Restored(
        backup_id=made.backup_id,
        created_at=datetime.fromisoformat(made.created_at),
        vaults=tuple(dict.fromkeys(vaults)),
        rows=rows,
        tables=sum(selection.wants(entry) for entry in made.tables),
        target=book,
        problems=_problems(book) if selection.whole else (),
    )


def _require_tables(made: Manifest, selection: Selection) -> None:
    known = {entry.name for entry in made.tables}
    unknown = sorted((selection.tables or frozenset()) - known)
    if unknown:
        raise UnknownTable(unknown, sorted(known))


def _known(contents: Contents, backup_id: str, name: str, asking: Backup) -> Backup:
    """Return a backup that another needs; one that the catalogue lost is known by its object."""
    found = [b for b in contents.backups if b.object == name]
    return found[0] if found else replace(asking, backup_id=backup_id, object=name, copies=())


def _wanted(made: Manifest, backup_id: str, selection: Selection) -> frozenset[str]:
    """Return the names of the files that are needed of another backup's pack."""
    files = {
        file.path
        for entry in made.tables
        if selection.wants(entry)
        for file in entry.files
        if file.backup == backup_id
    }
    return frozenset(files | ({pack.SCHEMA_FILE} if made.schema.backup == backup_id else set()))


def _unpacked(
    work: Work, backup: Backup, space: Path, wanted: frozenset[str] | None, vaults: list[str]
) -> Path:
    """Fetch an object, check it whole, and unpack what is wanted (None: all)."""
    path, vault = copies.fetch(work, backup, space)
    vaults.append(vault)
    folder = space / backup.backup_id
    folder.mkdir()
    blocks = unseal(path, work.keyring, work.bytes("decrypting", backup.backup_id, 0))
    pack.unpack(blocks, folder, lambda name: wanted is None or name in wanted)
    path.unlink()
    return folder


def _build(work: Work, source: Source, selection: Selection, space: Path) -> int:
    with duckdb.connect(str(space / BOOK), config=engine(space)) as connection:
        run(connection, "SET TimeZone = 'UTC'")
        return rebuild(connection, source, selection, work.rows("restoring"))


def _problems(book: Path) -> tuple[str, ...]:
    """Return the data checks that must hold and do not; none for a book of another program."""
    try:
        with open_book(book, write=True) as connection:
            run(connection, f"SET memory_limit = '{MEMORY}'")
            run(connection, f"SET temp_directory = {quote(str(book.parent / 'spill'))}")
            return tuple(
                f"data check {check.name} finds rows: {check.description}"
                for check in sql.checks()
                if check.severity == "fail" and connection.execute(check.sql).fetchone()
            )
    except BookError:
        return ()


def _log(work: Work, book: Path, restored: Restored, started: datetime) -> None:
    """Write into the restored book itself where it comes from."""
    entry = Restore(
        "restore",
        restored.backup_id,
        ",".join(restored.vaults),
        started,
        work.now(),
        success=True,
        rows=restored.rows,
        target=None,
        error="; ".join(restored.problems) or None,
    )
    try:
        with open_book(book, write=True) as connection:
            fill(connection, Contents(restores=(entry,)))
    except BookError:
        return  # a book of another program has its own tables


def _flush(path: Path) -> None:
    for name in (path, path.parent.parent):
        handle = os.open(name, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def scan(work: Work) -> tuple[Contents, list[str]]:
    """Read what backups there are from the vaults alone, and notes on objects passed over.

    The manifests found are kept in the catalogue.
    """
    contents, notes, failed = Contents(), [], []
    for vault in work.vaults:
        try:
            stored = sorted(vault.list(), key=lambda o: o.modified_at, reverse=True)
        except VaultError as error:
            notes.append(str(error))
            failed.append(error)
            continue
        for number, found in enumerate(stored):
            work.tell(Progress("reading the vault", vault.name, number, len(stored), "objects"))
            try:
                backup = _read(work, vault, found)
            except (VaultError, IntegrityFailure) as error:
                notes.append(f"{vault.name}: object {found.name[:16]}… passed over: {error}")
                continue
            known = [b for b in contents.backups if b.object == backup.object]
            merged = known[0].with_copy(backup.copies[0]) if known else backup
            contents = contents.with_backup(merged)
    if failed and not contents.backups:
        raise failed[0]
    return contents, [*notes, *_gaps(contents)]


def _gaps(contents: Contents) -> list[str]:
    """Say where the chain of manifests has a gap or a fork."""
    known = {backup.manifest_sha256 for backup in contents.backups}
    numbers = Counter(backup.sequence for backup in contents.backups)
    gaps = [
        f"the backup before {backup.backup_id} (number {backup.sequence}) is in none of the vaults"
        for backup in contents.backups
        if backup.previous is not None and backup.previous not in known
    ]
    forks = [
        f"{count} backups have number {number}: they are of two books, or of one whose catalogue "
        "was lost in between"
        for number, count in sorted(numbers.items())
        if count > 1
    ]
    return gaps + forks


def _read(work: Work, vault: Vault, found: StoredObject) -> Backup:
    """Fetch one object and return the backup that its manifest tells of."""
    with work.catalogue.workspace() as space:
        path = space / found.name
        vault.get(found.name, path)
        if checksum(path) != found.name:
            raise copies.CopyDamaged(vault.name, found.name[:16])
        folder = space / "pack"
        folder.mkdir()
        pack.unpack(
            unseal(path, work.keyring),
            folder,
            lambda member: member in {pack.MANIFEST_FILE, pack.CHUNKS_FILE},
        )
        data = (folder / pack.MANIFEST_FILE).read_bytes()
        made = manifest.from_json(data)
        chunks = (folder / pack.CHUNKS_FILE).read_bytes()
        work.catalogue.add_manifest(made.backup_id, data, chunks)
        backup = Backup.of(made, data, found.name, path.stat().st_size)
        return backup.with_copy(_seen(work, vault, found))


def _seen(work: Work, vault: Vault, found: StoredObject) -> Copy:
    """Return a copy that was fetched and found equal; the vault knows since when it has it."""
    since, now = found.modified_at, work.now()
    return Copy(vault.name, vault.kind, "verified", since, since, now, now)
