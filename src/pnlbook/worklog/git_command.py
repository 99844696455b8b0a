"""Running git in a repository so that nothing of the repository is run, changed or fetched.

The configuration of a repository can name programs; none of the commands used here, as they are
called, runs one.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from pnlbook.load import FileRejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pnlbook.worklog.importer import Position

_ENVIRONMENT = frozenset(
    ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
)


@dataclass(frozen=True)
class History:
    """What HEAD holds: a commit and its ancestors, back to where a shallow clone was cut."""

    head: str
    boundary: tuple[str, ...]

    @classmethod
    def known(cls, position: Position) -> History | None:
        """Return what was read before."""
        if position.state is None:
            return None
        state = json.loads(position.state)
        return cls(state["head"], tuple(state["boundary"]))

    def state(self) -> str:
        """Return it as JSON."""
        return json.dumps({"head": self.head, "boundary": self.boundary}, separators=(",", ":"))


class Git:
    """Runs git in one repository so that nothing of the repository is run or changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GIT_") or name in _ENVIRONMENT
        }
        self._environment = kept | {
            "GIT_ALLOW_PROTOCOL": "",  # a partial clone would fetch what it lacks
            "GIT_CEILING_DIRECTORIES": str(path.parent),  # a broken repository is not its parent
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }

    def history(self) -> History | None:
        """Return what HEAD holds; None before the first commit."""
        shallow, folder = self.lines("rev-parse", "--is-shallow-repository", "--git-common-dir")
        found = self._run("rev-parse", "--quiet", "--verify", "HEAD")
        if found.returncode:
            return None
        boundary: tuple[str, ...] = ()
        if shallow == "true":
            boundary = tuple(sorted((self.path / folder / "shallow").read_text().split()))
        return History(found.stdout.decode().strip(), boundary)

    def holds(self, head: str, commit: str) -> bool:
        """Whether a commit is still there and among the ancestors of HEAD."""
        return not self._run("merge-base", "--is-ancestor", commit, head).returncode

    def repository(self) -> str:
        """Return the address that the repository was cloned from, else its folder."""
        found = self._run("config", "--get", "remote.origin.url")
        return found.stdout.decode(errors="replace").strip() or str(self.path)

    def lines(self, *arguments: str) -> list[str]:
        """Return what a command prints. Raises FileRejected when it fails."""
        found = self._run(*arguments)
        if found.returncode:
            raise self._rejected(found.stderr)
        return found.stdout.decode(errors="replace").splitlines()

    @contextmanager
    def output(self, *arguments: str) -> Iterator[BinaryIO]:
        """Give the output of a command while it runs. Raises FileRejected when it fails."""
        with tempfile.TemporaryFile() as errors:
            process = self._start(arguments, subprocess.PIPE, errors)
            stream = cast("BinaryIO", process.stdout)
            try:
                yield stream
            except BaseException:
                process.kill()
                raise
            finally:
                stream.close()
                process.wait()
            self._expect_success(process, errors)

    @contextmanager
    def beside(self, *arguments: str) -> Iterator[Callable[[], BinaryIO]]:
        """Run a command while something else is done; what is given waits for its output.

        That raises FileRejected when the command fails.
        """
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = self._start(arguments, output, errors)

            def wait() -> BinaryIO:
                process.wait()
                self._expect_success(process, errors)
                output.seek(0)
                return cast("BinaryIO", output)

            try:
                yield wait
            finally:
                process.kill()
                process.wait()

    def _start(
        self, arguments: Sequence[str], output: int | IO[bytes], errors: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            self._command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=self._environment,
            pipesize=1 << 20,
        )

    def _expect_success(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        if process.returncode:
            errors.seek(0)
            raise self._rejected(errors.read())

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603
                self._command(arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                env=self._environment,
            )
        except FileNotFoundError:
            problem = "git is not installed, or not on the PATH; repositories are read with it."
            raise FileRejected(str(self.path), problem) from None

    def _command(self, arguments: Sequence[str]) -> list[str]:
        settings = ("core.fsmonitor=false", "core.pager=cat", "log.showRoot=true")
        pairs = [part for setting in settings for part in ("-c", setting)]
        return ["git", "--no-pager", "-C", str(self.path), *pairs, *arguments]

    def _rejected(self, errors: bytes) -> FileRejected:
        text = errors.decode(errors="replace")
        if "dubious ownership" in text:
            problem = (
                "it belongs to another user, so git does not trust it. Load it as its owner, or "
                f"run `git config --global --add safe.directory {self.path}`."
            )
        elif "promisor" in text:
            problem = "it is a partial clone without what its commits hold. Load a whole clone."
        else:
            line = next(iter(text.strip().splitlines()), "no reason was given")
            problem = (
                f"git cannot read it ({line.removeprefix('fatal: ').removeprefix('error: ')})."
            )
        return FileRejected(str(self.path), problem)
