"""A folder as a vault: one file an object, mode 0600, on this machine or a mounted disk."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from pnlbook import disk
from pnlbook.backup.errors import VaultError
from pnlbook.backup.vaults import files
from pnlbook.backup.vaults.vault import (
    FREE,
    ObjectMissing,
    Price,
    StoredObject,
    check_name,
    exactly,
    holds,
    ignore,
    is_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TEMPORARY = ".put-"
_LEFTOVER_AGE = 24 * 60 * 60  # seconds; no put takes longer without writing
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class FolderMissing(VaultError):
    """The folder is not there: never made, or its disk is not mounted."""

    def __init__(self, vault: str, path: Path) -> None:
        super().__init__(
            vault,
            f"there is no folder {path}. Mount the disk it is on, or set another path; "
            "a backup makes it, where the folder above it is there.",
        )


class FolderFailed(VaultError):
    """The file system refused an operation on the folder or a file in it."""

    def __init__(self, vault: str, path: Path, error: OSError) -> None:
        super().__init__(vault, f"{path}: {_advice(error)}")


class NotAFile(VaultError):
    """Something else than a regular file has an object's name."""

    def __init__(self, vault: str, path: Path) -> None:
        super().__init__(vault, f"{path} is no regular file. Move it away, then try again.")


@dataclass(frozen=True)
class FolderVault:
    """Objects as files in the folder at `path`, which the first put makes with mode 0700."""

    name: str
    path: Path
    price: Price = FREE
    kind: ClassVar[str] = "folder"
    permanent: ClassVar[bool] = False

    def put(self, name: str, path: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        """Store the file at `path` by way of a temporary name in the same folder."""
        check_name(self.name, name)
        size = files.size_of(path)
        with self._translated():
            self._make()
            self._sweep()
            if not holds(self, name, size):
                self._add(name, path, size, on_bytes)

    def get(self, name: str, target: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        """Copy the object to a new file."""
        size = self.head(name)
        if size is None:
            raise ObjectMissing(self.name, name)
        files.save(target, exactly(self.name, name, self._read(name), size, on_bytes))

    def head(self, name: str) -> int | None:
        """Return the file's size, or None when there is none."""
        check_name(self.name, name)
        with self._translated():
            self._check()
            try:
                found = (self.path / name).lstat()
            except FileNotFoundError:
                return None
        if not stat.S_ISREG(found.st_mode):
            raise NotAFile(self.name, self.path / name)
        return found.st_size

    def list(self) -> Iterator[StoredObject]:
        """Yield the objects by name."""
        with self._translated(), os.scandir(self.path) as entries:
            found = sorted(entry.name for entry in entries if is_name(entry.name))
        for name in found:
            with self._translated(), suppress(FileNotFoundError):
                status = (self.path / name).lstat()
                if stat.S_ISREG(status.st_mode):
                    modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield StoredObject(name, status.st_size, modified_at)

    def delete(self, name: str) -> None:
        """Delete the file."""
        check_name(self.name, name)
        with self._translated():
            self._check()
            (self.path / name).unlink(missing_ok=True)
            disk.sync_folder(self.path)

    def _make(self) -> None:
        # Not the folders above it: where a disk is not mounted, they must be missed.
        try:
            self.path.mkdir(mode=0o700)
        except FileExistsError:
            return
        disk.sync_folder(self.path.parent)

    def _check(self) -> None:
        if not self.path.exists():
            raise FolderMissing(self.name, self.path)

    def _sweep(self) -> None:
        """Remove what puts left that were killed more than a day ago."""
        oldest = time.time() - _LEFTOVER_AGE
        for path in self.path.glob(f"{_TEMPORARY}*"):
            with suppress(FileNotFoundError):  # another put sweeps too
                if path.lstat().st_mtime < oldest:
                    path.unlink()

    def _add(self, name: str, path: Path, size: int, on_bytes: Callable[[int], None]) -> None:
        temporary = self.path / f"{_TEMPORARY}{secrets.token_hex(8)}"
        try:
            disk.write_new(temporary, files.read(path, size, on_bytes))
            if not _name_new(temporary, self.path / name):
                holds(self, name, size)
        finally:
            temporary.unlink(missing_ok=True)
        disk.sync_folder(self.path)

    def _read(self, name: str) -> Iterator[bytes]:
        with self._translated():
            try:
                number = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW)
            except FileNotFoundError as error:  # deleted a moment ago
                raise ObjectMissing(self.name, name) from error
            with os.fdopen(number, "rb") as file:
                while data := file.read(files.PIECE):
                    yield data

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FolderMissing(self.name, self.path) from error
        except OSError as error:
            raise FolderFailed(self.name, self.path, error) from error


def _name_new(temporary: Path, target: Path) -> bool:
    """Give the file its name, unless there is one of that name: then return False."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _rename_new(temporary, target)
    return True


def _rename_new(temporary: Path, target: Path) -> bool:
    # FAT has no links. Two puts that meet between the two lines bring the same bytes.
    if os.path.lexists(target):
        return False
    temporary.rename(target)
    return True


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return "the disk is full. Free space on it, or set another path."
    if error.errno in _REFUSED:
        return f"{error.strerror}. Give this user the right to read and write there."
    if error.errno == errno.ENOTDIR:
        return "it is no folder. Set another path."
    return f"{error.strerror}. Check the disk, or set another path."
