"""Wherever a rollout is cut, in whatever order and however often it is read, the book is one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.worklog.claude import log
from tests.worklog.merging import Book, booked, read
from tests.worklog.rollout import (
    SESSION,
    answer,
    context,
    counted,
    ended,
    event,
    item,
    meta,
    output,
    patch,
    run,
    said,
    told,
)

from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.codex import IMPORTER
from pnlbook.worklog.importer import Reading
from pnlbook.worklog.records import Message, Session, columns

if TYPE_CHECKING:
    from collections.abc import Callable

PATCH = "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** End Patch"
OUTPUTS = (ended(0), ended(1), "exec command rejected by user", "Process running with session ID 7")
FORK = "0199a213-0000-7000-8000-00000000000f"


class Writer:
    """Writes lines as the program does, by numbers that are drawn."""

    def __init__(self, draw: Callable[..., Any], *, turn_ids: bool) -> None:
        self.draw = draw
        self.turn_ids = turn_ids
        self.lines: list[dict[str, Any]] = [context(0)]
        self.seconds = 1
        self.open: list[str] = []
        self.total = [0, 0, 0]
        self.turns = 0
        self.spent: list[tuple[int, int, int]] = []

    def number(self, most: int) -> int:
        number: int = self.draw(st.integers(0, most))
        return number

    def write(self) -> None:
        self.seconds += self.number(30)
        name = self.draw(st.sampled_from(("prompt", "answer", "call", "end", "count", "other")))
        getattr(self, name)()

    def prompt(self) -> None:
        self.turns += 1
        words = f"go {self.number(2)}"
        if self.turn_ids:
            self.lines.append(event("task_started", self.seconds, turn_id=f"turn-{self.turns}"))
        both = [told(self.seconds, words), said(self.seconds, words)]
        self.lines += self.draw(st.sampled_from((both, both[::-1], both[:1], both[1:])))

    def answer(self) -> None:
        self.lines.append(answer(self.seconds, "x" * self.number(3), id=f"a{len(self.lines)}"))

    def call(self) -> None:
        key = f"call_{len(self.lines)}"
        self.open.append(key)
        stdin = item(
            "function_call",
            self.seconds,
            name="write_stdin",
            arguments={"session_id": 7},
            call_id=key,
        )
        made = (run(self.seconds, key, "npm test"), patch(self.seconds, key, PATCH), stdin)
        self.lines.append(self.draw(st.sampled_from(made)))

    def end(self) -> None:
        if self.open:
            key = self.open.pop(self.number(len(self.open) - 1))
            if self.number(2) == 0:
                self.lines.append(event("patch_apply_end", self.seconds, call_id=key, success=True))
            if self.number(2) == 0:
                self.lines.append(
                    event("exec_command_end", self.seconds, call_id=key, exit_code=self.number(1))
                )
            self.lines.append(output(self.seconds, key, self.draw(st.sampled_from(OUTPUTS))))

    def count(self) -> None:
        if self.number(1):
            gain = (1 + self.number(20), 0, 1 + self.number(5))
            self.total = [one + more for one, more in zip(self.total, gain, strict=True)]
            self.spent.append(gain)
        if self.spent:
            total = (self.total[0], self.total[1], self.total[2])
            self.lines.append(counted(self.seconds, total, self.spent[-1]))

    def other(self) -> None:
        kind = self.draw(
            st.sampled_from(("turn_aborted", "task_complete", "error", "context_compacted"))
        )
        self.lines.append(event(kind, self.seconds, message="boom 1", reason="interrupted"))


@st.composite
def rollouts(draw: Callable[..., Any]) -> tuple[list[dict[str, Any]], list[tuple[int, int, int]]]:
    """Return the lines after the first one of a session, and what its responses took."""
    writer = Writer(draw, turn_ids=draw(st.booleans()))
    for _ in range(draw(st.integers(1, 40))):
        writer.write()
    return writer.lines, writer.spent


CUTS = st.lists(st.integers(0, 12_000), max_size=4)


@given(rollouts(), CUTS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_where_a_rollout_is_cut_does_not_matter(
    written: tuple[list[dict[str, Any]], Any], cuts: list[int], with_content: bool
) -> None:
    how = Reading(Assignments(), with_content=with_content)
    data = log(meta(), *written[0])
    assert (
        booked(IMPORTER, data, cuts, reading=how).rows == booked(IMPORTER, data, reading=how).rows
    )


@given(rollouts())
@settings(max_examples=60, deadline=None)
def test_each_response_counts_once_however_often_its_counters_stand(
    written: tuple[list[dict[str, Any]], list[tuple[int, int, int]]],
) -> None:
    lines, spent = written
    found = booked(IMPORTER, log(meta(), *lines)).of(Message)
    counts = [
        (row.input_tokens, row.cache_read_tokens, row.output_tokens) for row in found.values()
    ]
    assert sorted(one for one in counts if one[0] is not None) == sorted(spent)


@given(rollouts(), st.booleans(), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_fork_that_adds_nothing_changes_nothing(
    written: tuple[list[dict[str, Any]], Any], embedded: bool, restamped: bool, fork_first: bool
) -> None:
    lines, began = written[0], meta(FORK, 5000)
    copied = [meta(), *lines] if embedded else lines
    if restamped:
        copied = [one | {"timestamp": began["timestamp"]} for one in copied]
    logs = [
        *read(IMPORTER, log(meta(), *lines)),
        *read(IMPORTER, log(meta(FORK, 5000, forked_from_id=SESSION), *copied)),
    ]
    found = Book()
    for one in logs[::-1] if fork_first else logs:
        found.load(one)
    alone = Book().load(logs[0])
    for kind in set(found.rows) - {Session}:
        assert found.rows[kind] == alone.rows[kind]
    assert set(found.of(Session)) == {SESSION, FORK}


@given(rollouts(), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_copy_of_the_beginning_adds_nothing(
    written: tuple[list[dict[str, Any]], Any], end: int
) -> None:
    lines = [meta(), *written[0]]
    logs = [*read(IMPORTER, log(*lines)), *read(IMPORTER, log(*lines[:end]))]
    for order in (logs, logs[::-1]):
        found = Book()
        for one in order:
            found.load(one)
        assert found.rows == Book().load(logs[0]).rows


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(("", "message", "user", "token_count", "2026-03-02T09:00:00Z", PATCH)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "payload", "content", "id", "output", "info", "command")),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(rollouts(), st.lists(st.tuples(st.integers(0, 10**6), VALUES), max_size=6), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_value_in_any_place_is_borne(
    written: tuple[list[dict[str, Any]], Any],
    changes: list[tuple[int, Any]],
    with_content: bool,
) -> None:
    lines = copy.deepcopy([meta(), *written[0]])
    for where, value in changes:
        places = list(_places(lines))
        holder, key = places[where % len(places)]
        holder[key] = value
    (found,) = read(
        IMPORTER, log(*lines), reading=Reading(Assignments(), with_content=with_content)
    )
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
@settings(deadline=None)
def test_any_json_is_borne(values: list[Any]) -> None:
    read(IMPORTER, log(*values))
