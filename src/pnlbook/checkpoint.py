"""Folding the write-ahead log into a book, so that a death at any moment leaves it whole.

A checkpoint writes what is new into free blocks, and at its end the header that points to it. But
blocks of metadata hold pieces of the old state and of the new, and DuckDB writes them in place: one
that is half written does not match its checksum, and the book does not open. So these blocks are
kept in a file beside the book until the header is written, and put back where it was not. Then the
book is in its old state, and the log beside it still holds what is new.

The log takes every commit, and no checkpoint runs but this one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import duckdb

from pnlbook import disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOG, KEPT = ".wal", ".rollback"

_NEVER = "1TB"  # a log that large is folded by DuckDB itself
_HEADERS = 3 * 4096  # of the file and, in turn, of its newest two states
_MAGIC = b"pnlbook rollback 1\n"
_BLOCK = struct.Struct("<QQ")  # offset and length
_putting_back = threading.Lock()


@dataclass(frozen=True)
class _Kept:
    """What a checkpoint may write over: the headers of the book, and blocks by their offsets."""

    headers: bytes
    blocks: dict[int, bytes]

    def packed(self) -> bytes:
        """Return it as the content of a file, with the digest by which it is known to be whole."""
        parts = [self.headers]
        for offset, block in self.blocks.items():
            parts += [_BLOCK.pack(offset, len(block)), block]
        content = b"".join(parts)
        return _MAGIC + hashlib.sha256(content).digest() + content

    @classmethod
    def unpacked(cls, data: bytes) -> _Kept | None:
        """Return what such a file holds; None when it was not written to its end."""
        start = len(_MAGIC) + hashlib.sha256().digest_size
        content = data[start:]
        if data[:start] != _MAGIC + hashlib.sha256(content).digest():
            return None
        blocks, at = {}, _HEADERS
        while at < len(content):
            offset, size = _BLOCK.unpack_from(content, at)
            at += _BLOCK.size
            blocks[offset] = content[at : at + size]
            at += size
        return cls(content[:_HEADERS], blocks)


def beside(book: Path, suffix: str) -> Path:
    """Return the path of a file that belongs to a book: its LOG, or what is KEPT of it."""
    return book.with_name(book.name + suffix)


def companions(book: Path) -> tuple[Path, Path]:
    """Return the paths of all files that may belong to a book, whether they are there or not."""
    return beside(book, LOG), beside(book, KEPT)


def only_by_us(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep DuckDB from folding logs by itself, in all databases of the connection."""
    connection.execute(f"SET GLOBAL checkpoint_threshold = '{_NEVER}'")
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")


@contextmanager
def folded(connection: duckdb.DuckDBPyConnection, database: str, book: Path) -> Iterator[None]:
    """Fold the log into the open book of that alias, and let the block close it.

    Where that fails, as on a full disk, the log holds what was committed until a later time.
    """
    if not beside(book, LOG).exists():
        yield
        return
    # Closed after the book: closing any handle of a file ends all locks of a process on it.
    with book.open("rb", buffering=0) as file:
        with suppress(OSError, duckdb.Error):
            _keep(connection, database, book, file)
            connection.execute("FROM checkpoint(?)", [database]).fetchall()
            beside(book, KEPT).unlink()
        yield


def put_back(book: Path) -> None:
    """Put back the blocks of a checkpoint that did not end; to call before a book is opened.

    Does nothing while a process has the book open, nor where this user may not write it.
    """
    path = beside(book, KEPT)
    with _putting_back:  # as a second handle, closed, would end the lock of the first
        if not path.exists():
            return
        with suppress(OSError), book.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kept = _Kept.unpacked(path.read_bytes())
            if kept is not None and kept.headers == file.read(_HEADERS):
                for offset, block in kept.blocks.items():
                    file.seek(offset)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            path.unlink()


def _keep(connection: duckdb.DuckDBPyConnection, database: str, book: Path, file: BinaryIO) -> None:
    """Write the blocks of metadata to the file beside the book, down to the disk."""
    ((size,),) = connection.execute(
        "SELECT block_size FROM pragma_database_size() WHERE database_name = ?", [database]
    ).fetchall()
    numbers = connection.execute(
        "SELECT DISTINCT block_id FROM pragma_metadata_info(?) ORDER BY block_id", [database]
    ).fetchall()
    offsets = [_HEADERS + number * size for (number,) in numbers]
    handle = file.fileno()
    blocks = {offset: os.pread(handle, size, offset) for offset in offsets}
    kept = _Kept(os.pread(handle, _HEADERS, 0), blocks)
    path = beside(book, KEPT)
    disk.write_new(path, [kept.packed()])  # an older one could not be put back: needed still
    path.chmod(book.stat().st_mode & 0o777)
    disk.sync_folder(book.parent)
