"""How many lines a change of a file added and deleted, by whatever form it was logged in."""

from __future__ import annotations

from collections.abc import Iterable  # noqa: TC003 - read from annotations
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

_MOST_COMPARED: Final = 2000  # lines; beyond, what differs between two texts counts as replaced


@dataclass(frozen=True)
class Lines:
    """Lines added and deleted; None: not known."""

    added: int | None = None
    deleted: int | None = None

    def __add__(self, other: Lines) -> Lines:
        return Lines(_sum(self.added, other.added), _sum(self.deleted, other.deleted))


UNKNOWN: Final = Lines()


@dataclass(frozen=True)
class Edit:
    """A change of one file in a patch. kind: created, modified, deleted or renamed."""

    path: str
    kind: str
    lines: Lines
    old_path: str | None = None


def count(text: str) -> int:
    """Return the number of lines of a text, whether or not the last one has an end."""
    return text.count("\n") + (not text.endswith("\n") and text != "")


def of_patch(lines: Iterable[str]) -> Lines:
    """Return what the lines of a unified diff's hunks (`+…`, `-…`, ` …`) add and delete."""
    signs = [line[:1] for line in lines]
    return Lines(signs.count("+"), signs.count("-"))


def of_unified(diff: str) -> Lines:
    """Return what a unified diff of one file adds and deletes; its headers count nothing."""
    body = diff.partition("\n@@")[2] if not diff.startswith("@@") else diff
    return of_patch(body.splitlines())


def between(old: str, new: str) -> Lines:
    """Return the lines that make one text out of another."""
    before, after = old.splitlines(), new.splitlines()
    start = 0
    shorter = min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    before, after = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(before), len(after)) > _MOST_COMPARED:
        return Lines(len(after), len(before))
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    same = sum(block.size for block in blocks)
    return Lines(len(after) - same, len(before) - same)


_DELETE: Final = "*** Delete File: "
_MOVE: Final = "*** Move to: "
_END: Final = "*** End Patch"
_KINDS: Final = {
    "*** Add File: ": "created",
    "*** Update File: ": "modified",
    _DELETE: "deleted",
}


@dataclass
class _Section:
    """The part of a patch that is about one file."""

    header: str
    path: str
    moved: str | None = None
    body: list[str] = field(default_factory=list)

    def edit(self) -> Edit:
        """Return the change; the lines of a deleted file are not in a patch."""
        lines = Lines(0, None) if self.header == _DELETE else of_patch(self.body)
        if self.moved:
            return Edit(self.moved, "renamed", lines, self.path)
        return Edit(self.path, _KINDS[self.header], lines)


def of_envelope(text: str) -> list[Edit]:
    """Return the changes of a patch in the form that `apply_patch` takes."""
    sections: list[_Section] = []
    within = False
    for line in text.splitlines():
        header = next((one for one in _KINDS if line.startswith(one)), None)
        if header is not None:
            within = True
            sections.append(_Section(header, line.removeprefix(header).strip()))
        elif line.startswith(_END):
            within = False
        elif within and line.startswith(_MOVE):
            sections[-1].moved = line.removeprefix(_MOVE).strip()
        elif within and not line.startswith("***"):
            sections[-1].body.append(line)
    return [section.edit() for section in sections if section.path]


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
