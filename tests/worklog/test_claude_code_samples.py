"""Real transcripts, counted a second time by a plain reading of their JSON, and equal."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.worklog.merging import Book, read

from pnlbook.worklog.claude_code import IMPORTER
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parents[1] / "data" / "worklog" / "claude-code"
NAMES = sorted(path.name for path in SAMPLES.glob("*.jsonl"))


def plain(*names: str) -> list[dict[str, Any]]:
    """Return the lines of samples that are objects."""
    found = []
    for name in names:
        for text in (SAMPLES / name).read_text(encoding="utf-8").splitlines():
            value = json.loads(text)
            if isinstance(value, dict):
                found.append(value)
    return found


def imported(*names: str) -> Book:
    logs = [one for name in names for one in read(IMPORTER, (SAMPLES / name).read_bytes())]
    return Book().load(*logs)


def blocks(
    lines: list[dict[str, Any]], kind: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for line in lines:
        message = line.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        for block in content if isinstance(content, list) else ():
            if isinstance(block, dict) and block.get("type") == kind:
                yield line, block


def largest(lines: list[dict[str, Any]], *path: str) -> dict[str, int]:
    """Return the largest value of a counter by message."""
    found: dict[str, int] = defaultdict(int)
    for line in lines:
        if line.get("type") == "assistant":
            value = line["message"].get("usage", {})
            for name in path:
                value = value.get(name, {})
            if isinstance(value, int):
                key = line["message"]["id"]
                found[key] = max(found[key], value)
    return found


def said(line: dict[str, Any]) -> str | None:
    """Return what a person said on a line, by eye: the samples' other texts begin with these."""
    message = line.get("message")
    if line.get("type") != "user" or line.get("isMeta") or not isinstance(message, dict):
        return None
    content = message.get("content")
    texts = [content] if isinstance(content, str) else []
    if isinstance(content, list):
        texts = [one["text"] for one in content if isinstance(one, dict) and one["type"] == "text"]
    people = [one for one in texts if not one.startswith(("<", "[Request interrupted", "Caveat: "))]
    return "\n".join(people) if people else None


def prompt(line: dict[str, Any]) -> str:
    """Return the key of a prompt; some samples number prompts and answers alike, in two files."""
    uuid: str = line["uuid"]
    return f"user:{uuid}" if uuid.startswith("msg_") else uuid


@pytest.mark.parametrize("names", [*([name] for name in NAMES), NAMES], ids="+".join)
def test_messages_and_usage_are_those_of_a_plain_reading(names: list[str]) -> None:
    lines, told = plain(*names), imported(*names).of(Message)
    output = largest(lines, "output_tokens")
    prompts = {prompt(line): one for line in lines if (one := said(line)) is not None}
    assert set(told) == set(output) | set(prompts)
    written = largest(lines, "cache_creation", "ephemeral_1h_input_tokens")
    for column, counted in (
        ("output_tokens", output),
        ("input_tokens", largest(lines, "input_tokens")),
        ("cache_read_tokens", largest(lines, "cache_read_input_tokens")),
        ("cache_write_1h_tokens", written),
    ):
        found = {key: getattr(row, column) for key, row in told.items()}
        assert {key: value for key, value in found.items() if value is not None} == counted
    assert {key: told[key].content_chars for key in prompts} == {
        key: len(text) for key, text in prompts.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_text_of_all_lines_of_a_message_is_counted(name: str) -> None:
    chars: dict[str, int] = defaultdict(int)
    for line, block in blocks(plain(name), "text"):
        if line["type"] == "assistant":
            chars[line["message"]["id"]] += len(block["text"])
    told = imported(name).of(Message)
    assert {key: told[key].content_chars for key in chars} == chars


@pytest.mark.parametrize("names", [*([name] for name in NAMES), NAMES], ids="+".join)
def test_tools_and_errors_are_those_of_a_plain_reading(names: list[str]) -> None:
    lines, told = plain(*names), imported(*names)
    calls = {block["id"]: (line, block) for line, block in blocks(lines, "tool_use")}
    results = {block["tool_use_id"]: block for _, block in blocks(lines, "tool_result")}
    tools = told.of(Tool)
    assert {key: row.tool_name for key, row in tools.items()} == {
        key: block["name"] for key, (_, block) in calls.items()
    }
    assert {key: row.success_count for key, row in tools.items()} == {
        key: None if key not in results else int(not results[key].get("is_error")) for key in calls
    }
    failed = {key for key, block in results.items() if block.get("is_error")}
    assert set(told.of(Error)) == failed


@pytest.mark.parametrize("names", [*([name] for name in NAMES), NAMES], ids="+".join)
def test_sessions_and_turns_are_those_of_a_plain_reading(names: list[str]) -> None:
    lines, told = plain(*names), imported(*names)
    instants: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if "sessionId" in line and "timestamp" in line and line["type"] != "queue-operation":
            instants[line["sessionId"]].append(line["timestamp"])
    sessions = told.of(Session)
    assert {key: (row.started_at, row.completed_at) for key, row in sessions.items()} == {
        key: (_us(min(found)), _us(max(found))) for key, found in instants.items()
    }
    assert set(told.of(Task)) == {line["uuid"] for line in lines if said(line) is not None}


def test_the_real_transcripts_by_hand() -> None:
    short, heavy = imported("real_short.jsonl"), imported("real_tool_heavy.jsonl")
    assert short.of(Message)["msg_01MKH1ccEGrZGNPvu8pYiiQa"].cache_write_1h_tokens == 13_835
    assert {row.error_class for row in short.of(Error).values()} == {"user_reject"}
    assert short.only(Task).success is False
    fetched = heavy.of(Message)["msg_019BN3FRqb7NU4DgBN5jdsym"]
    assert (fetched.output_tokens, fetched.usage_final) == (173, True)
    assert heavy.of(Message)["msg_0167kgZUrgcT7dg7uZK7hVSg"].usage_final is False
    edited = imported("representative_messages.jsonl").only(Change)
    assert (edited.change_type, edited.lines_added, edited.lines_deleted) == ("created", 14, 0)


def _us(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1_000_000)
