"""A git repository of many commits, the same for the same size, made by `git fast-import`.

A commit changes one to five of the files, a line or some of each; now and then a file is renamed,
added, deleted or binary, and every tenth commit has an agent as co-author.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 4
START = 1_600_000_000  # seconds since 1970
_FILES = 400
_LINES = 80
_PEOPLE = ("Ada <ada@example.org>", "Ben <ben@example.org>", "Cleo <cleo@example.org>")
_FOLDERS = ("src/core", "src/ui", "tests", "vendor/lib", "docs")
_AGENT = "\n\nCo-Authored-By: Claude <noreply@anthropic.com>"


def make(path: Path, commits: int) -> Path:
    """Make a repository of so many commits and return its path."""
    subprocess.run(["git", "init", "--quiet", "--bare", path], check=True)
    with subprocess.Popen(
        ["git", "-C", path, "fast-import", "--quiet", "--done"], stdin=subprocess.PIPE
    ) as process:
        if process.stdin is None:
            raise OSError
        for part in _stream(commits):
            process.stdin.write(part)
        process.stdin.close()
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, "git fast-import")
    subprocess.run(["git", "-C", path, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
    return path


def _stream(commits: int) -> Iterator[bytes]:
    files = _Files(random.Random(SEED))
    for number in range(commits):
        person = _PEOPLE[number % len(_PEOPLE)]
        message = f"Change {number}" + (_AGENT if number % 10 == 0 else "")
        when = f"{person} {START + 600 * number} +0000"
        header = f"commit refs/heads/main\nauthor {when}\ncommitter {when}\n"
        yield header.encode() + _data(message.encode()) + files.change()
    yield b"done\n"


class _Files:
    """The files of the repository as the last commit left them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._lines: dict[str, list[str]] = {}
        self._made = 0

    def change(self) -> bytes:
        """Return what one commit changes."""
        parts = [self._one() for _ in range(self._chance.randint(1, 5))]
        return b"".join(parts) + b"\n"

    def _one(self) -> bytes:
        kind = self._chance.random()
        if len(self._lines) < _FILES or kind < 0.01:  # noqa: PLR2004 - one in a hundred
            return self._add()
        path = self._chance.choice(list(self._lines))
        if kind < 0.02:  # noqa: PLR2004 - one in a hundred
            del self._lines[path]
            return f"D {path}\n".encode()
        if kind < 0.04:  # noqa: PLR2004 - two in a hundred
            return self._rename(path)
        if kind < 0.05:  # noqa: PLR2004 - one in a hundred
            return _file("assets/picture.bin", b"\0" + self._chance.randbytes(200))
        lines = self._lines[path]
        for _ in range(self._chance.randint(1, 6)):
            lines[self._chance.randrange(len(lines))] = self._line()
        if self._chance.random() < 0.5:  # noqa: PLR2004 - every other
            lines.insert(self._chance.randrange(len(lines)), self._line())
        return _file(path, "".join(lines).encode())

    def _add(self) -> bytes:
        path = self._path()
        self._lines[path] = [self._line() for _ in range(self._chance.randint(5, 2 * _LINES))]
        return _file(path, "".join(self._lines[path]).encode())

    def _rename(self, path: str) -> bytes:
        to = self._path()
        self._lines[to] = self._lines.pop(path)
        return f"R {path} {to}\n".encode()

    def _path(self) -> str:
        self._made += 1
        return f"{self._chance.choice(_FOLDERS)}/module_{self._made}.py"

    def _line(self) -> str:
        return f"value_{self._chance.randrange(10_000)} = {self._chance.randrange(10_000)}\n"


def _file(path: str, content: bytes) -> bytes:
    return f"M 644 inline {path}\n".encode() + _data(content)


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
