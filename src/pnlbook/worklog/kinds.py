"""The kinds of logs that can be loaded, by the names that they have on the command line."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pnlbook.worklog.importer import Importer

# Each module has its importer as IMPORTER; it is imported only when it is asked for.
_MODULES = {
    "claude-code": "claude_code",
    "codex": "codex",
    "git": "git",
    "otlp": "otlp",
    "aider": "aider",
    "spool": "spool_importer",
}
NAMES = tuple(_MODULES)


def split(source: str) -> tuple[str, Path | None] | None:
    """Return kind and place of a source such as `git:PATH` or `claude-code`; None for a file.

    What it means does not depend on what lies in the folder: a file of such a name is `./git`.
    """
    name, _, place = source.partition(":")
    if name not in _MODULES:
        return None
    return name, Path(place).expanduser() if place else None


def importer(name: str) -> Importer:
    """Return the importer of a kind of log."""
    found: Importer = import_module(f"pnlbook.worklog.{_MODULES[name]}").IMPORTER
    return found
