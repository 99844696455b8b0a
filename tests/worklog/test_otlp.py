"""Spans and events of OTLP: each call counts once, whatever repeats it and in whatever order."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worklog import telemetry
from tests.worklog.plain_rows import Merged, merged
from tests.worklog.telemetry import START, call, event, logs, span, spans

from pnlbook.config import WorkAssignment
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.otlp import IMPORTER

if TYPE_CHECKING:
    from collections.abc import Sequence

READING = Reading(Assignments())
SECOND = 1_000_000  # in microseconds
BEGAN = START // 1000
CLAUDE = {"service.name": "claude-code"}
REQUEST = {
    "session.id": "5f0c",
    "model": "claude-sonnet-4-5",
    "input_tokens": "7",
    "output_tokens": "250",
    "cache_read_tokens": "9000",
    "cache_creation_tokens": "120",
    "cost_usd": "0.012345",
    "duration_ms": "2500",
    "request_id": "req_011CU",
}


def read(*lines: str | bytes, reading: Reading = READING) -> Findings:
    with TemporaryDirectory() as folder:
        log = Path(folder) / "otlp.jsonl"
        log.write_bytes(b"".join(_bytes(line) + b"\n" for line in lines))
        findings = Findings()
        IMPORTER.read(log, Position(), reading, findings)
        return findings


def _bytes(line: str | bytes) -> bytes:
    return line.encode() if isinstance(line, str) else line


def rows(kind: str, *lines: str, reading: Reading = READING) -> dict[str, dict[str, Any]]:
    found = merged([read(*lines, reading=reading)])
    return {key: row for (name, key), row in found.items() if name == kind}


def one(kind: str, *lines: str, reading: Reading = READING) -> dict[str, Any]:
    (row,) = rows(kind, *lines, reading=reading).values()
    return row


def tokens(values: dict[str, Any]) -> tuple[int | None, ...]:
    row = one("Message", spans(span(1, {"gen_ai.operation.name": "chat", **values})))
    names = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")
    return tuple(row.get(name) for name in names)


def test_a_model_call_is_a_message() -> None:
    values = {"gen_ai.response.model": "gpt-5-2025", "gen_ai.response.finish_reasons": ["stop"]}
    line = spans(call(1, 20, values=values), **{"service.version": "1.2"})
    row = one("Message", line)
    assert row["model"] == "gpt-5-2025"
    assert row["role"] == "assistant"
    assert row["stop_reason"] == "stop"
    assert (row["sent_at"], row["completed_at"]) == (BEGAN + SECOND, BEGAN + 2 * SECOND)
    assert (row["node_id"], row["usage_final"]) == ("shop-agent", True)
    session = one("Session", line)
    assert (session["started_at"], session["completed_at"]) == (row["sent_at"], row["completed_at"])
    assert (session["agent"], session["agent_version"]) == ("shop-agent", "1.2")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"gen_ai.usage.prompt_tokens": 9, "gen_ai.usage.completion_tokens": 4},
            (9, None, None, 4),
        ),
        ({"gen_ai.usage.input_tokens": 9, "gen_ai.usage.output_tokens": 4}, (9, None, None, 4)),
        # the conventions, OpenAI and Gemini count cached tokens as input too
        (
            {
                "gen_ai.provider.name": "openai",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read.input_tokens": 60,
            },
            (40, 60, None, None),
        ),
        (
            {
                "gen_ai.system": "gcp.gemini",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read_input_tokens": 60,
            },
            (40, 60, None, None),
        ),
        (
            {
                "gen_ai.provider.name": "anthropic",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read.input_tokens": 60,
                "gen_ai.usage.cache_creation.input_tokens": 30,
            },
            (10, 60, 30, None),
        ),
        # Anthropic's own numbers, as instrumentations of the older names pass them on
        (
            {
                "gen_ai.system": "anthropic",
                "gen_ai.usage.input_tokens": 100,
                "gen_ai.usage.cache_read_input_tokens": 60,
                "gen_ai.usage.cache_creation_input_tokens": 30,
            },
            (100, 60, 30, None),
        ),
        (
            {
                "gen_ai.system": "aws.bedrock",
                "gen_ai.request.model": "anthropic.claude-3-5-sonnet",
                "gen_ai.usage.prompt_tokens": 100,
                "gen_ai.usage.cache_read_input_tokens": 60,
            },
            (100, 60, None, None),
        ),
        # what exceeds the input cannot be part of it
        (
            {
                "gen_ai.provider.name": "anthropic",
                "gen_ai.usage.input_tokens": 5,
                "gen_ai.usage.cache_read.input_tokens": 60,
            },
            (5, 60, None, None),
        ),
        (
            {"gen_ai.usage.input_tokens": "12", "gen_ai.usage.output_tokens": 3.0},
            (12, None, None, 3),
        ),
        ({"gen_ai.usage.input_tokens": -1, "gen_ai.usage.output_tokens": True}, (None,) * 4),
        ({"gen_ai.usage.input_tokens": 0, "gen_ai.usage.output_tokens": 0}, (0, None, None, 0)),
    ],
)
def test_tokens_are_disjoint_whoever_counts_them(
    values: dict[str, Any], expected: tuple[int | None, ...]
) -> None:
    assert tokens(values) == expected


def test_an_agent_repeats_what_its_calls_used_and_is_a_task() -> None:
    agent = call(
        1,
        50,
        values={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "buyer"},
        endTimeUnixNano=str(START + 9 * telemetry.SECOND),
    )
    line = spans(agent, call(2, 20, parent=1), call(3, 30, parent=1))
    assert sum(row["output_tokens"] for row in rows("Message", line).values()) == 50
    task = one("Task", line)
    assert (task["task_type"], task["task_name"]) == ("invoke_agent", "buyer")
    assert (task["status"], task["success"]) == ("completed", True)
    assert task["completed_at"] == BEGAN + 9 * SECOND


def test_without_an_operation_other_signs_of_a_call_are_taken() -> None:
    usage = {"gen_ai.usage.output_tokens": 5}
    found = [
        span(1, usage | {"gen_ai.response.id": "chatcmpl-AbCdEfGhIjKlMnOp"}),
        span(2, usage | {"gen_ai.response.finish_reasons": ["stop"]}),
        span(3, usage | {"llm.request.type": "chat"}),
        span(4, usage | {"openinference.span.kind": "LLM"}),
        span(5, usage, name="chat gpt-5"),
    ]
    agents = [
        span(6, usage | {"openinference.span.kind": "AGENT"}),
        span(7, usage | {"traceloop.span.kind": "workflow"}),
        span(8, usage, name="invoke_agent buyer"),
    ]
    assert len(rows("Message", spans(*found, *agents))) == len(found)
    assert len(rows("Task", spans(*found, *agents))) == len(agents)


def test_what_may_be_a_call_is_named_by_those_within_it() -> None:
    """The rule of macro repeated_rows: a message that another names as its parent is no call."""
    usage = {"gen_ai.usage.output_tokens": 50}
    found = rows("Message", spans(call(2, 20, parent=1), call(3, 30, parent=1), span(1, usage)))
    parents = {row.get("parent_message_id") for row in found.values()}
    assert {key for key in found if key in parents} == {f"otlp:{1:032x}/{1:016x}"}
    alone = rows("Message", spans(span(1, usage)))
    assert list(alone) == [f"otlp:{1:032x}/{1:016x}"]
    nested = rows("Message", spans(call(1, 20), call(2, 30, parent=1)))
    parents = {row.get("parent_message_id") for row in nested.values()}
    assert parents.isdisjoint(nested)


def test_a_response_counts_once_whoever_tells_it() -> None:
    values = {"gen_ai.response.id": "chatcmpl-AbCdEfGhIjKlMnOp"}
    gateway = spans(call(8, 20, values=values, trace=2), **{"service.name": "gateway"})
    details = logs(
        event("x", {})
        | {
            "eventName": "gen_ai.client.inference.operation.details",
            "traceId": f"{1:032x}",
            "spanId": f"{1:016x}",
            "attributes": telemetry.attributes(
                {"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 20, **values}
            ),
        }
    )
    assert len(rows("Message", spans(call(1, 20, values=values)), gateway, details)) == 1
    short = {"gen_ai.response.id": "chatcmpl-7"}
    both = spans(call(1, 20, values=short), call(2, 20, values=short))
    assert len(rows("Message", both)) == 2


def test_sessions_are_conversations_or_else_traces() -> None:
    named = {"gen_ai.conversation.id": "c1"}
    found = rows(
        "Session",
        spans(call(1, 1, values=named), call(5, 1, values=named, trace=2), call(9, 1, trace=3)),
    )
    assert found.keys() == {"otlp:c1", f"otlp:{3:032x}"}
    assert found["otlp:c1"]["completed_at"] - found["otlp:c1"]["started_at"] == 5 * SECOND


def test_tools_succeed_or_fail() -> None:
    values = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    boom = {
        "name": "exception",
        "timeUnixNano": "1",
        "attributes": telemetry.attributes(
            {
                "exception.type": "KeyError",
                "exception.message": "no row 4711 in '/srv/x'",
                "exception.stacktrace": "Traceback: token=abcdef123456",
            }
        ),
    }
    good, bad = span(1, values), span(2, values, status={"code": 2}, events=[boom])
    late = span(3, values | {"error.type": "ReadTimeout"})
    found = rows("Tool", spans(good, bad, late))
    outcomes = [(row["success_count"], row.get("error_class")) for row in found.values()]
    assert outcomes == [(1, None), (0, "tool"), (0, "timeout")]
    assert {row["total_duration_ms"] for row in found.values()} == {Decimal(1000)}
    errors = rows("Error", spans(good, bad, late))
    first = errors[f"otlp:{1:032x}/{2:016x}"]
    assert (first["error_type"], first["tool_name"]) == ("KeyError", "search")
    assert first["error_message"] == "no row N in '…'"
    assert "error_stack_trace" not in first
    kept = rows("Error", spans(bad), reading=Reading(Assignments(), with_content=True))
    (trace,) = [row["error_stack_trace"] for row in kept.values()]
    assert trace.startswith("Traceback")
    assert "abcdef123456" not in trace


def test_a_failed_call_is_one_error_though_the_agent_around_it_failed_too() -> None:
    status = {"code": "STATUS_CODE_ERROR", "message": "overloaded"}
    agent = span(1, {"gen_ai.operation.name": "invoke_agent"}, status=status)
    failed = call(2, 0, parent=1, status=status)
    error = one("Error", spans(agent, failed))
    assert (error["error_class"], error["error_message"]) == ("api", "overloaded")
    assert one("Task", spans(agent, failed))["status"] == "failed"


def test_rules_of_assignment_know_the_service_and_its_repository() -> None:
    rules = (WorkAssignment(agent="shop-*", repository="*till*", node_id="n", project_id="p"),)
    reading = Reading(Assignments(rules))
    line = spans(call(1, 1), **{"vcs.repository.url.full": "https://forge.example/till.git"})
    assert (one("Message", line, reading=reading)["node_id"]) == "n"
    assert one("Message", line)["project_id"] == "till"
    plain = spans(call(1, 1), **{"process.working_directory": "/srv/shop"})
    assert one("Message", plain)["project_id"] == "shop"


def test_a_request_of_claude_code_is_a_message_with_its_cost() -> None:
    row = one("Message", logs(event("api_request", REQUEST, at=5000), **CLAUDE))
    assert row["cost_usd"] == Decimal("0.012345")
    assert row["cost_basis"] == "estimate"
    assert (row["input_tokens"], row["output_tokens"]) == (7, 250)
    assert (row["cache_read_tokens"], row["cache_write_5m_tokens"]) == (9000, 120)
    assert (row["sent_at"], row["completed_at"]) == (BEGAN + 2_500_000, BEGAN + 5 * SECOND)
    assert (row["session_id"], row["request_id"]) == ("5f0c", "req_011CU")
    sessions = rows("Session", logs(event("api_request", REQUEST), **CLAUDE))
    assert {key: row["status"] for key, row in sessions.items()} == {"5f0c": "completed"}
    asked = logs(event("user_prompt", {"session.id": "5f0c", "prompt.id": "p"}), **CLAUDE)
    assert "status" not in one("Session", asked)


def test_a_request_counts_once_as_event_and_as_span() -> None:
    values = {name: value for name, value in REQUEST.items() if name != "cost_usd"}
    traced = span(1, values, name="claude_code.llm_request")
    found = rows("Message", logs(event("api_request", REQUEST), **CLAUDE), spans(traced, **CLAUDE))
    (row,) = found.values()
    assert list(found) == ["request:req_011CU"]
    assert (row["output_tokens"], row["cost_usd"]) == (250, Decimal("0.012345"))


def test_requests_without_an_id_count_each() -> None:
    values = {name: value for name, value in REQUEST.items() if name != "request_id"}
    line = logs(event("api_request", values, 1), event("api_request", values, 2), **CLAUDE)
    assert len(rows("Message", line, line)) == 2


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        (0.1, Decimal("0.1")),
        ("0.0000001", Decimal("0.0000001")),
        ("1e-13", Decimal(0)),
        (2, Decimal(2)),
        ("NaN", None),
        ("-1", None),
        (True, None),
        ("much", None),
    ],
)
def test_costs_are_exact_or_not_known(told: Any, amount: Decimal | None) -> None:  # noqa: ANN401
    row = one("Message", logs(event("api_request", REQUEST | {"cost_usd": told}), **CLAUDE))
    assert row.get("cost_usd") == amount
    assert row.get("cost_basis") == (None if amount is None else "estimate")


def test_tools_prompts_and_errors_of_claude_code() -> None:
    common = {"session.id": "5f0c"}
    shell = {"tool_name": "Bash", "tool_use_id": "toolu_01", "duration_ms": "40", "success": "true"}
    edit = {"tool_name": "Edit", "duration_ms": 5, "success": False, "error": "Timed out after 5 s"}
    asked = {"full_command": "npm test --token=abc"}
    line = logs(
        event("tool_result", common | shell | {"tool_parameters": json.dumps(asked)}, 100),
        event("tool_result", common | edit, 200),
        event("user_prompt", common | {"prompt.id": "p1", "prompt_length": "11", "prompt": "hi"}),
        event("api_error", common | {"error": "Overloaded", "status_code": "529"}, 300),
        event("tool_decision", common),
        **CLAUDE,
    )
    tools = rows("Tool", line)
    good = tools.pop("toolu_01")
    assert (good["success_count"], good["subject"]) == (1, "npm test")
    assert good["total_duration_ms"] == 40
    assert good["used_at"] == BEGAN + 60_000
    ((key, bad),) = tools.items()
    assert key.startswith("event:")
    assert (bad["success_count"], bad["error_class"]) == (0, "timeout")
    errors = {row["error_class"]: row for row in rows("Error", line).values()}
    assert errors["api"]["error_type"] == "api_error 529"
    assert errors["timeout"]["tool_name"] == "Edit"
    prompt = rows("Message", line)["prompt:p1"]
    assert (prompt["role"], prompt["content_chars"], "content" in prompt) == ("user", 11, False)
    kept = rows("Message", line, reading=Reading(Assignments(), with_content=True))
    assert kept["prompt:p1"]["content"] == "hi"
    assert read(line).skipped == {"event claude_code.tool_decision": 1}


def test_a_session_that_transcripts_know_is_not_assigned_by_less_than_they_know() -> None:
    line = logs(event("api_request", REQUEST), **CLAUDE)
    assert one("Session", line)["node_id"] == "claude-code"
    rules = (WorkAssignment(cwd="/srv/*", node_id="n"),)
    assert "node_id" not in one("Session", line, reading=Reading(Assignments(rules)))
    placed = logs(
        event("api_request", REQUEST), **CLAUDE, **{"process.working_directory": "/srv/shop"}
    )
    assert one("Session", placed, reading=Reading(Assignments(rules)))["node_id"] == "n"


def test_what_is_passed_over_is_counted() -> None:
    metric = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "claude_code.cost"}]}]}]}
    findings = read(
        json.dumps(metric),
        spans(span(1, {"http.request.method": "GET"}), span(2, {"gen_ai.operation.name": "dream"})),
        logs(event("x", {}) | {"body": {"stringValue": "hello"}, "attributes": []}),
        spans(call(1, 1) | {"traceId": ""}, call(2, 2) | {"startTimeUnixNano": "0"}),
    )
    assert findings.records == {}
    assert findings.skipped == {
        "metric claude_code.cost": 1,
        "span of something else": 1,
        "span of an unknown operation": 1,
        "log record hello": 1,
        "span without an id": 1,
        "span without a time": 1,
    }


def test_lines_that_are_no_otlp_are_set_aside() -> None:
    good = spans(call(1, 7))
    findings = read(
        "{}", "[]", "nonsense", b'{"resourceSpans": "\xff"', good, '{"resourceLogs": 3}'
    )
    assert [broken.line for broken in findings.broken] == [1, 2, 3, 4]
    assert len(merged([findings])) == 2
    for torn, shown in ((b"\xff", "\ufffd"), (rb"\ud83e", "?")):
        replaced = merged([read(good.encode().replace(b"gpt-5", b"gpt-" + torn))])
        models = {row.get("model") for row in replaced.values()} - {None}
        assert models == {f"gpt-{shown}"}


def test_files_are_found_in_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/traces.jsonl", "logs.json", "notes.txt"):
        (tmp_path / name).write_text("")
    found = [path.name for path in IMPORTER.find(tmp_path)]
    assert found == ["traces.jsonl", "logs.json"]
    assert IMPORTER.find(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]
    assert IMPORTER.places() == []


def _work(seed: int) -> tuple[list[str], int]:
    """Return lines of a random piece of work, and the output tokens of its calls."""
    chance = random.Random(seed)  # noqa: S311 - for tests
    found: list[str] = []
    total = 0
    for trace in range(1, 4):
        number = used = 0
        for _ in range(chance.randint(1, 4)):
            number += 2
            output = chance.randint(0, 99)
            used += output
            values = {"gen_ai.response.id": f"resp-{trace:08}-{number:08}"}
            told = values if chance.random() < 0.5 else {}
            found.append(spans(call(number, output, parent=1, trace=trace, values=told)))
            tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"}
            found.append(spans(span(number + 1, tool, parent=1, trace=trace)))
        agent = {"gen_ai.operation.name": "invoke_agent"}
        found.append(spans(call(1, used, trace=trace, values=agent)))
        total += used
    for number in range(chance.randint(0, 3)):
        values = REQUEST | {"request_id": f"req_{number}", "output_tokens": str(number)}
        found.append(logs(event("api_request", values, number), **CLAUDE))
        total += number
    return found, total


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_order_and_division_of_files_do_not_matter(seed: int, data: st.DataObject) -> None:
    lines, total = _work(seed)
    whole = merged([read(*lines)])
    calls = [row for (kind, _), row in whole.items() if kind == "Message"]
    assert sum(row["output_tokens"] for row in calls) == total
    shuffled = data.draw(st.permutations(lines))
    copies = data.draw(st.lists(st.sampled_from(lines), max_size=5))
    cut = data.draw(st.integers(0, len(lines)))
    assert merged([read(*shuffled[:cut], *copies), read(*shuffled[cut:])]) == whole


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.floats(0, 1), max_size=4))
def test_where_a_growing_file_is_read_does_not_matter(seed: int, cuts: Sequence[float]) -> None:
    lines, _ = _work(seed)
    text = "".join(f"{line}\n" for line in lines).encode()
    assert _grown(text, sorted(int(cut * len(text)) for cut in cuts)) == merged([read(*lines)])


def _grown(text: bytes, stops: Sequence[int]) -> Merged:
    with TemporaryDirectory() as folder:
        log = Path(folder) / "otlp.jsonl"
        position, readings = Position(), []
        for stop in [*stops, len(text)]:
            log.write_bytes(text[:stop])
            readings.append(Findings())
            position = IMPORTER.read(log, position, READING, readings[-1])
        return merged(readings)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_wrong_types_anywhere_are_no_accident(data: st.DataObject) -> None:
    lines = [
        spans(call(1, 5, status={"code": 2}, events=[{"name": "exception", "attributes": []}])),
        spans(span(2, {"gen_ai.operation.name": "execute_tool"})),
        logs(event("api_request", REQUEST), event("tool_result", {"success": "false"}), **CLAUDE),
    ]
    value = json.loads(data.draw(st.sampled_from(lines)))
    read(json.dumps(_spoiled(value, data)))


def _spoiled(value: Any, data: st.DataObject) -> Any:  # noqa: ANN401 - any JSON
    """Return the value with one of its parts replaced by anything."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 9)) == 0:
        return data.draw(JSON)
    where = data.draw(
        st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value)))
    )
    copy = value.copy()
    copy[where] = _spoiled(value[where], data)
    return copy
