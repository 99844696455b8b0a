"""Chat histories of aider: a real one against a plain reading, and every form of its lines."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worklog.plain_rows import Merged, merged

from pnlbook.config import WorkAssignment
from pnlbook.worklog.aider import IMPORTER
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.importer import Findings, Position, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE = Path("tests/data/worklog/aider/chat-history.md")
READING = Reading(Assignments())
COST = "Cost: $0.01 message, $0.01 session."
KEEPING = Reading(Assignments(), with_content=True)
HEAD = "\n# aider chat started at 2025-03-04 05:06:07\n\n"
MODEL = "> Main model: sonnet with diff edit format, infinite output  \n"


def read(text: str | bytes, reading: Reading = READING) -> Findings:
    with TemporaryDirectory() as folder:
        log = Path(folder) / ".aider.chat.history.md"
        log.write_bytes(text.encode() if isinstance(text, str) else text)
        findings = Findings()
        IMPORTER.read(log, Position(), reading, findings)
        return findings


def rows(kind: str, text: str, reading: Reading = READING) -> list[dict[str, Any]]:
    found = merged([read(text, reading)])
    return [row for (name, _), row in sorted(found.items()) if name == kind]


def answer(line: str) -> dict[str, Any]:
    (row,) = rows("Message", f"{HEAD}{MODEL}\nSure.\n\n{line}  \n")
    return row


def test_the_sample_agrees_with_a_plain_reading() -> None:
    findings = read(SAMPLE.read_bytes())
    found = merged([findings])
    lines = SAMPLE.read_text().split("\n")
    told = [line.split() for line in lines if line.startswith("> Tokens: ")]
    answers = [row for (kind, _), row in found.items() if kind == "Message" and "model" in row]
    assert len(answers) == len(told) == 21
    assert sum(row["input_tokens"] for row in answers) == sum(_plain(words[2]) for words in told)
    assert sum(row["output_tokens"] for row in answers) == sum(_plain(words[4]) for words in told)
    costs = [Decimal(words[words.index("Cost:") + 1][1:]) for words in told]
    assert sum(row["cost_usd"] for row in answers) == sum(costs)
    heads = [line for line in lines if line.startswith("# aider chat started at ")]
    assert len([1 for kind, _ in found if kind == "Session"]) == len(heads)
    edits = [line for line in lines if line.startswith("> Applied edit to ")]
    assert len([1 for kind, _ in found if kind == "Change"]) == len(edits)
    commits = [line for line in lines if line.startswith("> Commit ")]
    refused = [line for line in lines if line.startswith("> The LLM did not conform")]
    tools = [row for (kind, _), row in found.items() if kind == "Tool"]
    assert len(tools) == len(edits) + len(commits) + len(refused)
    assert sum(row["success_count"] for row in tools) == len(edits) + len(commits)
    assert findings.broken == []
    assert findings.skipped.total() == _before_first_session(lines)


def _plain(text: str) -> int:
    return int(text.replace(",", ""))


def _before_first_session(lines: list[str]) -> int:
    first = next(at for at, line in enumerate(lines) if line.startswith("# aider chat started"))
    return sum(line.startswith((">", "####")) and line.endswith("  ") for line in lines[:first])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("> Tokens: 5,244 sent, 604 received.", (5244, None, None, 604, None)),
        (
            "> Tokens: 5,244 sent, 604 received. Cost: $0.02 request, $0.12 session.",
            (5244, None, None, 604, "0.02"),
        ),
        (
            "> Tokens: 12k sent, 1.2k received. Cost: $0.0019 message, $1.10 session.",
            (12000, None, None, 1200, "0.0019"),
        ),
        (
            "> Tokens: 1.5M sent, 84 received. Cost: $1,234.50 send, $2,000.00 session.",
            (1_500_000, None, None, 84, "1234.50"),
        ),
        (
            "> Tokens: 10k sent, 6.0k cache hit, 84 received. Cost: $0.01 message, $0.01 session.",
            (4000, 6000, None, 84, "0.01"),
        ),
        (
            f"> Tokens: 10k sent, 3k cache write, 6.0k cache hit, 84 received.\n{COST}",
            (1000, 6000, 3000, 84, "0.01"),
        ),
        # more from a cache than was sent: rounded, or counted apart
        ("> Tokens: 2 sent, 6.0k cache hit, 84 received.", (2, 6000, None, 84, None)),
        ("> Tokens: 0 sent, 0 received.", (0, None, None, 0, None)),
    ],
)
def test_every_form_of_the_line_of_tokens(line: str, expected: tuple[Any, ...]) -> None:
    row = answer(line)
    names = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens")
    told = None if expected[4] is None else Decimal(expected[4])
    assert (*(row.get(name) for name in names), row.get("cost_usd")) == (*expected[:4], told)
    assert row.get("cost_basis") == (None if told is None else "estimate")
    assert (row["model"], row["role"], row["usage_final"]) == ("sonnet", "assistant", True)


def test_the_cost_of_a_session_is_not_added_to_that_of_its_answers() -> None:
    line = "> Tokens: 1 sent, 1 received. Cost: ${} message, ${} session.  \n"
    text = HEAD + line.format("0.02", "0.02") + line.format("0.03", "0.05")
    assert sum(row["cost_usd"] for row in rows("Message", text)) == Decimal("0.05")


def test_a_line_of_tokens_that_says_something_else_is_none() -> None:
    for line in (
        "> Tokens: many sent, 1 received.",
        "> Tokens: 1..2 sent, 1 received.",
        "Tokens: 1",
    ):
        assert rows("Message", f"{HEAD}{line}  \n") == []


@pytest.mark.parametrize(
    ("said", "model"),
    [
        ("Model: gpt-4o with whole edit format", "gpt-4o"),
        ("Models: gpt-4o with diff edit format, weak model gpt-4o-mini", "gpt-4o"),
        ("Main model: o1 with architect edit format", "o1"),
        ("Weak model: gpt-4o-mini", None),
        ('prefix = "Model: x with diff edit format"', None),
    ],
)
def test_the_model_is_the_main_one_named_last(said: str, model: str | None) -> None:
    tokens = "> Tokens: 1 sent, 1 received.  \n"
    first, second = rows("Message", f"{HEAD}{tokens}> {said}  \n{tokens}")
    assert (first.get("model"), second.get("model")) == (None, model)
    (third,) = rows("Message", f"{HEAD}{MODEL}> {said}  \n{tokens}")
    assert third["model"] == model or model is None


def test_prompts_are_told_from_headings_commands_and_what_aider_asks() -> None:
    text = (
        HEAD + "#### add a test  \n####   \n#### for it  \n\n#### /diff  \n\n#### /ask why?  \n\n"
        "####  why?  \n\n#### Heading of an answer\n\n#### # Fix any errors below, if possible.  \n"
        "#### E501  \n\n#### !ls  \n\n#### <blank>  \n"
    )
    found = rows("Message", text, KEEPING)
    assert [(row["role"], row["content"]) for row in found] == [
        ("user", "add a test\n\nfor it"),
        ("user", " why?"),
        ("system", "# Fix any errors below, if possible.\nE501"),
    ]
    assert [row["content_chars"] for row in found] == [len(row["content"]) for row in found]
    bare = rows("Message", text)
    assert [row["content_chars"] for row in bare] == [row["content_chars"] for row in found]
    assert not any("content" in row for row in bare)
    (session,) = rows("Session", text, KEEPING)
    assert session["initial_prompt"] == "add a test\n\nfor it"
    assert "initial_prompt" not in rows("Session", text)[0]


def test_texts_are_kept_only_when_asked_for_and_without_secrets() -> None:
    key = "sk-" + "a" * 40
    text = f"{HEAD}#### use {key}  \n\nOne.\n\n\nTwo.\n\n> Tokens: 1 sent, 1 received.  \n"
    prompt, reply = rows("Message", text, KEEPING)
    assert key not in prompt["content"]
    assert reply["content"] == "One.\n\n\nTwo."
    for reading in (READING, KEEPING):
        with TemporaryDirectory() as folder:
            log = Path(folder) / "h.md"
            log.write_text(text + f"#### and {key}  \n")
            state = IMPORTER.read(log, Position(), reading, Findings()).state
            assert state is not None
            assert key not in state
            assert ("and" in json.dumps(json.loads(state)["prompt"])) is reading.with_content


def test_edits_commits_and_failures() -> None:
    text = (
        HEAD + "> Aider v0.80.1  \n> Applied edit to a/b.py  \n> Commit 0123abc fix: it\n\nbody  \n"
        "> The LLM did not conform to the edit format.  \n> Attempt to fix lint errors? y  \n"
        "> litellm.RateLimitError: slow down, 4711  \n> Retrying in 0.2 seconds...  \n"
        "> Unexpected error: boom in /srv/x.py  \n> Model x has hit a token limit!  \n"
    )
    edit, commit, refused = rows("Tool", text)
    assert (edit["tool_name"], edit["subject"], edit["success_count"]) == ("edit", "a/b.py", 1)
    assert (commit["tool_name"], commit["success_count"]) == ("commit", 1)
    assert (refused["tool_name"], refused["success_count"]) == ("edit", 0)
    (change,) = rows("Change", text)
    assert (change["file_path"], change["origin"]) == ("a/b.py", "edit")
    assert change["file_class"] == "source"
    assert "lines_added" not in change
    found = [
        (row["error_type"], row["error_class"], row["error_message"]) for row in rows("Error", text)
    ]
    assert found == [
        ("edit_format", "tool", "The LLM did not conform to the edit format"),
        ("lint_failed", "exit_code", "Attempt to fix lint errors"),
        ("api_error", "api", "litellm.RateLimitError: slow down, N"),
        ("unexpected_error", "api", "Unexpected error: boom in PATH"),
        ("token_limit", "api", "Model x has hit a token limit!"),
    ]
    (session,) = rows("Session", text)
    assert (session["agent"], session["agent_version"]) == ("aider", "0.80.1")


def test_all_of_a_session_has_the_time_of_its_beginning_in_the_zone_of_this_machine() -> None:
    moment = datetime(2025, 3, 4, 5, 6, 7).astimezone()
    text = f"{HEAD}#### hi  \n\n> Tokens: 1 sent, 1 received.  \n"
    findings = read(text)
    assert "machine's" in findings.notes[0]
    (session,) = rows("Session", text)
    assert session["started_at"] == int(moment.timestamp()) * 1_000_000
    assert "completed_at" not in session
    assert {row["sent_at"] for row in rows("Message", text)} == {session["started_at"]}


def test_keys_are_in_the_order_of_lines() -> None:
    text = HEAD + "".join(f"#### {n}  \n\n> Tokens: {n} sent, 1 received.  \n" for n in range(30))
    found = merged([read(text, KEEPING)])
    keys = sorted(key for kind, key in found if kind == "Message")
    order = [found["Message", key]["content"] for key in keys if "content" in found["Message", key]]
    assert [int(text) for text in order if text.isdigit()] == list(range(30))


def test_what_has_no_date_is_set_aside_or_counted() -> None:
    tokens = "> Tokens: 1 sent, 1 received.  \n"
    findings = read(f"#### hi  \n\n{tokens}{HEAD}{tokens}")
    assert [(one.line, one.raw) for one in findings.broken] == [(3, tokens.rstrip("\n"))]
    assert findings.skipped == {"line of a session without a beginning": 1}
    assert len(merged([findings])) == 2
    wrong = read(f"# aider chat started at 2025-13-04 05:06:07\n{tokens}")
    assert [one.line for one in wrong.broken] == [1, 2]


def test_sessions_of_the_same_second_are_told_apart() -> None:
    same = f"{HEAD}#### hi  \n\n> Tokens: 1 sent, 1 received.  \n"
    assert len(rows("Session", same + same)) == 2
    assert len(rows("Message", same + same)) == 4
    other = same.replace("hi", "ho")
    both = merged([read(same), read(other)])
    assert len([1 for kind, _ in both if kind == "Message"]) == 4
    assert _placeless(merged([read(same), read(same)])) == _placeless(merged([read(same)]))


def test_the_node_is_aider_and_the_project_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / ".aider.chat.history.md").write_text(HEAD + "#### hi  \n")
    (folder / ".venv").mkdir()
    (folder / ".venv" / ".aider.chat.history.md").write_text("")
    (log,) = IMPORTER.find(tmp_path)
    findings = Findings()
    IMPORTER.read(log, Position(), READING, findings)
    assert {
        (one.node_id, one.project_id) for found in findings.records.values() for one in found
    } == {("aider", "shop")}


def test_a_subscription_makes_an_estimate() -> None:
    rules = (WorkAssignment(agent="aider", subscription=True),)
    (row,) = rows(
        "Message", f"{HEAD}> Tokens: 1 sent, 1 received.  \n", Reading(Assignments(rules))
    )
    assert row["cost_basis"] == "estimate"


def test_since_leaves_out_sessions_that_began_before() -> None:
    later = HEAD.replace("2025", "2026")
    text = f"{HEAD}#### old  \n{later}#### new  \n"
    since = rows("Session", text)[1]["started_at"]
    found = merged([read(text, Reading(Assignments(), since=since))])
    assert len(found) == 2
    assert {row.get("started_at", row.get("sent_at")) for row in found.values()} == {since}


def test_lines_may_end_as_on_windows_and_hold_anything() -> None:
    text = f"{HEAD}#### hi \ud83e  \n\n> Tokens: 1 sent, 1 received.  \n".replace("\n", "\r\n")
    findings = read(text.encode("utf-8", "surrogatepass"), KEEPING)
    assert len(merged([findings])) == 3
    assert findings.broken == []


_LINES = st.sampled_from(
    [
        HEAD,
        HEAD,
        HEAD.replace("05:06", "05:07"),
        "#### fix it  \n#### and that  \n\n",
        "#### /undo  \n\n",
        "#### # Fix any errors below, if possible.  \n#### E501  \n",
        "Sure, here it is.\n\n#### Heading\n\n",
        MODEL,
        "> Tokens: 1,000 sent, 5 received. Cost: $0.01 message, $0.01 session.  \n",
        "> Tokens: 2k sent, 1k cache write, 500 cache hit, 7 received.\n",
        "Cost: $0.02 message, $0.03 session.  \n",
        "> Applied edit to a.py  \n> Commit abcdef1 it  \n",
        "> Aider v1.2  \n> trouble  \n> Retrying in 0.2 seconds...  \n",
    ]
)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(_LINES, max_size=14), cuts=st.lists(st.floats(0, 1), max_size=5))
def test_where_a_growing_history_is_read_does_not_matter(
    parts: Sequence[str], cuts: Sequence[float]
) -> None:
    text = "".join(parts).encode()
    stops = sorted(int(cut * len(text)) for cut in cuts)
    assert _grown(text, stops, KEEPING) == _placeless(merged([read(text, KEEPING)]))
    assert _grown(text, stops, READING) == _placeless(merged([read(text)]))


def _grown(text: bytes, stops: Sequence[int], reading: Reading) -> Merged:
    with TemporaryDirectory() as folder:
        log = Path(folder) / ".aider.chat.history.md"
        position, readings = Position(), []
        for stop in [*stops, len(text)]:
            log.write_bytes(text[:stop])
            readings.append(Findings())
            position = IMPORTER.read(log, position, reading, readings[-1])
        return _placeless(merged(readings))


def _placeless(found: Merged) -> Merged:
    """Return what was found without the folder that it was found in."""
    return {
        key: {name: value for name, value in row.items() if name not in {"cwd", "project_id"}}
        for key, row in found.items()
    }


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    read(data, KEEPING)
    read(HEAD.encode() + data, KEEPING)
