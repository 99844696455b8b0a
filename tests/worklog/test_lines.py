"""Growing logs: whole lines only, each once, wherever the file was cut."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnlbook.load import FileRejected
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.lines import NotARecord, continues, read_lines


class Parser:
    """Keeps what it is given; refuses what is no JSON."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bytes]] = []

    def line(self, number: int, data: bytes) -> None:
        try:
            json.loads(data)
        except ValueError as error:
            message = f"not JSON: {error}"
            raise NotARecord(message) from error
        self.seen.append((number, data))

    def finish(self) -> None:
        self.seen.append((0, b"end"))

    def state(self) -> str:
        return json.dumps(len(self.seen))


def read(log: Path, position: Position = Position()) -> tuple[Position, Parser, Findings]:  # noqa: B008 - frozen
    parser, findings = Parser(), Findings()
    return read_lines(log, position, Reading(Assignments()), findings, parser), parser, findings


LINE = st.sampled_from(
    [b'{"a": 1}\n', b"\n", b"\r\n", b'{"b": "\xc3\xa9"}\r\n', b"{torn\n", b'{"\xff": 1}\n']
)


@given(st.lists(LINE, max_size=12), st.lists(st.integers(0, 200), max_size=4))
def test_every_line_is_read_once_wherever_the_file_was_cut(
    lines: list[bytes], cuts: list[int]
) -> None:
    whole = b"".join(lines)
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        position, seen, broken = Position(), list[tuple[int, bytes]](), list[int]()
        for cut in [*sorted(min(cut, len(whole)) for cut in cuts), len(whole)]:
            log.write_bytes(whole[:cut])
            assert continues(log, position)
            position, parser, findings = read(log, position)
            seen += [one for one in parser.seen if one[0]]
            broken += [one.line for one in findings.broken]
    plain = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    bad = [number for number, line in plain if line in {b"{torn", b'{"\xff": 1}'}]
    assert seen == [(number, line) for number, line in plain if number not in bad]
    assert broken == bad
    assert position.bytes_read == len(whole)


def test_spaces_around_a_line_are_its_own(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'\0\0  {"a": 1}  \r\n')
    _, parser, _ = read(log)
    assert parser.seen[0] == (1, b'  {"a": 1}  ')


def test_a_last_line_without_its_end_waits_unless_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"a": 1}\n{"b": ')
    position, parser, findings = read(log)
    assert (position.bytes_read, position.lines_read, findings.left) == (9, 1, 6)
    log.write_bytes(b'{"a": 1}\n{"b": 2}')
    position, parser, findings = read(log, position)
    assert (position.bytes_read, position.lines_read, findings.left) == (17, 2, 0)
    assert parser.seen[0] == (2, b'{"b": 2}')
    log.write_bytes(b'{"a": 1}\n{"b": 2}\n{"c": 3}\n')
    position, parser, findings = read(log, position)
    assert [data for _, data in parser.seen] == [b'{"c": 3}', b"end"]


def test_another_file_of_the_same_name_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"a": 1}\n' * 1000)
    position, _, _ = read(log)
    assert continues(log, position)
    log.write_bytes(b'{"a": 1}\n' * 999)
    assert not continues(log, position)
    log.write_bytes(b'{"a": 2}\n' * 1001)
    assert not continues(log, position)
    log.unlink()
    assert not continues(log, position)


def test_a_long_line_is_read_whole_and_a_broken_one_kept_short(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    text = json.dumps({"a": "x" * 50_000_000}).encode()
    log.write_bytes(text + b"\n" + text[:-1] + b"\n")
    _, parser, findings = read(log)
    assert [len(data) for number, data in parser.seen if number] == [len(text)]
    assert [(one.line, len(one.raw)) for one in findings.broken] == [(2, 10_000)]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRejected, match=r"No such file"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(FileRejected, match=r"Is a directory"):
        read(tmp_path)
