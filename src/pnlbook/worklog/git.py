"""Commits of git repositories: each file that a commit changed is a change of origin `commit`.

What is read is what `git log` shows: the commits that HEAD holds, without merges, at the time when
they were authored. The node is the agent that authored or co-authored a commit, else the author's
address; the project is the repository's name. Nothing in a repository is run or changed, and what
it lacks is not fetched. Commits that a later HEAD no longer holds stay in the book.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pnlbook.worklog.assignment import Place
from pnlbook.worklog.git_command import Git, History
from pnlbook.worklog.git_log import ARGUMENTS, read_commits
from pnlbook.worklog.importer import Broken, Position
from pnlbook.worklog.people import worker
from pnlbook.worklog.records import Change

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from typing import BinaryIO

    from pnlbook.worklog.git_log import Commit
    from pnlbook.worklog.importer import Findings, Reading

_LEVELS = 4  # folders below a place that repositories are looked for in
_LONG = 1000  # commits that are worth a process of their own
_YEARS = (-62_135_596_800, 253_402_300_799)  # seconds since 1970 of the years 1 to 9999


class GitImporter:
    """Reads the history of repositories."""

    name = "git"

    def places(self) -> Sequence[Path]:
        """Return the repository that the current folder is in, else that folder."""
        here = Path.cwd()
        return [next((one for one in (here, *here.parents) if _is_repository(one)), here)]

    def find(self, place: Path) -> Sequence[Path]:
        """Return the place, when it is a repository, or those a few levels below it."""
        if place.name == ".git":
            return [place.parent]
        return sorted(_repositories(place, _LEVELS))

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read the commits that HEAD holds and that were not read yet."""
        git = Git(log)
        now = git.history()
        if now is None:
            findings.notes.append("it has no commits yet.")
            return position
        before = History.known(position)
        if now == before:
            return position
        revisions = [now.head]
        if before is not None and before.boundary == now.boundary:
            if git.holds(now.head, before.head):
                revisions.append(f"^{before.head}")
            else:
                findings.notes.append(
                    "HEAD no longer holds the commits read before (another branch, or history was "
                    "rewritten), so all of it was read; the earlier commits stay in the book."
                )
        if now.boundary:
            findings.notes.append(
                f"it is a shallow clone: what its oldest commits ({len(now.boundary):,}) changed "
                "is not known. Run `git fetch --unshallow` in it and load it again."
            )
        changes = _Changes(git, now, reading, findings)
        with closing(_outputs(git, revisions)) as outputs:
            for output in outputs:
                for commit in read_commits(output, changes.tell):
                    changes.add(commit)
        findings.lines += changes.commits
        return Position(
            position.bytes_read + changes.bytes,
            position.lines_read + changes.commits,
            state=now.state(),
        )


IMPORTER = GitImporter()


def _outputs(git: Git, revisions: Sequence[str]) -> Generator[BinaryIO, None, None]:
    """Yield what `git log` tells; of a long history, its older half is read by a second process."""
    command = ("log", *ARGUMENTS)
    half = int(git.lines("rev-list", "--count", "--no-merges", *revisions, "--")[0]) // 2
    if half < _LONG or (os.cpu_count() or 1) == 1:
        with git.output(*command, *revisions, "--") as output:
            yield output
        return
    with git.beside(*command, f"--skip={half}", *revisions, "--") as older:
        with git.output(*command, f"--max-count={half}", *revisions, "--") as output:
            yield output
        yield older()


class _Changes:
    """Adds what commits changed to the findings."""

    def __init__(self, git: Git, history: History, reading: Reading, findings: Findings) -> None:
        self.commits = 0
        self.bytes = 0
        self._boundary = frozenset(history.boundary)
        self._repository = git.repository()
        self._cwd = str(git.path)
        self._reading = reading
        self._findings = findings

    def tell(self, size: int) -> None:
        """Count what was read of git's output."""
        self.bytes += size
        self._reading.tell(size)

    def add(self, commit: Commit) -> None:
        """Add a change for each file of a commit."""
        self.commits += 1
        if commit.commit_id in self._boundary:
            return
        seconds = commit.authored_at
        if seconds is None or not _YEARS[0] <= seconds <= _YEARS[1]:
            shown = f"commit {commit.commit_id}"
            reason = "It has no date that can be read."
            self._findings.broken.append(Broken(self.commits, reason, shown))
            return
        changed_at = seconds * 1_000_000
        if self._reading.since is not None and changed_at < self._reading.since:
            return
        who = worker(commit.author, commit.co_authors)
        place = Place(who, self._cwd, repository=self._repository)
        node_id, project_id = self._reading.assignments.of(place)
        for number, file in enumerate(commit.files, 1):
            self._findings.add(
                Change(
                    key=f"{commit.commit_id}:{file.key}",
                    line=number,
                    node_id=node_id,
                    project_id=project_id,
                    file_path=file.path,
                    change_type=file.change_type,
                    old_path=file.old_path,
                    lines_added=file.lines_added,
                    lines_deleted=file.lines_deleted,
                    origin="commit",
                    file_class=file.file_class,
                    commit_id=commit.commit_id,
                    author=commit.author,
                    co_authors=commit.co_authors or None,
                    changed_at=changed_at,
                )
            )


def _is_repository(path: Path) -> bool:
    bare = (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()
    return bare or (path / ".git").exists()


def _repositories(place: Path, levels: int) -> Iterator[Path]:
    """Yield the repositories at a place, not those within another or in hidden folders."""
    if _is_repository(place):
        yield place
    elif levels and place.is_dir():
        for folder in _folders(place):
            yield from _repositories(folder, levels - 1)


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.startswith(".")
                and entry.name != "node_modules"
            ]
    except OSError:
        return []
