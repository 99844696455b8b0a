"""The output of one `git log`: fields and paths end with a NUL, and a commit begins with a mark.

A commit is its header, then its files as `--raw` tells them (how each changed), then the same files
in the same order as `--numstat` does (lines; `-` for binary files). Both give a renamed file as two
paths. Paths are bytes; what of them is no UTF-8 is shown as hexadecimal escapes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from pnlbook.worklog.files import file_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_MARK = b"\x01"
_BETWEEN = "\x1f"
_CHUNK = 1 << 20
_SUBMODULE = b"160000"
_CHANGES = {b"A": "created", b"C": "created", b"D": "deleted", b"R": "renamed"}

_TRAILERS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x1f)"

# -M names renames; what the configuration of a repository or person could change is said here.
ARGUMENTS = (
    "--no-merges",
    "--raw",
    "--numstat",
    "-z",
    "-M",
    "--no-abbrev",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--no-show-signature",
    "--diff-algorithm=default",
    "--ignore-submodules=none",
    "--encoding=UTF-8",
    f"--format=tformat:%x01%H%x00%at%x00%aN <%aE>%x00{_TRAILERS}",
)


@dataclass(slots=True)
class File:
    """A file as a commit changed it; lines are None where it is binary.

    key: identifies the path, also where two are shown alike.
    """

    path: str
    key: str
    old_path: str | None
    change_type: str
    lines_added: int | None
    lines_deleted: int | None
    file_class: str


@dataclass(slots=True)
class Commit:
    """A commit; authored_at in seconds since 1970, None where it is not written as it should be."""

    commit_id: str
    authored_at: int | None
    author: str
    co_authors: list[str]
    files: list[File] = field(default_factory=list)


def read_commits(stream: BinaryIO, tell: Callable[[int], None]) -> Iterator[Commit]:
    """Yield the commits of a `git log` with ARGUMENTS while it runs; `tell` is given bytes read."""
    tokens = chain.from_iterable(_tokens(stream, tell))
    paths = _Paths()
    commit: Commit | None = None
    statuses: list[tuple[str, bool]] = []
    try:
        for token in tokens:
            first = token[:1]
            if first == _MARK:
                if commit is not None:
                    yield commit
                commit, statuses = None, []
                commit = _header(token, tokens)
            elif first in {b":", b"\n"}:
                statuses.append(_status(token, tokens))
            elif token and commit is not None:
                change_type, submodule = statuses[len(commit.files)]
                commit.files.append(_file(token, tokens, change_type, paths, submodule=submodule))
    except StopIteration:
        return  # git ended early, and its exit code says why
    if commit is not None:
        yield commit


def _tokens(stream: BinaryIO, tell: Callable[[int], None]) -> Iterator[list[bytes]]:
    rest = b""
    while data := stream.read(_CHUNK):
        *tokens, rest = (rest + data).split(b"\0")
        yield tokens
        tell(len(data))


def _header(token: bytes, tokens: Iterator[bytes]) -> Commit:
    authored_at, author, trailers = [next(tokens).decode(errors="replace") for _ in range(3)]
    co_authors = [name.strip() for name in trailers.split(_BETWEEN) if name.strip()]
    try:
        instant: int | None = int(authored_at)
    except ValueError:
        instant = None
    return Commit(token[1:].decode(), instant, author.removesuffix(" <>"), co_authors)


def _status(token: bytes, tokens: Iterator[bytes]) -> tuple[str, bool]:
    """Return how a file changed, and whether it is a submodule; passes over its paths."""
    before, after, *_, status = token.lstrip(b"\n:").split(b" ")
    letter = status[:1]
    next(tokens)
    if letter in {b"R", b"C"}:
        next(tokens)
    return _CHANGES.get(letter, "modified"), _SUBMODULE in {before, after}


def _file(
    token: bytes, tokens: Iterator[bytes], change_type: str, paths: _Paths, *, submodule: bool
) -> File:
    added, deleted, raw = token.split(b"\t", 2)
    old = None
    if not raw:
        old, raw = next(tokens), next(tokens)
    path, key, kind = paths.of(raw)
    if submodule:
        kind = "vendored"
    if added == b"-":
        return File(path, key, _shown(old), change_type, None, None, "binary")
    return File(path, key, _shown(old), change_type, int(added), int(deleted), kind)


class _Paths:
    """What is known of paths met before; most are met often."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, str, str]] = {}

    def of(self, raw: bytes) -> tuple[str, str, str]:
        """Return a path as text, its key and its class."""
        known = self._known.get(raw)
        if known is None:
            known = self._known[raw] = self._read(raw)
        return known

    @staticmethod
    def _read(raw: bytes) -> tuple[str, str, str]:
        try:
            path = key = raw.decode()
        except UnicodeDecodeError:
            path = raw.decode(errors="backslashreplace")
            key = f"/{raw.hex()}"  # no path of a repository begins with a slash
        return path, key, file_class(path)


def _shown(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")
