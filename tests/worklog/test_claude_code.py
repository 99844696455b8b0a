"""Facts about Claude Code's transcripts, each with a test that fails when it is not respected."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.worklog.claude import (
    CWD,
    SESSION,
    assistant,
    call,
    line,
    log,
    result,
    text,
    us,
    user,
)
from tests.worklog.merging import Book, booked, read

from pnlbook.config import WorkAssignment
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.claude_code import IMPORTER
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.records import Change, Error, Message, Session, Task, Tool

PATCH = [{"oldStart": 1, "lines": [" a", "-b", "-c", "+d", "\\ No newline at end of file"]}]


def book(*lines: Any, **how: Any) -> Book:  # noqa: ANN401 - JSON
    return booked(IMPORTER, log(*lines), **how)


def with_content() -> Reading:
    return Reading(Assignments(), with_content=True)


# usage


def test_usage_counts_once_a_message_with_the_largest_of_each_counter() -> None:
    first = {"input_tokens": 4, "output_tokens": 8, "cache_read_input_tokens": 90}
    last = {"input_tokens": 4, "output_tokens": 321, "cache_read_input_tokens": 90}
    message = book(
        assistant("a", 1, "msg_1", text("one"), last),
        assistant("b", 2, "msg_1", text("two"), first),
    ).only(Message)
    assert (message.input_tokens, message.output_tokens) == (4, 321)
    assert message.cache_read_tokens == 90
    assert message.content_chars == 6
    assert (message.sent_at, message.completed_at) == (us(1), us(2))


def test_cache_writes_are_apart_by_duration() -> None:
    told = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    usage = {"cache_creation_input_tokens": 100, "cache_creation": told}
    message = book(assistant("a", 1, "m", [], usage)).only(Message)
    assert (message.cache_write_5m_tokens, message.cache_write_1h_tokens) == (30, 70)


def test_a_cache_write_of_an_old_version_is_one_of_five_minutes() -> None:
    message = book(assistant("a", 1, "m", [], {"cache_creation_input_tokens": 100})).only(Message)
    assert (message.cache_write_5m_tokens, message.cache_write_1h_tokens) == (100, None)


@pytest.mark.parametrize(
    ("usage", "stop", "more", "final"),
    [
        ({"output_tokens": 1}, None, {}, False),
        ({"output_tokens": 1, "iterations": None}, None, {}, False),
        ({"output_tokens": 1, "iterations": []}, None, {}, True),
        ({"output_tokens": 1}, "tool_use", {}, True),
        ({"output_tokens": 1}, "end_turn", {"isSidechain": True, "agentId": "a1"}, False),
        ({"output_tokens": 1, "iterations": [{}]}, None, {"agentId": "a1"}, True),
    ],
)
def test_usage_is_final_only_by_evidence(
    usage: dict[str, Any],
    stop: str | None,
    more: dict[str, Any],
    final: bool,
) -> None:
    assert book(assistant("a", 1, "m", [], usage, stop, **more)).only(Message).usage_final is final


def test_a_message_without_usage_has_no_counts_rather_than_zeros() -> None:
    message = book(assistant("a", 1, "m", text("x"), {})).only(Message)
    assert message.input_tokens is None
    assert message.output_tokens is None


def test_messages_of_subagents_within_progress_count() -> None:
    nested = assistant("n1", 2, "msg_sub", call("toolu_s", "Read", file_path="/x"))
    answer = result("n2", 4, "toolu_s")
    told = book(
        user("u", 0, "go"),
        line(
            "progress", "p1", 2, data={"type": "agent_progress", "agentId": "a7", "message": nested}
        ),
        line(
            "progress", "p2", 4, data={"type": "agent_progress", "agentId": "a7", "message": answer}
        ),
    )
    message, tool = told.of(Message)["msg_sub"], told.only(Tool)
    assert (message.agent_id, message.task_id, message.output_tokens) == ("a7", "u", 5)
    assert (tool.agent_id, tool.success_count, tool.total_duration_ms) == ("a7", 1, Decimal(2000))


def test_a_message_needs_no_request_id_and_no_stop_reason() -> None:
    message = book(assistant("a", 1, "m", text("x"))).only(Message)
    assert (message.request_id, message.stop_reason) == (None, None)
    told = book(assistant("a", 1, "m", text("x"), None, "end_turn", requestId="req_9")).only(
        Message
    )
    assert (told.request_id, told.stop_reason) == ("req_9", "end_turn")


def test_what_the_program_wrote_in_a_models_place_has_no_model_and_no_tokens() -> None:
    usage = {"input_tokens": 0, "output_tokens": 0}
    body = {"id": "m", "model": "<synthetic>", "content": text("No response."), "usage": usage}
    message = book(line("assistant", "a", 1, message=body)).only(Message)
    assert (message.model, message.input_tokens, message.usage_final) == (None, None, None)


def test_a_subscription_makes_the_price_an_estimate() -> None:
    rules = (
        WorkAssignment(cwd="/home/dev/*", node_id="ada", project_id="shop-1", subscription=True),
    )
    told = book(
        user("u", 0, "go"), assistant("a", 1, "m", text("x")), reading=Reading(Assignments(rules))
    ).of(Message)
    assert (told["m"].cost_basis, told["m"].node_id) == ("estimate", "ada")
    assert (told["u"].cost_basis, told["u"].project_id) == (None, "shop-1")


# copies


def test_a_line_that_stands_twice_counts_once() -> None:
    twice = assistant("a", 1, "m", [*text("four"), *call("t", "Bash", command="ls")])
    told = book(user("u", 0, "go"), twice, twice, result("r", 2, "t"), result("r", 2, "t"))
    assert told.of(Message)["m"].content_chars == 4
    assert told.only(Tool).total_duration_ms == Decimal(1000)


def test_a_resumed_copy_under_another_session_counts_once() -> None:
    lines = [
        user("u", 0, "go"),
        assistant("a", 1, "msg_1", call("toolu_1", "Bash", command="ls")),
        result("r", 2, "toolu_1"),
    ]
    copy = [one | {"sessionId": "f0000000-0000-4000-8000-000000000002"} for one in lines]
    more = assistant("b", 9, "msg_2", text("on"), sessionId=copy[0]["sessionId"])
    told = Book().load(*read(IMPORTER, log(*lines)), *read(IMPORTER, log(*copy, more)))
    assert set(told.of(Message)) == {"u", "msg_1", "msg_2"}
    assert set(told.of(Tool)) == {"toolu_1"}
    assert set(told.of(Task)) == {"u"}
    assert len(told.of(Session)) == 2


def test_a_forked_copy_is_the_originals() -> None:
    fork = {"sessionId": "f", "forkedFrom": {"sessionId": SESSION, "messageUuid": "u"}}
    told = book(user("u2", 0, "go", **fork), user("v", 60, "on", sessionId="f"))
    assert {key: row.session_id for key, row in told.of(Message).items()} == {
        "u": SESSION,
        "v": "f",
    }
    assert told.of(Session)["f"].started_at == us(60)


@pytest.mark.parametrize("copy_first", [False, True])
def test_what_a_subagents_log_repeats_stays_the_sessions(copy_first: bool) -> None:
    main = assistant("a", 1, "msg_1", call("toolu_1", "Bash", command="ls"))
    copy = main | {"isSidechain": True, "agentId": "acompact-1", "requestId": "req_other"}
    own = assistant("b", 2, "msg_2", text("x"), isSidechain=True, agentId="acompact-1")
    logs = [*read(IMPORTER, log(main)), *read(IMPORTER, log(copy, own))]
    for told in (Book().load(*logs), _in_turn(logs[::-1] if copy_first else logs)):
        assert told.of(Message)["msg_1"].agent_id is None
        assert told.of(Tool)["toolu_1"].agent_id is None
        assert told.of(Message)["msg_2"].agent_id == "acompact-1"


def _in_turn(logs: list[Any]) -> Book:
    told = Book()
    for one in logs:
        told.load(one)
    return told


# streams


def test_a_subagents_log_belongs_to_the_session_and_is_no_turn() -> None:
    more: dict[str, Any] = {"isSidechain": True, "agentId": "a1"}
    told = book(
        user("u", 0, "Look for x", **more),
        assistant("a", 1, "m", text("found"), parentUuid="u", **more),
    )
    assert {row.agent_id for row in told.of(Message).values()} == {"a1"}
    assert not told.of(Task)
    session = told.only(Session)
    assert (session.key, session.cwd, session.project_id) == (SESSION, None, None)
    assert told.of(Message)["m"].project_id == "shop"


def test_sidechains_without_an_agents_id_are_told_apart_by_their_first_line() -> None:
    more: dict[str, Any] = {"isSidechain": True}
    told = book(
        user("u", 0, "go"),
        user("s1", 1, "first", **more),
        user("s2", 1, "second", **more),
        assistant("a", 2, "m1", text("x"), parentUuid="s1", **more),
        assistant("b", 2, "m2", text("x"), parentUuid="s2", **more),
        assistant("c", 3, "m3", text("x"), parentUuid="a", **more),
    ).of(Message)
    assert {key: row.agent_id for key, row in told.items()} == {
        "u": None,
        "s1": "s1",
        "s2": "s2",
        "m1": "s1",
        "m2": "s2",
        "m3": "s1",
    }


def test_the_project_is_each_lines_folder() -> None:
    told = book(user("u", 0, "go"), user("v", 1, "and there", cwd="/home/dev/site")).of(Message)
    assert (told["u"].project_id, told["v"].project_id) == ("shop", "site")


def test_a_session_is_where_it_began() -> None:
    session = book(
        user("u", 5, "go"), user("v", 9, "on", cwd="/srv/x", gitBranch="x", version="2.1.40")
    ).only(Session)
    assert (session.cwd, session.branch, session.agent_version) == (CWD, "main", "2.1.40")
    assert (session.started_at, session.completed_at, session.agent) == (
        us(5),
        us(9),
        "claude-code",
    )


# threads


def test_a_message_answers_the_message_before_not_the_result() -> None:
    told = book(
        user("u", 0, "go"),
        line("progress", "p", 1, parentUuid="u", data={"type": "hook_progress"}),
        assistant("a", 2, "m1", call("t", "Bash", command="ls"), parentUuid="p"),
        result("r", 3, "t", parentUuid="a"),
        assistant("b", 4, "m1", text("still"), parentUuid="r"),
        assistant("c", 5, "m2", text("done"), parentUuid="b"),
        line("system", "s", 6, subtype="turn_duration", parentUuid="c"),
        user("v", 7, "thanks", parentUuid="s"),
    ).of(Message)
    parents = {key: row.parent_message_id for key, row in told.items()}
    assert parents == {"u": None, "m1": "u", "m2": "m1", "v": "m2"}


# turns


NOT_SAID: dict[str, dict[str, Any]] = {
    "meta": user("x", 1, "Caveat", isMeta=True),
    "summary": user("x", 1, "What came before", isCompactSummary=True),
    "caveat": user("x", 1, "<local-command-caveat>Caveat: …</local-command-caveat>"),
    "old caveat": user(
        "x",
        1,
        text("Caveat: The messages below were generated by the user while running local commands."),
    ),
    "output": user("x", 1, "<local-command-stdout>ok</local-command-stdout>"),
    "hook": user("x", 1, "<user-prompt-submit-hook>x</user-prompt-submit-hook>"),
    "reminder": user("x", 1, text("<system-reminder>x</system-reminder>")),
    "notification": user("x", 1, "<task-notification>x</task-notification>"),
    "interruption": user("x", 1, text("[Request interrupted by user for tool use]")),
    "result": result("x", 1, "toolu_0"),
    "peer": user("x", 1, "do that", origin={"kind": "peer"}),
    "empty": user("x", 1, "  \n"),
    "continuation": user(
        "x", 1, "This session is being continued from a previous conversation th…"
    ),
}


@pytest.mark.parametrize("name", NOT_SAID)
def test_what_the_program_wrote_is_no_turn(name: str) -> None:
    told = book(user("u", 0, "go"), NOT_SAID[name])
    assert set(told.of(Task)) == {"u"}
    assert set(told.of(Message)) == {"u"}


@pytest.mark.parametrize(
    "content",
    [
        "fix it",
        text("fix it"),
        text("<ide_opened_file>x</ide_opened_file>", "fix it"),
        [{"type": "image", "source": {}}],
    ],
)
def test_what_a_person_said_is_a_turn(content: object) -> None:
    assert set(book(user("u", 0, content)).of(Task)) == {"u"}


def test_a_slash_command_is_a_turn_only_when_the_model_works_on_it() -> None:
    review = "<command-message>review</command-message><command-name>/review</command-name>"
    model = "<command-name>/model</command-name><command-message>model</command-message>"
    told = book(
        user("c", 0, review),
        user("e", 0, "Review this: …", isMeta=True, parentUuid="c"),
        assistant("a", 3, "m", text("fine"), parentUuid="e"),
        user("d", 5, model),
        user("o", 5, "<local-command-stdout>Set model</local-command-stdout>"),
        assistant("b", 6, "m2", text("hm")),
    )
    task = told.only(Task)
    assert (task.key, task.started_at) == ("c", us(0))
    assert told.of(Message)["m"].task_id == "c"
    assert told.of(Message)["m"].parent_message_id == "c"
    assert set(told.of(Message)) == {"c", "m", "m2"}


def test_a_turn_ends_when_the_model_is_done_or_the_person_speaks_again() -> None:
    told = book(
        user("u", 0, "go"),
        assistant("a", 1, "m1", text("x")),
        user("v", 10, "on"),
        assistant("b", 11, "m2", text("x"), None, "end_turn"),
        user("w", 20, "more"),
        assistant("c", 21, "m3", text("x")),
    ).of(Task)
    assert {key: (row.status, row.success) for key, row in told.items()} == {
        "u": ("completed", True),
        "v": ("completed", True),
        "w": (None, None),
    }
    assert (told["u"].completed_at, told["w"].completed_at) == (us(1), None)


def test_a_turn_that_has_ended_stays_so() -> None:
    told = book(
        user("u", 0, "go"),
        assistant("a", 1, "m", text("x"), None, "end_turn"),
        user("i", 4, text("[Request interrupted by user]")),
    )
    assert (told.only(Task).status, told.only(Task).success) == ("completed", True)


def test_a_turn_that_nothing_answered_is_not_known_to_have_succeeded() -> None:
    told = book(user("u", 0, "go"), user("v", 1, "I mean: stop")).of(Task)
    assert (told["u"].status, told["u"].success) == ("completed", None)


def test_an_interrupted_turn_failed() -> None:
    told = book(
        user("u", 0, "go"),
        assistant("a", 1, "m", text("x")),
        user("i", 4, text("[Request interrupted by user]")),
        user("v", 9, "other"),
    ).of(Task)
    assert (told["u"].status, told["u"].success, told["u"].completed_at) == ("failed", False, us(4))
    assert told["u"].error_message == "Interrupted by the person."


def test_an_api_error_fails_the_turn_and_the_session_until_a_model_answers() -> None:
    body = {"id": "e", "model": "<synthetic>", "content": text("API Error: 529 Overloaded")}
    failed = line("assistant", "x", 2, message=body, isApiErrorMessage=True, error="server_error")
    told = book(user("u", 0, "go"), failed)
    error = told.only(Error)
    assert (error.error_class, error.error_type) == ("api", "server_error")
    assert error.error_message == "API Error: N Overloaded"
    assert told.only(Session).status == "failed"
    assert (told.only(Task).status, told.only(Task).success) == ("failed", False)
    again = book(user("u", 0, "go"), failed, assistant("a", 9, "m", text("x"), None, "end_turn"))
    assert again.only(Session).status == "completed"
    assert (again.only(Task).status, again.only(Task).success) == ("completed", True)


def test_a_retried_request_is_an_error_that_fails_nothing() -> None:
    told = book(
        user("u", 0, "go"),
        line("system", "s", 1, subtype="api_error", error={"error": {"message": "Overloaded"}}),
    )
    assert (told.only(Error).error_class, told.only(Error).error_message) == ("api", "Overloaded")
    assert told.only(Task).status is None


def test_tools_of_a_turn_are_named_once_in_order() -> None:
    told = book(
        user("u", 0, "go"),
        assistant("a", 1, "m", call("1", "Read", file_path="/x")),
        assistant("b", 2, "m", call("2", "Bash", command="ls")),
        assistant("c", 3, "m", call("3", "Read", file_path="/y")),
    )
    assert told.only(Task).tools_used == ["Read", "Bash"]


# tools


def test_a_tool_is_a_call_and_its_result() -> None:
    tool = book(
        user("u", 0, "go"),
        assistant("a", 1, "m", call("t", "Bash", command="cd /x && npm test -- --watch")),
        result("r", 3.5, "t", "ok", {"stdout": "ok", "interrupted": False}, error=False),
    ).only(Tool)
    assert (tool.tool_name, tool.tool_category, tool.subject) == ("Bash", "command", "npm test")
    assert (tool.invocation_count, tool.success_count, tool.error_class) == (1, 1, None)
    assert (tool.used_at, tool.total_duration_ms) == (us(1), Decimal(2500))
    assert (tool.task_id, tool.waits_for_person) == ("u", None)


def test_a_call_without_a_result_is_neither_success_nor_failure() -> None:
    tool = book(assistant("a", 1, "m", call("t", "Bash", command="ls"))).only(Tool)
    assert (tool.success_count, tool.total_duration_ms) == (None, None)


@pytest.mark.parametrize(
    ("said", "outcome", "kind"),
    [
        ("Exit code 1\nmake: *** [all] Error 2", "Error: Exit code 1", "exit_code"),
        ("Command timed out after 2m 0.0s", "Error: Command timed out", "timeout"),
        (
            "The user doesn't want to proceed with this tool use.",
            "User rejected tool use",
            "user_reject",
        ),
        ("PreToolUse:Bash hook error: [guard]: no", "Error: PreToolUse", "hook_block"),
        ("<tool_use_error>File has not been read yet.</tool_use_error>", None, "tool"),
        ([{"type": "text", "text": "MCP error -32603"}], None, "tool"),
        ("", "Error: Exit code 127\nsh: x: not found", "exit_code"),
    ],
)
def test_a_failure_has_a_class(said: object, outcome: str | None, kind: str) -> None:
    told = book(
        assistant("a", 1, "m", call("t", "Bash", command="make all")),
        result("r", 2, "t", said, outcome, error=True),
    )
    tool, error = told.only(Tool), told.only(Error)
    assert (tool.success_count, tool.error_class) == (0, kind)
    assert (error.key, error.error_class, error.subject) == ("t", kind, "make all")
    assert error.error_message


def test_a_failed_commands_message_is_what_it_printed() -> None:
    error = book(
        assistant("a", 1, "m", call("t", "Bash", command="make")),
        result("r", 2, "t", "Exit code 2\n/home/dev/x.c:12: error: 'y' undeclared", error=True),
    ).only(Error)
    assert error.error_message == "PATH:N: error: '…' undeclared"
    assert error.error_stack_trace is None


def test_an_interrupted_command_did_not_succeed() -> None:
    told = book(
        assistant("a", 1, "m", call("t", "Bash", command="sleep 99")),
        result("r", 2, "t", "", {"stdout": "", "interrupted": True}),
    )
    assert (told.only(Tool).success_count, told.only(Tool).error_class) == (0, "user_reject")
    printed = book(
        assistant("a", 1, "m", call("t", "Bash", command="cat log")),
        result("r", 2, "t", "", {"stdout": '"interrupted":true', "interrupted": False}),
    )
    assert printed.only(Tool).success_count == 1


@pytest.mark.parametrize("tool", ["AskUserQuestion", "ExitPlanMode"])
def test_tools_that_ask_wait_for_a_person(tool: str) -> None:
    told = book(assistant("a", 1, "m", call("t", tool)), result("r", 90, "t"))
    assert told.only(Tool).waits_for_person is True


def test_a_rejection_shows_that_a_person_was_asked_unless_nobody_is() -> None:
    def waits(mode: str) -> bool | None:
        return (
            book(
                user("u", 0, "go", permissionMode=mode),
                assistant("a", 1, "m", call("t", "Bash", command="ls")),
                result(
                    "r", 9, "t", "The user doesn't want to proceed with this tool use.", error=True
                ),
            )
            .only(Tool)
            .waits_for_person
        )

    assert waits("default") is True
    assert waits("bypassPermissions") is None


# changes of files


def change(tool: str, asked: dict[str, Any], outcome: Any, said: str = "ok") -> Change:  # noqa: ANN401 - JSON
    return book(
        assistant("a", 1, "m", call("t", tool, **asked)), result("r", 2, "t", said, outcome)
    ).only(Change)


def test_lines_are_counted_from_the_patch() -> None:
    outcome = {"filePath": "/x.py", "structuredPatch": PATCH, "originalFile": "a\nb\nc"}
    found = change("Edit", {"file_path": "/x.py"}, outcome)
    assert (found.file_path, found.change_type) == ("/x.py", "modified")
    assert (found.lines_added, found.lines_deleted) == (1, 2)
    assert (found.changed_at, found.origin, found.key) == (us(2), "edit", "t")


def test_a_created_file_has_its_contents_lines() -> None:
    outcome = {"type": "create", "filePath": "/x", "content": "a\nb\nc", "structuredPatch": []}
    found = change("Write", {"file_path": "/x", "content": "a\nb\nc"}, outcome)
    assert (found.change_type, found.lines_added, found.lines_deleted) == ("created", 3, 0)


def test_a_rewritten_file_has_its_patchs_lines() -> None:
    outcome = {"type": "update", "filePath": "/x", "content": "d", "structuredPatch": PATCH}
    found = change("Write", {"file_path": "/x", "content": "a\nd"}, outcome)
    assert (found.change_type, found.lines_added, found.lines_deleted) == ("modified", 1, 2)


def test_several_edits_of_a_file_are_one_change() -> None:
    outcome = {"filePath": "/x", "edits": [], "structuredPatch": [PATCH[0], PATCH[0]]}
    found = change("MultiEdit", {"file_path": "/x", "edits": []}, outcome)
    assert (found.lines_added, found.lines_deleted) == (2, 4)


def notebook(*cells: str | list[str]) -> str:
    return json.dumps({"cells": [{"source": cell, "outputs": ["x\n" * 9]} for cell in cells]})


def test_a_notebooks_lines_are_those_of_its_cells() -> None:
    outcome = {
        "notebook_path": "/n.ipynb",
        "original_file": notebook("a\nb", ["c\n", "d"]),
        "updated_file": notebook("a\nb", ["c\n", "e\n", "f"]),
    }
    found = change("NotebookEdit", {"notebook_path": "/n.ipynb", "new_source": "c\ne\nf"}, outcome)
    assert (found.file_path, found.lines_added, found.lines_deleted) == ("/n.ipynb", 2, 1)


@pytest.mark.parametrize(
    ("mode", "lines"), [("insert", (2, 0)), ("replace", (2, None)), ("delete", (0, None))]
)
def test_a_notebooks_lines_without_its_files(mode: str, lines: tuple[int, int | None]) -> None:
    asked = {"notebook_path": "/n.ipynb", "new_source": "a\nb", "edit_mode": mode}
    found = change("NotebookEdit", asked, None)
    assert (found.lines_added, found.lines_deleted) == lines


@pytest.mark.parametrize(
    ("tool", "asked", "lines"),
    [
        ("Edit", {"old_string": "a\nb\nc", "new_string": "a\nx\ny\nc"}, (2, 1)),
        ("Edit", {"old_string": "a", "new_string": "b", "replace_all": True}, (None, None)),
        ("Write", {"content": "a\nb\n"}, (2, None)),
        ("MultiEdit", {"edits": [{"old_string": "a", "new_string": "b"}] * 2}, (2, 2)),
    ],
)
def test_a_result_without_a_patch_leaves_the_calls_own_lines(
    tool: str, asked: dict[str, Any], lines: tuple[int | None, int | None]
) -> None:
    found = change(tool, {"file_path": "/x", **asked}, None)
    assert (found.lines_added, found.lines_deleted) == lines


def test_a_failed_edit_changed_nothing() -> None:
    told = book(
        assistant("a", 1, "m", call("t", "Edit", file_path="/x", old_string="a", new_string="b")),
        result("r", 2, "t", "String to replace not found", "Error: String …", error=True),
    )
    assert not told.of(Change)
    assert told.only(Error).subject == "/x"


def test_an_edit_that_a_person_changed_first_waited_for_the_person() -> None:
    outcome = {"filePath": "/x", "structuredPatch": PATCH, "userModified": True}
    told = book(
        assistant("a", 1, "m", call("t", "Edit", file_path="/x")), result("r", 9, "t", "", outcome)
    )
    assert told.only(Tool).waits_for_person is True
    assert told.only(Change).lines_deleted == 2


# content


def test_no_text_is_kept_unless_asked_for() -> None:
    told = book(
        user("u", 0, "my secret plan"),
        assistant("a", 1, "m", [*text("the answer"), *call("t", "Bash", command="echo hush")]),
        result("r", 2, "t", "Exit code 1\nhush now", error=True),
    )
    for kind in (Session, Task, Message, Tool):
        for row in told.of(kind).values():
            assert not {"secret", "answer", "hush"} & set(repr(row).split())
    assert told.of(Message)["u"].content_chars == len("my secret plan")


def test_text_is_kept_redacted_when_asked_for() -> None:
    key = "sk-ant-" + "a1b2" * 10
    told = book(
        user("u", 0, f"use {key}\nthen go"),
        assistant("a", 1, "m", text("first")),
        assistant("b", 2, "m", text("second")),
        line("custom-title", "t", 3, customTitle="The plan"),
        reading=with_content(),
    )
    assert told.of(Message)["u"].content == "use [redacted]\nthen go"
    assert told.of(Message)["m"].content == "first\nsecond"
    assert told.only(Task).task_name == "use [redacted]"
    session = told.only(Session)
    assert (session.initial_prompt, session.description) == ("use [redacted]\nthen go", "The plan")


# where and since


def test_default_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    home = tmp_path / ".claude" / "projects"
    assert list(IMPORTER.places()) == [tmp_path / ".config" / "claude" / "projects", home]
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", f"{tmp_path}/one,{tmp_path}/two")
    assert list(IMPORTER.places())[:2] == [
        tmp_path / "one" / "projects",
        tmp_path / "two" / "projects",
    ]
    sub = home / "-home-dev" / "session" / "subagents" / "agent-a1.jsonl"
    sub.parent.mkdir(parents=True)
    sub.touch()
    (home / "-home-dev" / "session.jsonl").touch()
    (home / "-home-dev" / "notes.txt").touch()
    assert set(IMPORTER.find(home)) == {home / "-home-dev" / "session.jsonl", sub}
    assert list(IMPORTER.find(sub)) == [sub]


def test_since_leaves_out_what_ended_before() -> None:
    lines = [
        user("u", 0, "go"),
        assistant("a", 1, "m1", call("t1", "Bash", command="ls")),
        result("r", 2, "t1"),
        user("v", 100, "on"),
        assistant("b", 101, "m2", call("t2", "Bash", command="ls")),
        result("s", 102, "t2"),
    ]
    told = book(*lines, reading=Reading(Assignments(), since=us(50)))
    assert set(told.of(Message)) == {"v", "m2"}
    assert set(told.of(Tool)) == {"t2"}
    assert set(told.of(Task)) == {"v"}
    assert told.only(Session).started_at == us(0)


# bad input


def test_types_that_are_not_known_are_counted() -> None:
    (found,) = read(
        IMPORTER,
        log(
            line("hologram", "x", 1), line("hologram", "y", 1), {"no": "type"}, {"type": "summary"}
        ),
    )
    assert found.skipped == {"hologram": 2, "a line without a type": 1}
    assert not found.records


def test_lines_that_are_no_object_are_broken() -> None:
    (found,) = read(IMPORTER, b'42\n[1]\n"x"\nnull\n{"a":\n' + b"[" * 100_000 + b"\n")
    assert [one.line for one in found.broken] == [1, 2, 3, 4, 5, 6]
    assert {one.reason for one in found.broken} == {
        "It is JSON, but not an object.",
        "It is not JSON.",
    }


def test_a_torn_last_line_is_read_once_it_is_whole() -> None:
    data = log(user("u", 0, "go"), assistant("a", 1, "m", text("x")))
    torn, whole = read(IMPORTER, data, [len(data) - 20])
    assert torn.left > 0
    assert not torn.broken
    assert set(Book().load(torn).of(Message)) == {"u"}
    assert set(Book().load(torn, whole).of(Message)) == {"u", "m"}


@pytest.mark.parametrize("bad", [b"\\ud83d", b"\xff\xfe", b"\\u0000"])
def test_characters_that_cannot_be_cost_no_facts(bad: bytes) -> None:
    data = log(
        user("u", 0, "go HERE"),
        assistant("a", 1, "m", call("t", "Bash", command="ls HERE")),
        result("r", 2, "t", "Exit code 1\nHERE torn", error=True),
    ).replace(b"HERE", bad)
    (found,) = read(IMPORTER, data, reading=with_content())
    assert not found.broken
    told = Book().load(found)
    assert told.of(Message)["m"].output_tokens == 5
    assert told.only(Error).error_class == "exit_code"
    for row in told.of(Message).values():
        (row.content or "").encode()


def test_a_clock_that_goes_back_gives_no_negative_time() -> None:
    told = book(
        user("u", 100, "go"),
        assistant("a", 90, "m", call("t", "Bash", command="ls")),
        assistant("b", 80, "m", text("x")),
        result("r", 50, "t"),
    )
    assert told.only(Tool).total_duration_ms is None
    message = told.of(Message)["m"]
    assert (message.sent_at, message.completed_at) == (us(80), us(90))
    session = told.only(Session)
    assert (session.started_at, session.completed_at) == (us(50), us(100))


def test_a_line_without_an_instant_has_that_of_the_line_before() -> None:
    broken = assistant("a", 1, "m", text("x")) | {"timestamp": "yesterday"}
    assert book(user("u", 7, "go"), broken).of(Message)["m"].sent_at == us(7)
    (found,) = read(IMPORTER, log(broken))
    assert found.skipped == {"assistant without a session or an instant": 1}


def test_a_line_of_fifty_megabytes_is_read() -> None:
    long = "x" * 50_000_000
    told = book(
        user("u", 0, "go"),
        assistant("a", 1, "m", call("t", "Bash", command="cat big")),
        result("r", 2, "t", long, {"stdout": long, "interrupted": False}),
    )
    assert told.only(Tool).success_count == 1


def test_what_is_kept_between_readings_stays_small() -> None:
    lines = [user("u", 0, "go")]
    for n in range(2000):
        lines += [
            assistant(f"a{n}", n, f"m{n}", call(f"t{n}", "Bash", command="ls"), parentUuid="u"),
            assistant(f"s{n}", n, f"x{n}", text("x"), isSidechain=True),
        ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.jsonl"
        path.write_bytes(log(*lines))
        position = IMPORTER.read(path, Position(), Reading(Assignments()), Findings())
    assert len(position.state or "") < 100_000
    assert len(book(*lines).of(Tool)) == 2000
