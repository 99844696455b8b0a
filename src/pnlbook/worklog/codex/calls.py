"""What calls of tools are about, and the changes of files that they ask for."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

import msgspec

from pnlbook.worklog import patches, subjects
from pnlbook.worklog.codex.lines import ARGUMENTS, CHANGED, Arguments, Changed
from pnlbook.worklog.decoding import text_of
from pnlbook.worklog.patches import Edit, Lines

if TYPE_CHECKING:
    from pnlbook.worklog.codex.lines import Payload

_BEGIN = "*** Begin Patch"
_SHELLS = frozenset({"bash", "sh", "zsh", "powershell", "pwsh", "cmd"})


def arguments(payload: Payload) -> Arguments:
    """Return what a call was made with, which may be an object or a text that holds one."""
    if payload.action is not None:
        return Arguments(command=payload.action.command)
    text = text_of(payload.arguments)
    if text.lstrip().startswith("{"):
        return ARGUMENTS.part(text.encode("utf-8", "replace"))
    if text:
        return Arguments(input=text)
    if payload.arguments:
        return ARGUMENTS.part(payload.arguments)
    return Arguments(input=text_of(payload.input) or None)


def command(asked: Arguments) -> str | None:
    """Return the command line that a call runs, without the shell that it is given to."""
    told = asked.cmd if asked.command is None else asked.command
    if not isinstance(told, list):
        return told
    if posixpath.basename("".join(told[:1])) in _SHELLS and "".join(told[1:2]).startswith("-"):
        told = told[2:]
    return " ".join(told) or None


def about(tool: str, asked: Arguments, edits: list[Edit]) -> str | None:
    """Return the file or command that a call is about."""
    if edits:
        return edits[0].path
    line = command(asked)
    if line is not None:
        return subjects.subject(line)
    if tool in {"exec", "code_mode"}:
        return None  # its input is a program
    return asked.file_path or asked.path


def edits(asked: Arguments, cwd: str | None) -> list[Edit]:
    """Return the changes of files that a call asks for, with the paths as seen from `cwd`."""
    text = asked.input or asked.patch or command(asked) or ""
    if _BEGIN not in text:
        return []
    return [
        Edit(at(one.path, cwd), one.kind, one.lines, one.old_path and at(one.old_path, cwd))
        for one in patches.of_envelope(text[text.index(_BEGIN) :])
    ]


def applied(changes: msgspec.Raw) -> list[Edit]:
    """Return the changes that the end of a patch reports."""
    try:
        told: Any = msgspec.json.decode(changes, type=dict[str, msgspec.Raw]) if changes else {}
    except (ValueError, RecursionError):
        return []
    return [_applied(path, CHANGED.part(raw)) for path, raw in told.items() if path]


def at(path: str, cwd: str | None) -> str:
    """Return a path as seen from a folder."""
    return posixpath.normpath(posixpath.join(cwd, path)) if cwd and path[1:2] != ":" else path


def _applied(path: str, change: Changed) -> Edit:
    if change.add is not None or change.type == "add":
        text = change.add.content if change.add is not None else change.content
        return Edit(path, "created", Lines(None if text is None else patches.count(text), 0))
    if change.delete is not None or change.type == "delete":
        text = change.delete.content if change.delete is not None else change.content
        return Edit(path, "deleted", Lines(0, None if text is None else patches.count(text)))
    diff = change.update.unified_diff if change.update is not None else change.unified_diff
    moved = change.update.move_path if change.update is not None else change.move_path
    lines = patches.UNKNOWN if diff is None else patches.of_unified(diff)
    return Edit(moved, "renamed", lines, path) if moved else Edit(path, "modified", lines)
