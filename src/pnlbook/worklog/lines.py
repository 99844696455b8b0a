"""Logs that grow by whole lines, read from where the last reading stopped.

A last line without its end is left for the next time, unless it is a whole JSON object already: its
writer may be at work, or may have died.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import msgspec

from pnlbook.load import FileRejected
from pnlbook.worklog.importer import Broken, Position

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from pnlbook.worklog.importer import Findings, Reading

_HEAD = 4096
_BUFFER = 1 << 20
_SHOWN = 10_000  # bytes of a broken line that are kept; some hold whole pictures
_BLANK = b" \t\r\n\0"  # a disk that ran full may leave zeros
_AROUND = b"\r\n\0"


class NotARecord(ValueError):
    """A line is not what its log should hold; the message says why."""


class LineParser(Protocol):
    """Turns the lines of one log into records, which it adds to the findings it was made with."""

    def line(self, number: int, data: bytes) -> None:
        """Take a line without its end; `number` is 1-based. Raises NotARecord."""

    def finish(self) -> None:
        """Add what is still being put together, as far as it is known."""

    def state(self) -> str:
        """Return as JSON what must be known to go on where the reading stopped."""


def read_lines(
    log: Path, position: Position, reading: Reading, findings: Findings, parser: LineParser
) -> Position:
    """Give the parser every line from `position` on, and return where the next reading begins.

    Raises FileRejected when the file cannot be opened or read.
    """
    try:
        with log.open("rb", buffering=_BUFFER) as file:
            done, lines = _feed(file, position, reading, findings, parser)
            head = _digest(file, min(done, _HEAD))
    except OSError as error:
        raise FileRejected(str(log), f"it cannot be read ({error.strerror}).") from error
    parser.finish()
    return Position(done, lines, min(done, _HEAD), head, parser.state())


def continues(log: Path, position: Position) -> bool:
    """Whether a log still begins with what was read of it."""
    if position.head_bytes == 0:
        return True
    try:
        with log.open("rb") as file:
            whole = log.stat().st_size >= position.bytes_read
            return whole and _digest(file, position.head_bytes) == position.head_sha256
    except OSError:
        return False


def _feed(
    file: BinaryIO, position: Position, reading: Reading, findings: Findings, parser: LineParser
) -> tuple[int, int]:
    """Feed lines to the parser; return the bytes and lines read since the log's beginning."""
    number = position.lines_read
    told = done = position.bytes_read + _skip_end(file, position.bytes_read)
    for data in file:
        if not data.endswith(b"\n") and not _is_whole(data):
            findings.left = len(data)
            break
        number += 1
        done += len(data)
        if data.strip(_BLANK):
            _parse(parser, number, data.strip(_AROUND), findings)
        if done - told >= _BUFFER:
            reading.tell(done - told)
            told = done
    reading.tell(done - told)
    findings.lines += number - position.lines_read
    return done, number


def _skip_end(file: BinaryIO, done: int) -> int:
    """Go to where a reading begins, past the end of a line that was read before it had one."""
    file.seek(max(done - 1, 0))
    if done == 0 or file.read(1) == b"\n":
        return 0
    end = file.readline()
    if end.strip(_BLANK):
        file.seek(done)
        return 0
    return len(end)


def _parse(parser: LineParser, number: int, text: bytes, findings: Findings) -> None:
    try:
        parser.line(number, text)
    except NotARecord as error:
        raw = text[:_SHOWN].decode("utf-8", errors="backslashreplace")
        findings.broken.append(Broken(number, str(error), raw))


def _is_whole(data: bytes) -> bool:
    text = data.strip(_BLANK)
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return False
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _digest(file: BinaryIO, size: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(size)).hexdigest()
