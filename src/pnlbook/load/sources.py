"""From what the user names to files that can be read: found, hashed, unpacked, in UTF-8.

`prepare` never changes a source: what has to be unpacked or recoded goes to the scratch folder.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import shutil
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from pnlbook.load.mapping import FILE_NAME as MAPPING_NAME
from pnlbook.load.result import FileRejected, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xls": "excel",
    ".ods": "excel",
}
TEXT_FORMATS = frozenset({"csv", "tsv", "json", "jsonl"})
_PACKED = {".gz": "gzip", ".zst": "zstd"}
_STDIN = "-"
_BLOCK = 8 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_PARQUET_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True)
class Source:
    """A file to load: `location` is what people see, `path` where its bytes are."""

    location: str
    path: Path

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return Path(self.location).name


@dataclass(frozen=True)
class Prepared:
    """A source that can be read: `path` holds plain bytes, UTF-8 for text formats."""

    source: Source
    path: Path
    format: str
    stamp: tuple[int, int]

    @property
    def size(self) -> int:
        """Bytes to read."""
        return self.path.stat().st_size


def find(names: Sequence[str], scratch: Path) -> tuple[list[Source], list[str]]:
    """Return the sources that `names` stand for, and notes on the files passed over.

    A name is a file, a folder (searched to its depths), a glob or `-` for standard input.
    """
    sources: list[Source] = []
    notes: list[str] = []
    for name in names:
        for path in _paths(name, scratch):
            if path.is_dir():
                inside, passed = _folder(path)
                sources += inside
                notes += passed
            else:
                location = "stdin" if name == _STDIN else str(path)
                sources.append(Source(location, path))
    unique = {source.path.resolve(): source for source in reversed(sources)}
    return [s for s in sources if unique[s.path.resolve()] is s], notes


def _paths(name: str, scratch: Path) -> list[Path]:
    if name == _STDIN:
        path = scratch / "stdin"
        with path.open("wb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target)
        return [path]
    path = Path(name)
    if path.exists():
        return [path]
    found = sorted(glob(name, recursive=True)) if has_magic(name) else []  # noqa: PTH207 - a path may be absolute
    if not found:
        raise SourceError(name, "there is no such file.")
    return [Path(match) for match in found]


def _folder(folder: Path) -> tuple[list[Source], list[str]]:
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
    known = [path for path in files if format_by_name(path) is not None]
    notes = [
        f"{path}: passed over, {path.suffix or 'its name'} is no format that can be loaded"
        for path in files
        if path not in set(known) and path.name != MAPPING_NAME
    ]
    if not known:
        raise SourceError(str(folder), "the folder holds no file that can be loaded.")
    return [Source(str(path), path) for path in known], notes


def format_by_name(path: Path) -> str | None:
    """Return the format that a file's name tells, compression aside, or None."""
    name = path.with_suffix("") if path.suffix.lower() in _PACKED else path
    return FORMATS.get(name.suffix.lower())


@contextmanager
def hashing(sources: Sequence[Source]) -> Iterator[Callable[[Source], str]]:
    """Hash sources beside other work; yield what waits for the content hash of one.

    That is SHA-256 over the SHA-256 digests of its 8 MiB blocks, which are hashed side by side, so
    that knowing an unchanged file costs little. Raises SourceError for one that cannot be read.
    """
    pool = ThreadPoolExecutor()

    def begin(source: Source) -> list[Future[bytes]]:
        _check_readable(source)
        offsets = range(0, max(source.path.stat().st_size, 1), _BLOCK)
        return [pool.submit(_digest, source.path, offset) for offset in offsets]

    try:
        digests = {source: begin(source) for source in sources}
        yield lambda source: hashlib.sha256(
            b"".join(digest.result() for digest in digests[source])
        ).hexdigest()
    finally:
        pool.shutdown(cancel_futures=True)


def _digest(path: Path, offset: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        return hashlib.sha256(file.read(_BLOCK)).digest()


def stamp(path: Path) -> tuple[int, int]:
    """Return what changes when a file is written to: its size and time of change."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _check_readable(source: Source) -> None:
    """Raise SourceError when the bytes of a source cannot be read."""
    try:
        with source.path.open("rb"):
            pass
    except PermissionError as error:
        problem = "permission denied. Grant this user read access."
        raise SourceError(source.location, problem) from error
    except OSError as error:
        raise SourceError(source.location, f"{error.strerror}.") from error


def prepare(source: Source, scratch: Path, encoding: str | None) -> Prepared:
    """Unpack and recode a source as far as needed.

    encoding: of text; None: UTF-8, or UTF-16 where a byte order mark says so.
    Raises FileRejected for an empty, broken or unknown file.
    """
    path, seen = source.path, stamp(source.path)
    head = _head(path)
    for magic, unpack in ((_GZIP_MAGIC, _gunzip), (_ZSTD_MAGIC, _unzstd)):
        if head.startswith(magic):
            path = _unpack(source, unpack(path), _scratch_file(scratch))
            head = _head(path)
    if not head:
        raise FileRejected(source.location, "the file is empty.")
    kind = format_by_name(Path(source.location)) or _format_by_content(head)
    if kind in TEXT_FORMATS:
        encoding = encoding or _encoding_by_mark(head)
        if encoding is not None:
            path = _recode(source, path, _scratch_file(scratch), encoding)
    return Prepared(source, path, kind, seen)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def _scratch_file(scratch: Path) -> Path:
    return scratch / f"file-{len(list(scratch.iterdir()))}"


def _format_by_content(head: bytes) -> str:
    if head.startswith(_PARQUET_MAGIC):
        return "parquet"
    if head.startswith(_ZIP_MAGIC):
        return "excel"
    start = head.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        return "json"
    return "jsonl" if start.startswith("{") else "csv"


def _encoding_by_mark(head: bytes) -> str | None:
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _gunzip(path: Path) -> Iterator[bytes]:
    with gzip.open(path) as packed:
        while block := packed.read(_BLOCK):
            yield block


def _unzstd(path: Path) -> Iterator[bytes]:
    frame = None
    with path.open("rb") as packed:
        while block := packed.read(_BLOCK):
            while block:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(block)
                block = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    if frame is not None:
        message = "it ends within a frame"
        raise EOFError(message)


def _unpack(source: Source, blocks: Iterator[bytes], target: Path) -> Path:
    try:
        with target.open("wb") as plain:
            plain.writelines(blocks)
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as error:
        problem = f"the compressed file is cut short or damaged ({error}). Fetch it again."
        raise FileRejected(source.location, problem) from error
    return target


def _recode(source: Source, path: Path, target: Path, encoding: str) -> Path:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise SourceError(source.location, f"unknown encoding {encoding!r}.") from error
    try:
        with (
            path.open(encoding=encoding, newline="") as text,
            target.open("w", encoding="utf-8", newline="") as plain,
        ):
            shutil.copyfileobj(text, plain, _BLOCK)
    except UnicodeError as error:
        problem = f"the text is not {encoding} ({error}). Name its encoding with --encoding."
        raise FileRejected(source.location, problem) from error
    return target


def with_unix_line_ends(prepared: Prepared, scratch: Path) -> Prepared:
    """Return the same text with every line end made LF, for files that mix their line ends."""
    target = _scratch_file(scratch)
    with prepared.path.open("rb") as mixed, target.open("wb") as plain:
        for line in mixed:
            plain.write(line.removesuffix(b"\r\n") + b"\n" if line.endswith(b"\r\n") else line)
    return Prepared(prepared.source, target, prepared.format, prepared.stamp)
