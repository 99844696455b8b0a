"""Small rollouts, counted a second time by a plain reading of their JSON, and equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.worklog.merging import Book, read

from pnlbook.worklog.codex import IMPORTER
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

SAMPLES = Path(__file__).parents[1] / "data" / "worklog" / "codex"
NAMES = sorted(path.name for path in SAMPLES.glob("*.jsonl"))


@pytest.mark.parametrize("names", [*([name] for name in NAMES), NAMES], ids="+".join)
def test_rollouts_are_those_of_a_plain_reading(names: list[str]) -> None:
    payloads: list[tuple[str, dict[str, Any]]] = []
    for name in names:
        lines = [json.loads(text) for text in (SAMPLES / name).read_text().splitlines()]
        payloads += [(lines[0]["payload"]["id"], line["payload"]) for line in lines]
    logs = [one for name in names for one in read(IMPORTER, (SAMPLES / name).read_bytes())]
    found = Book().load(*logs)
    roles = [(session, one["role"]) for session, one in payloads if "role" in one]
    calls = [(s, one["name"]) for s, one in payloads if one.get("type") == "function_call"]

    assert set(found.of(Session)) == {session for session, _ in payloads}
    assert [row.session_id for row in found.of(Task).values()] == [
        s for s, role in roles if role == "user"
    ]
    prompts = [row for row in found.of(Message).values() if row.role == "user"]
    assert sum(row.content_chars or 0 for row in prompts) == sum(
        len(block["text"])
        for _, one in payloads
        for block in one.get("content", ())
        if one["role"] == "user"
    )
    tools = [(row.session_id, row.tool_name) for row in found.of(Tool).values()]
    assert sorted(map(str, tools)) == sorted(str(one) for one in calls if one[1] != "write_stdin")
    assert {row.success_count for row in found.of(Tool).values()} <= {None}
    assert not found.of(Error)
    assert not found.of(Change)
