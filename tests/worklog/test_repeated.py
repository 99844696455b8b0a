"""Telemetry and transcripts of the same work in one book: each request, tool and prompt once."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
from tests.load.books import new_book, rows
from tests.worklog.repositories import Repository, shown
from tests.worklog.telemetry import START, call, event, logs, span, spans

from pnlbook.worklog.loading import load_work
from pnlbook.worklog.result import WorkOptions

if TYPE_CHECKING:
    from pathlib import Path

SESSION = "5f0c7a52-0000-4000-8000-000000000001"
CLAUDE = {"service.name": "claude-code"}
USAGE = {"input_tokens": 7, "output_tokens": 250, "cache_read_input_tokens": 9000}


def transcript() -> str:
    """Return a transcript of a prompt, a request that calls a tool, and the tool's result."""
    common = {"sessionId": SESSION, "cwd": "/srv/shop", "version": "2.0", "isSidechain": False}
    tool = {"type": "tool_use", "id": "toolu_01", "name": "Bash", "input": {"command": "npm test"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_01", "content": "no", "is_error": True}
    answer = {"id": "msg_01", "role": "assistant", "model": "claude-sonnet-4-5", "usage": USAGE}
    lines: list[dict[str, Any]] = [
        {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "test it"}},
        {
            "type": "assistant",
            "uuid": "u2",
            "parentUuid": "u1",
            "requestId": "req_01",
            "message": answer | {"content": [tool], "stop_reason": "tool_use"},
        },
        {
            "type": "user",
            "uuid": "u3",
            "parentUuid": "u2",
            "message": {"role": "user", "content": [result]},
        },
    ]
    return "".join(
        json.dumps(common | line | {"timestamp": f"2025-10-09T08:53:2{at}.000Z"}) + "\n"
        for at, line in enumerate(lines)
    )


def telemetry() -> str:
    """Return what the same session tells, and a second request that the transcript lacks."""
    common = {"session.id": SESSION}
    request = {
        "model": "claude-sonnet-4-5",
        "input_tokens": "7",
        "output_tokens": "250",
        "cache_read_tokens": "9000",
        "cost_usd": "0.0125",
    }
    tool = {"tool_name": "Bash", "tool_use_id": "toolu_01", "success": "false", "duration_ms": 5}
    late = {"request_id": "req_02", "output_tokens": "3"}
    return logs(
        event("user_prompt", common | {"prompt.id": "p1", "prompt_length": 7}),
        event("api_request", common | request | {"request_id": "req_01"}, 1000),
        event("tool_result", common | tool, 2000),
        event("api_request", common | request | late, 3000),
        **CLAUDE,
    )


def load(book: Path, *sources: str) -> None:
    load_work(book, sources, WorkOptions())


@pytest.mark.parametrize("order", list(permutations(("claude-code", "otlp"))))
def test_each_counts_once_whichever_was_loaded_first(
    order: tuple[str, str], tmp_path: Path
) -> None:
    places = {"claude-code": tmp_path / "a.jsonl", "otlp": tmp_path / "b.jsonl"}
    places["claude-code"].write_text(transcript())
    places["otlp"].write_text(telemetry() + "\n")
    book = new_book(tmp_path)
    for name in order:
        load(book, f"{name}:{places[name]}")
    messages = rows(
        book, "SELECT role, request_id, output_tokens FROM counted_rows('communication_log')"
    )
    assert messages.count(("assistant", "req_01", 250)) == 1
    assert messages.count(("assistant", "req_02", 3)) == 1
    assert [role for role, *_ in messages].count("user") == 1
    assert len(messages) == 3
    for table in ("tool_usage", "error_log"):
        assert rows(book, f"SELECT source FROM counted_rows('{table}')") == [("claude-code",)]
    assert rows(book, "SELECT count(*) FROM model_rows()") == [(2,)]
    assert rows(book, "SELECT invocations FROM tool_success()") == [(1,)]
    sessions = rows(book, "SELECT session_id, node_id, project_id FROM work_sessions")
    assert sessions == [(SESSION, "claude-code", "shop")]


def test_telemetry_alone_counts_whole(tmp_path: Path) -> None:
    place = tmp_path / "b.jsonl"
    place.write_text(telemetry() + "\n" + telemetry() + "\n")
    book = new_book(tmp_path)
    load(book, f"otlp:{place}")
    ((messages, cost),) = rows(
        book, "SELECT count(*), sum(cost_usd) FROM counted_rows('communication_log')"
    )
    assert (messages, cost) == (3, Decimal("0.025"))
    assert len(rows(book, "SELECT source FROM counted_rows('tool_usage')")) == 1


def test_a_span_that_repeats_its_calls_counts_for_none(tmp_path: Path) -> None:
    whole = span(1, {"gen_ai.usage.output_tokens": 50})
    parts = [call(2, 20, parent=1), call(3, 30, parent=1)]
    book = new_book(tmp_path)
    for number, line in enumerate((spans(whole), spans(*parts))):
        place = tmp_path / f"{number}.jsonl"
        place.write_text(line + "\n")
        load(book, f"otlp:{place}")
        assert rows(book, "SELECT sum(output_tokens) FROM counted_rows('communication_log')") == [
            (50,)
        ]
    assert rows(book, "SELECT epoch_us(min(sent_at)) FROM counted_rows('communication_log')") == [
        (START // 1000 + 2_000_000,)
    ]


def test_commits_are_in_the_book_once(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "shop")
    book = new_book(tmp_path)
    for number in range(3):
        repository.write(f"f{number}\udcff".encode("utf-8", "surrogateescape"), "1\n2\n")
        repository.write("package-lock.json", f"{number}\n")
        repository.commit(f"commit {number}")
        load(book, f"git:{repository.path}")
        load(book, f"git:{repository.path}")
        files = [one for found in shown(repository).values() for one in found]
        ((count, added, deleted, source),) = rows(
            book,
            "SELECT count(*), sum(lines_added), sum(lines_deleted), "
            "sum(lines_added) FILTER (file_class = 'source') FROM file_changes",
        )
        assert count == len(files)
        assert (added, deleted) == (sum(one.added or 0 for one in files), number)
        assert source == 2 * (number + 1)
    origins = rows(book, "SELECT DISTINCT origin, node_id, project_id, source FROM file_changes")
    assert origins == [("commit", "ada@example.org", "shop", "git")]


def test_a_history_of_aider_is_in_the_book_once(tmp_path: Path) -> None:
    history = tmp_path / ".aider.chat.history.md"
    line = "> Tokens: 1 sent, 1 received. Cost: $0.25 message, $0.25 session.  \n"
    book = new_book(tmp_path)
    history.write_text(f"# aider chat started at 2025-03-04 05:06:07\n#### hi  \n\n{line}")
    load(book, f"aider:{tmp_path}")
    with history.open("a") as file:
        file.write(f"#### more  \n\n{line}")
    load(book, f"aider:{tmp_path}")
    load(book, f"aider:{tmp_path}")
    assert rows(
        book, "SELECT count(*), sum(cost_usd), any_value(cost_basis) FROM communication_log"
    ) == [(4, Decimal("0.50"), "estimate")]
