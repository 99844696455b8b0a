"""Claude Code's transcripts: one JSON line for each block of a message, result and event.

Sessions, turns (tasks), messages, tools, changes of files and errors are keyed by the ids that the
program gave them, so copies in resumed and forked transcripts are the same records. A transcript
has no end: a session is completed once a model has answered in it, failed while only the API's
errors did, and its end is its last line. A turn is completed when the model said that it was done
or the person spoke again; it failed when it was interrupted or ended in an error of the API.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pnlbook.worklog.claude_code.parser import Parser
from pnlbook.worklog.claude_code.state import AGENT, State
from pnlbook.worklog.lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pnlbook.worklog.importer import Findings, Importer, Position, Reading


class ClaudeCode:
    """The importer."""

    name = AGENT

    def places(self) -> Sequence[Path]:
        """Return the folders of projects: $CLAUDE_CONFIG_DIR, ~/.config/claude, ~/.claude."""
        named = [one for one in os.environ.get("CLAUDE_CONFIG_DIR", "").split(",") if one.strip()]
        homes = [Path(one.strip()).expanduser() for one in named]
        homes += [Path.home() / ".config" / "claude", Path.home() / ".claude"]
        return [home / "projects" for home in homes]

    def find(self, place: Path) -> Sequence[Path]:
        """Return the transcripts in a folder, those of subagents included."""
        if place.is_file():
            return [place]
        return sorted(path for path in place.rglob("*.jsonl") if path.is_file())

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read a transcript from `position` on."""
        state = (
            State() if position.state is None else msgspec.json.decode(position.state, type=State)
        )
        return read_lines(log, position, reading, findings, Parser(state, reading, findings))


IMPORTER: Final[Importer] = ClaudeCode()
