"""Which node did a piece of work, and for which project."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pnlbook.config import WorkAssignment


@dataclass(frozen=True)
class Place:
    """Where work was done: agent is the program (claude-code), repository its name or address."""

    agent: str
    cwd: str | None = None
    branch: str | None = None
    repository: str | None = None


class Assignments:
    """The rules of `[[work]]` in pnlbook.toml; for each of node and project the first fit holds.

    By default the node is the agent, and the project the repository or else the folder's name.
    """

    def __init__(self, rules: tuple[WorkAssignment, ...] = ()) -> None:
        self.rules = rules
        self._of = lru_cache(maxsize=4096)(self._decide)

    def of(self, place: Place) -> tuple[str | None, str | None]:
        """Return node_id and project_id of work at a place."""
        return self._of(place)

    def is_subscription(self, place: Place) -> bool:
        """Whether a rule says that models are paid by subscription there."""
        return any(rule.subscription for rule in self.rules if fits(rule, place))

    def _decide(self, place: Place) -> tuple[str | None, str | None]:
        fitting = [rule for rule in self.rules if fits(rule, place)]
        node = next((rule.node_id for rule in fitting if rule.node_id), place.agent)
        project = next((rule.project_id for rule in fitting if rule.project_id), None)
        return node, project or name_of(place.repository) or name_of(place.cwd)


def fits(rule: WorkAssignment, place: Place) -> bool:
    """Whether every pattern that a rule has matches (shell wildcards, case as written)."""
    pairs = [(getattr(rule, name), getattr(place, name)) for name in _PATTERNS]
    return all(
        value is not None and fnmatchcase(value, wanted) for wanted, value in pairs if wanted
    )


_PATTERNS = ("agent", "cwd", "branch", "repository")


def name_of(path: str | None) -> str | None:
    """Return the last part of a path or address, without `.git`."""
    if not path:
        return None
    kind = PureWindowsPath if "\\" in path else PurePosixPath
    return kind(path).name.removesuffix(".git") or None
