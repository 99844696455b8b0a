"""What a tool's result says: which failure it is, which change of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pnlbook.worklog import failures, patches
from pnlbook.worklog.patches import UNKNOWN, Edit, Lines

if TYPE_CHECKING:
    from pnlbook.worklog.claude_code.lines import Hunk, Input, Outcome

EDITORS: Final = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})

_NULL = b"null"
_READ = 400  # characters of a message that tell its class
_EXITED = ("exit code", "error: exit code")
_REJECTED: Final = (
    "the user doesn't want to proceed with this tool use",
    "the user doesn't want to take this action",
    "user rejected",
    "request interrupted by user",
    "permission to use",
    "permission for this",
    "requested permissions to",
)


def error_class(text: str) -> str:
    """Return the class of a failed tool's message."""
    start = text[:_READ].lower()
    return next((kind for kind, says in _CLASSES if says(start)), failures.TOOL)


def _is_rejection(start: str) -> bool:
    return any(said in start for said in _REJECTED)


def _is_hook(start: str) -> bool:
    named = "tooluse:" in start and "hook" in start
    return named or ("hook" in start and ("blocking error" in start or "denied this" in start))


def _is_timeout(start: str) -> bool:
    return any(said in start for said in ("timed out", "timeout after", "timeout of"))


def _is_exit(start: str) -> bool:
    return start.startswith(_EXITED) or "failed with exit code" in start


def _is_api(start: str) -> bool:
    return start.startswith("api error")


_CLASSES = (
    (failures.USER_REJECT, _is_rejection),
    (failures.HOOK_BLOCK, _is_hook),
    (failures.TIMEOUT, _is_timeout),
    (failures.EXIT_CODE, _is_exit),
    (failures.API, _is_api),
)


def told(text: str) -> str:
    """Return what a failed command printed, without the line that gives its exit code."""
    first, _, rest = text.lstrip().partition("\n")
    if first.lower().startswith(_EXITED) and rest.strip():
        return rest
    return text


def draft(tool: str, asked: Input) -> Lines:
    """Return the lines that a call changes if it succeeds, where the call itself tells them."""
    if tool == "Write" and asked.content is not None:
        return Lines(patches.count(asked.content), None)
    if tool == "Edit" and not asked.replace_all:
        return _replaced(asked.old_string, asked.new_string)
    if tool == "MultiEdit" and asked.edits:
        lines = Lines(0, 0)
        for edit in asked.edits:
            lines += _replaced(edit.old_string, edit.new_string)
        return lines
    if tool == "NotebookEdit" and asked.new_source is not None:
        return _cell(asked)
    return UNKNOWN


def change(path: str, drafted: Lines, outcome: Outcome, said: str) -> Edit:
    """Return the change that a successful call made."""
    path = outcome.file_path or outcome.notebook_path or path
    if outcome.type == "create":
        return Edit(path, "created", Lines(patches.count(outcome.content or ""), 0))
    if outcome.notebook_before is not None and outcome.notebook_after is not None:
        return Edit(path, "modified", _cells(outcome.notebook_before, outcome.notebook_after))
    if outcome.structured_patch is not None:
        return _patched(path, drafted, outcome, outcome.structured_patch)
    if said.startswith("File created successfully"):
        return Edit(path, "created", Lines(drafted.added, 0))
    return Edit(path, "modified", drafted)


def _patched(path: str, drafted: Lines, outcome: Outcome, hunks: list[Hunk]) -> Edit:
    """Return the change of a patch, which is empty where a file was new or stays as it was."""
    is_new = bytes(outcome.original_file) == _NULL
    if not hunks and is_new:
        return Edit(path, "created", Lines(drafted.added, 0))
    lines = patches.of_patch(line for hunk in hunks for line in hunk.lines or ())
    return Edit(path, "created" if is_new else "modified", lines)


def _replaced(old: str | None, new: str | None) -> Lines:
    return UNKNOWN if old is None or new is None else patches.between(old, new)


def _cell(asked: Input) -> Lines:
    """Return the lines of a notebook's cell, of which the call has only what it becomes."""
    if asked.edit_mode == "delete":
        return Lines(0, None)
    added = patches.count(asked.new_source or "")
    return Lines(added, 0 if asked.edit_mode == "insert" else None)


def _cells(before: str, after: str) -> Lines:
    """Return the lines that differ between the sources of two notebooks' cells."""
    old, new = _sources(before), _sources(after)
    return UNKNOWN if old is None or new is None else patches.between(old, new)


def _sources(notebook: str) -> str | None:
    try:
        cells = json.loads(notebook)["cells"]
        return "\n".join(_joined(cell["source"]) for cell in cells)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _joined(source: Any) -> str:  # noqa: ANN401 - a text or its lines
    return source if isinstance(source, str) else "".join(source)
