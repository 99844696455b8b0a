"""The pack: one tar with the manifest, the schema, the fingerprints and the Parquet files.

Only names that a pack may hold are ever written to disk.
"""

from __future__ import annotations

import io
import re
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO

from pnlbook.backup.errors import IntegrityFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANIFEST_FILE = "manifest.json"
SCHEMA_FILE = "schema.sql"
CHUNKS_FILE = "chunks.parquet"
_NAME = re.compile(r"manifest\.json|schema\.sql|chunks\.parquet|parts/[a-z0-9_-]+/\d+-\d+\.parquet")
_BLOCK = tarfile.BLOCKSIZE
_PIECE = 1 << 20
_END = bytes(2 * _BLOCK)


class BadPack(IntegrityFailure):
    """A pack holds what none may hold, or lacks what every one has."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"the backup's archive {problem}; nothing was taken from it.")


def names(folder: Path) -> list[str]:
    """Return the names of the files to pack, the manifest first."""
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    first = [name for name in (MANIFEST_FILE, SCHEMA_FILE, CHUNKS_FILE) if name in found]
    return first + [name for name in found if name not in first]


def pack_size(folder: Path) -> int:
    """Return how many bytes `pack` will yield."""
    sizes = [(folder / name).stat().st_size for name in names(folder)]
    heads = sum(len(_head(folder, name)) for name in names(folder))
    return heads + sum(size + -size % _BLOCK for size in sizes) + len(_END)


def pack(folder: Path) -> Iterator[bytes]:
    """Yield the tar of a folder, the same for the same files."""
    for name in names(folder):
        yield _head(folder, name)
        size = 0
        with (folder / name).open("rb") as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                yield piece
        yield bytes(-size % _BLOCK)
    yield _END


def _head(folder: Path, name: str) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = (folder / name).stat().st_size
    info.mode = 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def unpack(
    blocks: Iterator[bytes], folder: Path, wanted: Callable[[str], bool] = lambda _name: True
) -> list[str]:
    """Write the wanted files of a pack into a folder and return their names.

    Raises BadPack for any other content; what `blocks` raises goes through.
    """
    found: list[str] = []
    with (
        closing(_Stream(blocks)) as stream,
        io.BufferedReader(stream, _PIECE) as buffered,
        _opened(buffered) as archive,
    ):
        for member in _members(archive):
            if member.name in found:
                message = f"names {member.name} twice"
                raise BadPack(message)
            if wanted(member.name):
                _write(archive, member, folder / member.name)
                found.append(member.name)
    return found


def read_manifest(blocks: Iterator[bytes]) -> bytes:
    """Return the manifest of a pack, which is the first file of it."""
    with (
        closing(_Stream(blocks)) as stream,
        io.BufferedReader(stream, _PIECE) as buffered,
        _opened(buffered) as archive,
    ):
        first = next(_members(archive), None)
        file = archive.extractfile(first) if first and first.name == MANIFEST_FILE else None
        if file is None:
            message = "does not begin with a manifest"
            raise BadPack(message)
        return file.read()


def _opened(stream: BinaryIO) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=stream, mode="r|")
    except tarfile.TarError as error:
        message = f"is not a tar ({error})"
        raise BadPack(message) from error


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    try:
        for member in archive:
            if not (member.isreg() and _NAME.fullmatch(member.name)):
                message = f"holds {member.name!r}, which no backup does"
                raise BadPack(message)
            yield member
    except tarfile.TarError as error:
        message = f"is cut short ({error})"
        raise BadPack(message) from error


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = archive.extractfile(member)
    with path.open("xb") as target:
        while source and (piece := source.read(_PIECE)):
            target.write(piece)


class _Stream(io.RawIOBase):
    """Blocks of bytes as a file that is read from front to end."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
