"""Chat histories of aider: `.aider.chat.history.md`.

Only the beginning of a session has a time, in the local time of the machine that wrote it: it is
read in this machine's zone, and all that the session holds has that time. So how long a session
took is not known. What stands before the first session has no date: answers are set aside, other
lines counted. Counts of tokens above 999 may have been rounded by aider; the cost of an answer is
aider's own estimate. Answers without a line of tokens are not told apart from other text.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pnlbook.worklog.aider.parser import Parser
from pnlbook.worklog.assignment import Place
from pnlbook.worklog.lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pnlbook.worklog.importer import Findings, Position, Reading

FILE_NAME = ".aider.chat.history.md"


class AiderImporter:
    """Reads chat histories."""

    name = "aider"

    def places(self) -> Sequence[Path]:
        """Return the current folder: histories lie in the folders worked in."""
        return [Path.cwd()]

    def find(self, place: Path) -> Sequence[Path]:
        """Return the file, or the histories within a folder."""
        return [place] if place.is_file() else sorted(_histories(place))

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read what was added to a history."""
        parser = Parser(Place(self.name, str(log.parent)), position.state, reading, findings)
        end = read_lines(log, position, reading, findings, parser)
        if position.lines_read == 0 and end.lines_read:
            zone = datetime.now().astimezone().tzname()
            findings.notes.append(
                f"aider writes local times without their zone; they were read as {zone}, this "
                "machine's. Set TZ where the history is from elsewhere."
            )
        return end


IMPORTER = AiderImporter()


def _histories(place: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(place):
        folders[:] = [name for name in folders if not name.startswith(".") and name != _MODULES]
        if FILE_NAME in files:
            yield Path(folder) / FILE_NAME


_MODULES = "node_modules"
