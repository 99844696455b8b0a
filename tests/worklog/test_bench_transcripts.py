"""Made-up transcripts for benchmarks: the same for a seed, and read as real ones are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench import transcripts
from tests.worklog.merging import Book, read

from pnlbook.worklog.claude_code import IMPORTER
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 1_500_000


def test_the_same_seed_makes_the_same_transcripts(tmp_path: Path) -> None:
    made = [
        transcripts.write(tmp_path / str(n), SIZE, seed=7, session_bytes=SIZE // 2) for n in (1, 2)
    ]
    one, two = ([path.read_bytes() for path in paths] for paths in made)
    assert one == two
    assert len(one) > 1
    assert SIZE <= sum(map(len, one)) < 2 * SIZE
    other = transcripts.write(tmp_path / "3", SIZE, seed=8, session_bytes=SIZE // 2)
    assert other[0].read_bytes() != one[0]


def test_made_up_transcripts_hold_what_is_counted(tmp_path: Path) -> None:
    paths = transcripts.write(tmp_path, SIZE, seed=7)
    found = Book().load(*(one for path in paths for one in read(IMPORTER, path.read_bytes())))
    lines = [json.loads(text) for path in paths for text in path.read_text("utf-8").splitlines()]
    answers = [line["message"] for line in lines if line["type"] == "assistant"]
    output: dict[str, int] = {}
    for message in answers:
        known = output.get(message["id"], 0)
        output[message["id"]] = max(known, message["usage"]["output_tokens"])
    messages = found.of(Message)
    assert {key: messages[key].output_tokens for key in output} == output
    calls = [one for message in answers for one in message["content"] if one["type"] == "tool_use"]
    assert set(found.of(Tool)) == {call["id"] for call in calls}
    assert len(answers) > 1.2 * len(output)
    for kind in (Session, Task, Change, Error):
        assert found.of(kind)
