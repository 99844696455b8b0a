"""Real git repositories for tests, and an independent reading of their commits."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass
class Repository:
    """A repository in a folder, whose commits are an hour apart."""

    path: Path
    clock: int = 1_760_000_000
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.path / ".git").exists():
            self.path.mkdir(parents=True, exist_ok=True)
            self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str | bytes, **extra: str) -> bytes:
        """Run git in it and return what it prints."""
        environment = {**os.environ, **IDENTITY, **self.settings, **extra}
        command = ["git", "-C", str(self.path), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, env=environment)
        return done.stdout

    def write(self, name: str | bytes, content: bytes | str) -> None:
        """Write a file."""
        path = os.path.join(os.fsencode(self.path), os.fsencode(name))  # noqa: PTH118 - bytes
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - bytes
        with open(path, "wb") as file:  # noqa: PTH123 - bytes
            file.write(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str, *options: str, **extra: str) -> str:
        """Commit all that is there, and return the commit's id."""
        self.clock += 3600
        when = {
            "GIT_AUTHOR_DATE": f"{self.clock} +0200",
            "GIT_COMMITTER_DATE": f"{self.clock} +0000",
        }
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", *options, "-m", message, **when, **extra)
        return self.head()

    def head(self) -> str:
        """Return the id of HEAD's commit."""
        return self.git("rev-parse", "HEAD").decode().strip()


@dataclass(frozen=True)
class Shown:
    """A file of a commit as `git show` tells it: lines None where it is binary."""

    path: bytes
    old: bytes | None
    added: int | None
    deleted: int | None


def shown(repository: Repository) -> dict[str, list[Shown]]:
    """Return the files of every commit of HEAD but merges, asked for commit by commit."""
    commits = repository.git("rev-list", "HEAD").decode().split()
    parents = {commit: _parents(repository, commit) for commit in commits}
    return {one: _files(repository, one) for one in commits if len(parents[one]) < 2}


def _parents(repository: Repository, commit: str) -> list[str]:
    return repository.git("rev-parse", f"{commit}^@").decode().split()


def _files(repository: Repository, commit: str) -> list[Shown]:
    output = repository.git("show", "--format=", "--numstat", "-z", "-M", commit)
    parts = iter(output.removesuffix(b"\0").split(b"\0") if output else [])
    files = []
    for part in parts:
        added, deleted, path = part.split(b"\t", 2)
        old = None if path else next(parts)
        numbers = [None if one == b"-" else int(one) for one in (added, deleted)]
        files.append(Shown(path or next(parts), old, *numbers))
    return files
