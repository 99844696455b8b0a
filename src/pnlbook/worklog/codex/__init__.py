"""Codex's rollouts: one JSON line for each item that the model was told or answered, and event.

Little in them has an id. What has none is keyed by what it is and by the first session that its
history goes back to, so what a fork repeats of its parent is the same record. A response is what
the model wrote up to the next result of a tool or message of a person; its usage is what the
counters of the session gained. Sessions and turns end as in Claude Code's transcripts.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pnlbook.worklog.codex.parser import Parser
from pnlbook.worklog.codex.state import AGENT, State
from pnlbook.worklog.lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pnlbook.worklog.importer import Findings, Importer, Position, Reading

_NAMED = re.compile(r"rollout-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-(.+)")


class Codex:
    """The importer."""

    name = AGENT

    def places(self) -> Sequence[Path]:
        """Return the folders of sessions, archived ones too, in $CODEX_HOME or ~/.codex."""
        named = os.environ.get("CODEX_HOME")
        home = Path(named).expanduser() if named else Path.home() / ".codex"
        return [home / "sessions", home / "archived_sessions"]

    def find(self, place: Path) -> Sequence[Path]:
        """Return the rollouts in a folder."""
        if place.is_file():
            return [place]
        return sorted(path for path in place.rglob("*.jsonl") if path.is_file())

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read a rollout from `position` on."""
        if position.state is None:
            found = _NAMED.fullmatch(log.stem)
            name = found.group(1) if found else log.stem
            state = State(session=name, root=name)
        else:
            state = msgspec.json.decode(position.state, type=State)
        return read_lines(log, position, reading, findings, Parser(state, reading, findings))


IMPORTER: Final[Importer] = Codex()
