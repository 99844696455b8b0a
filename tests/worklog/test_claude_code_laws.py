"""Wherever a transcript is cut, in whatever order and however often it is read, the book is one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worklog.claude import assistant, call, line, log, result, text, user
from tests.worklog.merging import Book, booked, read

from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.claude_code import IMPORTER
from pnlbook.worklog.importer import Reading
from pnlbook.worklog.records import Message, columns

if TYPE_CHECKING:
    from collections.abc import Callable

OUTCOMES: tuple[tuple[Any, Any, bool | None], ...] = (
    ("ok", {"stdout": "ok", "interrupted": False}, None),
    ("ok", {"stdout": "", "interrupted": True}, False),
    ("Exit code 1\nboom", "Error: Exit code 1", True),
    ("The user doesn't want to proceed with this tool use.", "User rejected tool use", True),
    ("done", {"filePath": "/x", "structuredPatch": [{"lines": ["+a", "-b"]}]}, None),
    ("done", {"type": "create", "filePath": "/y", "content": "a\nb"}, None),
    ("done", None, None),
)
SAID = (
    "go",
    "[Request interrupted by user]",
    "<command-name>/review</command-name>",
    "<local-command-stdout>",
)
TOOLS = ("Bash", "Edit", "Write", "Read", "AskUserQuestion", "mcp__x__y")


class Writer:
    """Writes lines as sessions, subagents and copies do, by numbers that are drawn."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.lines: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.open: list[tuple[str, dict[str, Any]]] = []
        self.messages = 0

    def number(self, most: int) -> int:
        number: int = self.draw(st.integers(0, most))
        return number

    def write(self) -> None:
        self.seconds += self.number(40) - 5
        name = self.draw(
            st.sampled_from(("prompt", "answer", "answer", "again", "result", "other"))
        )
        getattr(self, name)()

    def more(self) -> dict[str, Any]:
        before = f"l{self.number(len(self.lines))}"
        stream = self.number(4)
        more: dict[str, Any] = {"parentUuid": before, "sessionId": f"s{stream % 2}"}
        if stream > 2:
            more |= {"isSidechain": True} | ({"agentId": "a1"} if stream > 3 else {})
        return more

    def id(self) -> str:
        return f"l{len(self.lines)}"

    def prompt(self) -> None:
        said = self.draw(st.sampled_from(SAID))
        mode = self.draw(st.sampled_from(("default", "bypassPermissions")))
        self.lines.append(
            user(self.id(), self.seconds, text(said), permissionMode=mode, **self.more())
        )

    def answer(self) -> None:
        self.messages += 1
        self._answer(f"msg_{self.messages}")

    def again(self) -> None:
        self._answer(f"msg_{max(1, self.messages - self.number(2))}")

    def _answer(self, message: str) -> None:
        usage: dict[str, Any] = {"output_tokens": self.number(9), "input_tokens": self.number(9)}
        usage["cache_creation_input_tokens"] = 7
        if self.number(1):
            usage["iterations"] = []
        stop = self.draw(st.sampled_from((None, None, "tool_use", "end_turn")))
        more, content = self.more(), text("x" * self.number(5))
        if self.number(1):
            key, tool = f"t{len(self.lines)}", self.draw(st.sampled_from(TOOLS))
            content += call(
                key, tool, file_path="/x", command="npm test", old_string="a\nb", new_string="a"
            )
            self.open.append((key, more))
        told = assistant(self.id(), self.seconds, message, content, usage, stop, **more)
        if self.number(9) == 0:
            told |= {"isApiErrorMessage": True, "error": "server_error"}
            told["message"]["model"] = "<synthetic>"
        if self.number(5) == 0:
            told = line(
                "progress", f"p{self.id()}", self.seconds, data={"agentId": "a2", "message": told}
            )
        self.lines.append(told)

    def result(self) -> None:
        if self.open:
            key, more = self.open.pop(self.number(len(self.open) - 1))
            content, outcome, error = self.draw(st.sampled_from(OUTCOMES))
            self.lines.append(
                result(self.id(), self.seconds, key, content, outcome, error=error, **more)
            )

    def other(self) -> None:
        name = self.draw(st.sampled_from(("turn_duration", "api_error", "compact_boundary")))
        kind = self.draw(st.sampled_from(("system", "progress", "summary")))
        self.lines.append(line(kind, self.id(), self.seconds, subtype=name, **self.more()))


@st.composite
def transcripts(draw: Callable[..., Any]) -> list[dict[str, Any]]:
    writer = Writer(draw)
    for _ in range(draw(st.integers(1, 40))):
        writer.write()
    return writer.lines


CUTS = st.lists(st.integers(0, 20_000), max_size=4)


def reading(*, with_content: bool) -> Reading:
    return Reading(Assignments(), with_content=with_content)


@given(transcripts(), CUTS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_where_a_transcript_is_cut_does_not_matter(
    lines: list[dict[str, Any]], cuts: list[int], with_content: bool
) -> None:
    how = reading(with_content=with_content)
    whole = booked(IMPORTER, log(*lines), reading=how)
    assert booked(IMPORTER, log(*lines), cuts, reading=how).rows == whole.rows


@given(transcripts(), CUTS)
@settings(max_examples=60, deadline=None)
def test_parts_may_come_in_one_load(lines: list[dict[str, Any]], cuts: list[int]) -> None:
    parts = read(IMPORTER, log(*lines), cuts)
    assert Book().load(*parts).rows == booked(IMPORTER, log(*lines)).rows


@given(transcripts(), st.integers(0, 40), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_copy_of_the_beginning_adds_nothing(
    lines: list[dict[str, Any]], end: int, together: bool, copy_first: bool
) -> None:
    logs = [*read(IMPORTER, log(*lines)), *read(IMPORTER, log(*lines[:end]))]
    told = Book()
    for load in [logs] if together else [[one] for one in (logs[::-1] if copy_first else logs)]:
        told.load(*load)
    assert told.rows == Book().load(logs[0]).rows


@given(transcripts(), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_usage_counts_once_whatever_the_file_split(
    lines: list[dict[str, Any]], first: int, second: int
) -> None:
    """Any two files that together have all lines give each message its largest counters."""
    overlap, rest = sorted((first, second))
    files = [lines[:rest], lines[overlap:]]
    logs = [found for one in files for found in read(IMPORTER, log(*one))]
    counted: dict[str, int] = {}
    for one in lines:
        nested = one["data"].get("message") if "data" in one else one
        message = nested and nested.get("message")
        if message and "usage" in message and message["model"] != "<synthetic>":
            key = message["id"]
            counted[key] = max(counted.get(key, 0), message["usage"]["output_tokens"])
    for load in (logs, logs[::-1]):
        told = Book().load(*load).of(Message)
        assert {k: row.output_tokens for k, row in told.items() if row.model} == counted


@given(st.lists(transcripts(), min_size=1, max_size=3), st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_files_does_not_matter(
    files: list[list[dict[str, Any]]],
    chance: Any,  # noqa: ANN401 - random.Random
) -> None:
    logs = [read(IMPORTER, log(*lines))[0] for lines in files]
    whole = Book().load(*logs)
    shuffled = logs[:]
    chance.shuffle(shuffled)
    assert Book().load(*shuffled).rows == whole.rows


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ("", "assistant", "user", "tool_result", "2026-03-02T09:00:00Z", "t1", "\x00")
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "text", "content", "id", "lines", "message", "usage")),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(transcripts(), st.lists(st.tuples(st.integers(0, 10**6), VALUES), max_size=6), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_value_in_any_place_is_borne(
    lines: list[dict[str, Any]], changes: list[tuple[int, Any]], with_content: bool
) -> None:
    lines = copy.deepcopy(lines)
    for where, value in changes if lines else ():
        places = list(_places(lines))
        holder, key = places[where % len(places)]
        holder[key] = value
    (found,) = read(IMPORTER, log(*lines), reading=reading(with_content=with_content))
    for kind, records in found.records.items():
        for name, column in columns(kind).items():
            pa.array([getattr(record, name) for record in records], column.type)
        pa.array([record.key for record in records], pa.string())


def _places(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, (dict, list)):
        for key, one in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(one)


@given(st.lists(VALUES, max_size=5))
@settings(max_examples=60, deadline=None)
def test_any_json_is_borne(values: list[Any]) -> None:
    read(IMPORTER, log(*values))


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_borne(data: bytes) -> None:
    read(IMPORTER, data)
