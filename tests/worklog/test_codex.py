"""Facts about Codex's rollouts, each with a test that fails when it is not respected."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.worklog.claude import log, us
from tests.worklog.merging import Book, booked, read
from tests.worklog.rollout import (
    CWD,
    SESSION,
    answer,
    context,
    counted,
    ended,
    event,
    item,
    line,
    meta,
    output,
    patch,
    run,
    said,
    told,
)

from pnlbook.config import WorkAssignment
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.codex import IMPORTER
from pnlbook.worklog.importer import Reading
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

if TYPE_CHECKING:
    from pathlib import Path

PATCH = """*** Begin Patch
*** Add File: new.py
+one
+two
*** Update File: src/old.py
@@ def f():
 same
-gone
+come
+more
*** Update File: a.txt
*** Move to: b.txt
@@
-x
+y
*** Delete File: /abs/dead.py
*** End Patch"""


def book(*lines: Any, **how: Any) -> Book:  # noqa: ANN401 - JSON
    return booked(IMPORTER, log(*lines), **how)


def tokens(found: Book) -> list[tuple[int | None, int | None, int | None]]:
    rows = [row for row in found.of(Message).values() if row.usage_final]
    rows.sort(key=lambda row: row.sent_at or 0)
    return [(row.input_tokens, row.cache_read_tokens, row.output_tokens) for row in rows]


# usage


def test_usage_is_what_the_counters_gained() -> None:
    found = book(
        meta(),
        context(0),
        said(1, "go"),
        answer(2, "one"),
        counted(3, (100, 40, 10)),
        counted(3, (100, 40, 10)),
        said(9, "on"),
        counted(9, (100, 40, 10)),
        answer(10, "two"),
        counted(11, (300, 200, 25), (200, 160, 15)),
        counted(12, (300, 200, 25), (200, 160, 15)),
    )
    assert tokens(found) == [(60, 40, 10), (40, 160, 15)]
    assert {row.model for row in found.of(Message).values() if row.usage_final} == {"gpt-5-codex"}


def test_counters_may_be_null() -> None:
    found = book(meta(), said(1, "go"), answer(2, "x"), event("token_count", 3, info=None))
    assert tokens(found) == []
    assert len(found.of(Message)) == 2


def test_the_model_is_that_of_the_turn() -> None:
    found = book(
        meta(),
        context(0, "gpt-5"),
        said(1, "go"),
        answer(2, "x"),
        counted(3, (1, 0, 1)),
        context(4, "gpt-5-mini"),
        said(5, "on"),
        answer(6, "y"),
        counted(7, (2, 0, 2)),
    )
    models = {row.sent_at: row.model for row in found.of(Message).values() if row.usage_final}
    assert models == {us(2): "gpt-5", us(6): "gpt-5-mini"}


def test_counters_that_begin_anew_tell_of_the_last_response() -> None:
    found = book(
        meta(),
        said(1, "go"),
        answer(2, "x"),
        counted(3, (500, 0, 50)),
        answer(4, "y"),
        counted(5, (30, 10, 5), (30, 10, 5)),
    )
    assert tokens(found) == [(500, 0, 50), (20, 10, 5)]


def test_usage_without_a_response_of_its_own_is_a_message() -> None:
    found = book(
        meta(),
        said(1, "go"),
        answer(2, "x"),
        counted(3, (10, 0, 1)),
        counted(4, (30, 0, 4), (20, 0, 3)),
    )
    assert tokens(found) == [(10, 0, 1), (20, 0, 3)]


def test_a_subscription_makes_the_price_an_estimate() -> None:
    rules = (WorkAssignment(agent="codex", subscription=True),)
    found = book(
        meta(),
        said(1, "go"),
        answer(2, "x"),
        counted(3, (10, 0, 1)),
        reading=Reading(Assignments(rules)),
    )
    assert [row.cost_basis for row in found.of(Message).values()] == [None, "estimate"]


# forks


HISTORY = [
    context(0),
    event("task_started", 1, turn_id="turn-1"),
    said(1, "go"),
    run(2, "call_1", "ls"),
    counted(3, (100, 0, 10)),
    output(4, "call_1", ended(0)),
    answer(5, "done"),
    counted(6, (250, 100, 30), (150, 100, 20)),
    event("task_complete", 6, turn_id="turn-1"),
]
FORK = "0199a213-0000-7000-8000-00000000000f"


def fork(*, embedded: bool, restamped: bool) -> list[dict[str, Any]]:
    copied = [meta(), *HISTORY] if embedded else HISTORY
    if restamped:
        copied = [one | {"timestamp": meta(FORK, 100)["timestamp"]} for one in copied]
    return [
        meta(FORK, 100, forked_from_id=SESSION),
        *copied,
        event("task_started", 120, turn_id="turn-2"),
        said(120, "other"),
        answer(121, "sure"),
        counted(125, (400, 200, 35), (150, 100, 5)),
    ]


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("restamped", [False, True])
@pytest.mark.parametrize("fork_first", [False, True])
def test_what_a_fork_repeats_of_its_parent_counts_once(
    embedded: bool, restamped: bool, fork_first: bool
) -> None:
    logs = [
        *read(IMPORTER, log(meta(), *HISTORY)),
        *read(IMPORTER, log(*fork(embedded=embedded, restamped=restamped))),
    ]
    found = Book()
    for one in logs[::-1] if fork_first else logs:
        found.load(one)
    assert sorted(tokens(found), key=str) == sorted(
        [(100, 0, 10), (50, 100, 20), (50, 100, 5)], key=str
    )
    assert len(found.of(Tool)) == 1
    assert len(found.of(Message)) == 5
    assert set(found.of(Task)) == {"codex:turn-1", "codex:turn-2"}
    assert set(found.of(Session)) == {SESSION, FORK}
    tool = found.only(Tool)
    assert (tool.used_at, tool.total_duration_ms, tool.session_id) == (
        us(2),
        Decimal(2000),
        SESSION,
    )
    first = found.of(Task)["codex:turn-1"]
    assert (first.started_at, first.completed_at, first.status) == (us(1), us(6), "completed")
    for row in found.of(Message).values():
        assert (row.completed_at or 0) - (row.sent_at or 0) <= 4_000_000


def test_a_fork_that_repeats_nothing_counts_its_own_responses_only() -> None:
    found = book(
        meta(FORK, 100, forked_from_id=SESSION),
        said(101, "go"),
        answer(102, "x"),
        counted(103, (1150, 100, 60), (150, 100, 10)),
    )
    assert tokens(found) == [(50, 100, 10)]


def test_a_subagents_rollout_belongs_to_the_session_that_started_it() -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": SESSION, "depth": 1}}}
    found = book(meta(FORK, 10, source=source), said(11, "look"), answer(12, "found"))
    assert set(found.of(Session)) == {SESSION}
    assert {(row.session_id, row.agent_id) for row in found.of(Message).values()} == {
        (SESSION, FORK)
    }


# sessions, turns, messages


def test_a_session_is_where_it_began() -> None:
    git = {"branch": "main", "repository_url": "https://example.org/team/webshop.git"}
    session = book(meta(git=git), context(5, cwd="/srv/x")).only(Session)
    assert (session.cwd, session.branch, session.project_id) == (CWD, "main", "webshop")
    assert (session.agent, session.agent_version, session.key) == ("codex", "0.120.0", SESSION)
    assert (session.started_at, session.completed_at) == (us(0), us(5))


def test_a_prompt_that_stands_twice_is_one_turn() -> None:
    for lines in (
        [told(1, "go"), said(1, "go"), answer(2, "x")],
        [said(1, "go"), told(1, "go"), answer(2, "x")],
        [told(1, "go"), answer(2, "x")],
        [said(1, "go"), answer(2, "x")],
    ):
        found = book(meta(), *lines)
        assert len(found.of(Task)) == 1
        assert [row.content_chars for row in found.of(Message).values()] == [2, 1]


@pytest.mark.parametrize(
    "context_text",
    [
        "<environment_context>\n  <cwd>/x</cwd>\n</environment_context>",
        "<user_instructions>\nBe good.\n</user_instructions>",
        "# AGENTS.md instructions for /home/dev/shop",
        "<turn_aborted>\n</turn_aborted>",
    ],
)
def test_what_the_program_told_the_model_is_no_turn(context_text: str) -> None:
    found = book(meta(), told(0, context_text), told(1, "go"), answer(2, "x"))
    assert len(found.of(Task)) == 1
    assert found.only(Task).started_at == us(1)


def test_what_a_person_adds_while_a_turn_runs_belongs_to_it() -> None:
    found = book(
        meta(),
        event("task_started", 0, turn_id="t1"),
        said(1, "go"),
        told(1, "go"),
        answer(2, "x"),
        said(3, "and that"),
        told(3, "and that"),
        answer(4, "y"),
        event("task_complete", 5, turn_id="t1"),
    )
    assert found.only(Task).key == "codex:t1"
    assert [row.role for row in found.of(Message).values()].count("user") == 2


def test_turns_end_are_stopped_or_go_on() -> None:
    found = book(
        meta(),
        event("task_started", 0, turn_id="t1"),
        said(1, "go"),
        answer(2, "x"),
        event("task_complete", 3, turn_id="t1"),
        event("task_started", 4, turn_id="t2"),
        said(5, "on"),
        answer(6, "x"),
        event("turn_aborted", 7, turn_id="t2", reason="interrupted"),
        event("task_started", 8, turn_id="t3"),
        said(9, "more"),
    ).of(Task)
    assert {key: (row.status, row.success) for key, row in found.items()} == {
        "codex:t1": ("completed", True),
        "codex:t2": ("failed", False),
        "codex:t3": (None, None),
    }
    assert found["codex:t1"].completed_at == us(3)
    assert found["codex:t2"].error_message == "Interrupted by the person."


def test_an_api_error_fails_the_turn() -> None:
    found = book(meta(), said(1, "go"), event("error", 2, message="stream error: 401 Unauthorized"))
    assert found.only(Task).status == "failed"
    assert found.only(Session).status == "failed"
    error = found.only(Error)
    assert (error.error_class, error.error_message) == ("api", "stream error: N Unauthorized")


def test_messages_follow_one_another() -> None:
    found = book(
        meta(),
        said(1, "go"),
        item("reasoning", 2, summary=[], encrypted_content="abc"),
        run(3, "call_1", "ls"),
        counted(3, (10, 0, 1)),
        output(4, "call_1", ended(0)),
        answer(5, "done"),
        counted(6, (20, 0, 2)),
    ).of(Message)
    rows = sorted(found.values(), key=lambda row: row.sent_at or 0)
    assert [row.role for row in rows] == ["user", "assistant", "assistant"]
    assert [row.parent_message_id for row in rows] == [None, rows[0].key, rows[1].key]
    assert (rows[1].sent_at, rows[1].completed_at) == (us(2), us(3))


# tools


def test_a_call_joins_its_output_by_the_calls_id() -> None:
    found = book(
        meta(),
        said(1, "go"),
        run(2, "call_1", "cd x && npm test"),
        run(2, "call_2", "git status"),
        output(5, "call_2", ended(1, "fatal: not a repository")),
        output(9, "call_1", ended(0)),
    )
    tools = {row.subject: row for row in found.of(Tool).values()}
    assert (tools["npm test"].success_count, tools["npm test"].total_duration_ms) == (
        1,
        Decimal(7000),
    )
    assert (tools["git status"].success_count, tools["git status"].error_class) == (0, "exit_code")
    assert tools["npm test"].tool_category == "command"
    assert found.only(Error).error_message == "fatal: not a repository"
    assert found.only(Task).tools_used == ["shell"]


def test_equal_ids_of_calls_in_two_sessions_are_two_calls() -> None:
    one = read(IMPORTER, log(meta(), said(1, "go"), run(2, "call_0", "ls")))
    two = read(IMPORTER, log(meta(FORK), said(1, "go"), run(2, "call_0", "ls")))
    assert len(Book().load(*one, *two).of(Tool)) == 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ended(0), None),
        (ended(2), "exit_code"),
        ("Exit code: 0\nWall time: 0.1 seconds\nOutput:\nok", None),
        ("Exit code: 1\nWall time: 0.1 seconds\nOutput:\nboom", "exit_code"),
        ("Chunk ID: a1\nWall time: 1 seconds\nProcess exited with code 3\nOutput:\nx", "exit_code"),
        ("exec command rejected by user", "user_reject"),
        ("command timed out after 10000 milliseconds", "timeout"),
        (ended(124, "command timed out after 10000 milliseconds"), "timeout"),
        ("apply_patch verification failed: Failed to find expected lines", "tool"),
        ("unsupported call: x", "tool"),
        ({"content": "no", "success": False}, "tool"),
        ({"content": "yes", "success": True}, None),
        ([{"type": "input_text", "text": "Exit code: 1"}], "exit_code"),
        ("Output of a tool that says: error", None),
        ("x" * 5000 + "\nExit code: 1", None),
    ],
)
def test_an_output_tells_how_the_call_ended(text: object, kind: str | None) -> None:
    tool = book(meta(), said(0, "go"), run(1, "call_1", "make"), output(2, "call_1", text)).only(
        Tool
    )
    assert (tool.error_class, tool.success_count) == (kind, int(kind is None))


def test_asking_a_running_command_is_no_call_of_its_own() -> None:
    asked = {"session_id": 7, "chars": ""}
    found = book(
        meta(),
        said(0, "go"),
        item("function_call", 1, name="exec_command", arguments='{"cmd":"make all"}', call_id="c1"),
        output(2, "c1", "Wall time: 1 seconds\nProcess running with session ID 7\nOutput:\n"),
        item("function_call", 5, name="write_stdin", arguments=json.dumps(asked), call_id="c2"),
        output(8, "c2", "Process running with session ID 7\nOutput:\n"),
        item("function_call", 9, name="write_stdin", arguments=asked, call_id="c3"),
        output(21, "c3", "Process exited with code 2\nOutput:\nboom"),
    )
    tool = found.only(Tool)
    assert (tool.tool_name, tool.subject) == ("exec_command", "make all")
    assert (tool.success_count, tool.error_class, tool.total_duration_ms) == (
        0,
        "exit_code",
        Decimal(20_000),
    )
    assert found.only(Error).error_message == "boom"


def test_a_command_that_runs_still_is_neither_success_nor_failure() -> None:
    tool = book(
        meta(),
        run(1, "c1", "make"),
        output(2, "c1", "Process running with session ID 7\nOutput:\n"),
    ).only(Tool)
    assert (tool.success_count, tool.error_class) == (None, None)


def test_a_rejection_shows_that_a_person_was_asked_unless_nobody_is() -> None:
    def waits(policy: str) -> bool | None:
        return (
            book(
                meta(),
                context(0, approval_policy=policy),
                run(1, "c1", "rm -r x"),
                output(9, "c1", "exec command rejected by user"),
            )
            .only(Tool)
            .waits_for_person
        )

    assert waits("on-request") is True
    assert waits("never") is None


# changes of files


def test_a_patch_is_read_where_no_event_tells_its_end() -> None:
    found = book(
        meta(),
        patch(1, "c1", PATCH),
        output(2, "c1", "Exit code: 0\nOutput:\nSuccess. Updated the following files:\nA new.py"),
    ).of(Change)
    changes = {
        row.file_path: (row.change_type, row.lines_added, row.lines_deleted, row.old_path)
        for row in found.values()
    }
    assert changes == {
        f"{CWD}/new.py": ("created", 2, 0, None),
        f"{CWD}/src/old.py": ("modified", 2, 1, None),
        f"{CWD}/b.txt": ("renamed", 1, 1, f"{CWD}/a.txt"),
        "/abs/dead.py": ("deleted", 0, None, None),
    }


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "apply_patch", "arguments": {"patch": PATCH}},
        {"name": "apply_patch", "arguments": json.dumps({"input": PATCH})},
        {"name": "shell", "arguments": json.dumps({"command": ["apply_patch", PATCH]})},
        {
            "name": "shell",
            "arguments": json.dumps({"command": ["bash", "-lc", f"apply_patch <<'E'\n{PATCH}\nE"]}),
        },
    ],
)
def test_a_patch_may_be_given_in_several_ways(asked: dict[str, Any]) -> None:
    found = book(meta(), item("function_call", 1, call_id="c1", **asked), output(2, "c1", ended(0)))
    assert len(found.of(Change)) == 4
    assert found.only(Tool).subject == f"{CWD}/new.py"


def test_a_patch_that_failed_changed_nothing() -> None:
    failed = "apply_patch verification failed: Failed to find expected lines in src/old.py"
    assert not book(meta(), patch(1, "c1", PATCH), output(2, "c1", failed)).of(Change)
    end = event("patch_apply_end", 2, call_id="c1", success=False)
    assert not book(meta(), patch(1, "c1", PATCH), end, output(3, "c1", "")).of(Change)


def test_the_end_of_a_patch_tells_no_change_twice() -> None:
    changes = {f"{CWD}/new.py": {"add": {"content": "one\ntwo\n"}}}
    end = event("patch_apply_end", 2, call_id="c1", success=True, changes=changes)
    found = book(meta(), patch(1, "c1", PATCH), end, output(3, "c1", ended(0)))
    assert len(found.of(Change)) == 4


def test_the_end_of_a_patch_tells_changes_that_the_call_does_not() -> None:
    changes = {
        "/x/a": {"add": {"content": "one\ntwo\n"}},
        "/x/b": {"delete": {"content": "one\n"}},
        "/x/c": {"update": {"unified_diff": "@@ -1 +1,2 @@\n-a\n+b\n+c\n", "move_path": None}},
        "/x/d": {
            "type": "update",
            "unified_diff": "--- d\n+++ d\n@@ -1 +0,0 @@\n-a\n",
            "move_path": "/x/e",
        },
    }
    end = event("patch_apply_end", 2, call_id="c1", success=True, changes=changes)
    found = book(meta(), patch(1, "c1", "?"), end, output(3, "c1", ended(0))).of(Change)
    assert {
        row.file_path: (row.change_type, row.lines_added, row.lines_deleted)
        for row in found.values()
    } == {
        "/x/a": ("created", 2, 0),
        "/x/b": ("deleted", 0, 1),
        "/x/c": ("modified", 2, 1),
        "/x/e": ("renamed", 0, 1),
    }


# other forms


def test_the_oldest_rollouts_have_no_payload() -> None:
    here = (
        "<environment_context>\nCurrent working directory: /home/dev/site\n</environment_context>"
    )
    flat = [
        {"id": SESSION, "timestamp": "2025-08-18T01:16:13.522Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        told(0, here)["payload"],
        told(0, "go")["payload"],
        {"record_type": "state"},
        run(0, "call_1", "ls")["payload"],
        output(0, "call_1", ended(0))["payload"],
        answer(0, "done")["payload"],
    ]
    (findings,) = read(IMPORTER, log(*flat))
    assert not findings.skipped
    found = Book().load(findings)
    assert (found.only(Session).key, found.only(Session).cwd) == (SESSION, "/home/dev/site")
    assert len(found.of(Message)) == 3
    tool = found.only(Tool)
    assert (tool.success_count, tool.total_duration_ms) == (1, None)


def test_a_rollout_without_its_first_line_is_named_by_its_file() -> None:
    (findings,) = read(
        IMPORTER, log(said(1, "go")), name=f"rollout-2026-03-02T10-00-00-{SESSION}.jsonl"
    )
    assert Book().load(findings).only(Session).key == SESSION


def test_default_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CODEX_HOME", raising=False)
    home = tmp_path / ".codex"
    assert list(IMPORTER.places()) == [home / "sessions", home / "archived_sessions"]
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "c"))
    sessions = tmp_path / "c" / "sessions"
    assert sessions in IMPORTER.places()
    path = sessions / "2026" / "03" / "02" / "rollout-x.jsonl"
    path.parent.mkdir(parents=True)
    path.touch()
    assert list(IMPORTER.find(sessions)) == [path]


def test_text_is_kept_only_when_asked_for() -> None:
    lines = [meta(), said(1, "go api_key=abcdef123"), answer(2, "one"), answer(2, "two")]
    assert {row.content for row in book(*lines).of(Message).values()} == {None}
    kept = book(*lines, reading=Reading(Assignments(), with_content=True))
    assert {row.content for row in kept.of(Message).values()} == {
        "go api_key=[redacted]",
        "one\ntwo",
    }
    assert kept.only(Session).initial_prompt == "go api_key=[redacted]"


def test_since_leaves_out_what_ended_before() -> None:
    lines = [
        meta(),
        said(1, "go"),
        answer(2, "x"),
        run(2, "c1", "ls"),
        output(3, "c1", ended(0)),
        said(100, "on"),
        answer(101, "y"),
    ]
    found = book(*lines, reading=Reading(Assignments(), since=us(50)))
    assert len(found.of(Message)) == 2
    assert not found.of(Tool)
    assert len(found.of(Task)) == 1


def test_types_that_are_not_known_are_counted() -> None:
    (findings,) = read(
        IMPORTER,
        log(
            meta(),
            item("hologram", 1),
            event("hologram", 1),
            line("hologram", 1),
            {"no": "type"},
            {},
        ),
    )
    assert findings.skipped == {
        "response_item hologram": 1,
        "event_msg hologram": 1,
        "hologram": 1,
        "a line without a type": 2,
    }


def test_lines_that_are_no_object_are_broken() -> None:
    (findings,) = read(IMPORTER, b'42\n{"a":\n"x"\n')
    assert [one.line for one in findings.broken] == [1, 2, 3]
