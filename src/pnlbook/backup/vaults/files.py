"""Files of this machine, read and written in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook import disk
from pnlbook.backup.errors import BackupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

PIECE = 1 << 20  # bytes


class LocalFileError(BackupError):
    """A file on this side cannot be read or written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: {reason}. Look to its folder's space and permissions, and try again."
        )

    @classmethod
    def of(cls, path: Path, error: OSError) -> LocalFileError:
        """Return the error with the operating system's reason."""
        return cls(path, error.strerror or type(error).__name__)


def size_of(path: Path) -> int:
    """Return the size in bytes of the file at `path`. Raises LocalFileError."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise LocalFileError.of(path, error) from error


def read(
    path: Path, size: int, on_bytes: Callable[[int], None], *, piece: int = PIECE
) -> Iterator[bytes]:
    """Yield the `size` bytes of the file at `path`, `piece` at a time.

    Raises LocalFileError, also when the file has changed its size.
    """
    left = size
    try:
        with path.open("rb") as file:
            while data := file.read(piece):
                left -= len(data)
                yield data
                on_bytes(len(data))
    except OSError as error:
        raise LocalFileError.of(path, error) from error
    if left:
        raise LocalFileError(path, "it changed while it was read")


def save(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces to a new file as `disk.write_new` does. Raises LocalFileError."""
    try:
        disk.write_new(path, pieces)
    except OSError as error:
        raise LocalFileError.of(path, error) from error
