"""A spool in the book: exactly once, whatever is killed and wherever the spool was cut."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.load.books import new_book
from tests.worklog.spools import files
from tests.worklog.test_spool import _WRITER, killed, start

from pnlbook.book import open_book, run
from pnlbook.config import WorkAssignment
from pnlbook.load.tables import BY_NAME
from pnlbook.worklog import Policy, WorkHistoryLogger
from pnlbook.worklog.assignment import Assignments
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.records import TABLES, Merge, Record, columns
from pnlbook.worklog.result import WorkOptions
from pnlbook.worklog.spool_importer import IMPORTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.core


def read(
    log: Path,
    position: Position = Position(),  # noqa: B008 - frozen
    reading: Reading | None = None,
) -> tuple[Position, Findings]:
    findings = Findings()
    return IMPORTER.read(log, position, reading or Reading(Assignments()), findings), findings


def only(folder: Path) -> Path:
    (path,) = files(folder)
    return path


def rows(book: Path, query: str) -> list[tuple[Any, ...]]:
    with open_book(book) as connection:
        return run(connection, query)


def facts(book: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of work, apart from their numbers and the loads that brought them."""
    found = {}
    for name in TABLES.values():
        table = BY_NAME[name]
        number = f", {table.id_column}" if table.numbered else ""
        query = f"SELECT * EXCLUDE (load_id{number}) FROM {name} ORDER BY source_key"
        found[name] = rows(book, f"SELECT t::VARCHAR FROM ({query}) AS t")
    return found


@contextmanager
def held(log: Path) -> Iterator[None]:
    """Be the living writer of a file."""
    with log.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def test_what_was_told_stands_in_the_book_once_however_often_it_is_loaded(tmp_path: Path) -> None:
    spool, book = tmp_path / "spool", new_book(tmp_path)
    log = WorkHistoryLogger(spool, node_id="alex", project_id="shop")
    options = WorkOptions(with_content=True)
    with log.session(session_type="deploy", initial_prompt="Go") as session:
        load_work(book, [f"spool:{spool}"], options)
        assert rows(book, "SELECT status FROM work_sessions") == [("in_progress",)]
        with session.task("ship", tools_used=["upload"]) as task:
            task.file_change("a.py", change_type="created", lines_added=12, lines_deleted=0)
            with task.tool("upload", tool_category="deployment"):
                load_work(book, [f"spool:{spool}"], options)
            task.message("assistant", "done", model="m", input_tokens=3, output_tokens=4)
            task.error("timeout", "slow", error_class="timeout")
            task.output_summary = "shipped"
        load_work(book, [f"spool:{spool}"], options)
        session.final_deliverable = "a site"
    load_work(book, [f"spool:{spool}"], options)
    again = load_work(book, [f"spool:{spool}"], options)
    log.close()
    assert (again.logs_read, again.logs_unchanged) == (0, 1)
    assert rows(
        book,
        "SELECT session_id, node_id, project_id, status, initial_prompt, final_deliverable, "
        "total_duration_seconds > 0, completed_at >= started_at FROM work_sessions",
    ) == [(session.id, "alex", "shop", "completed", "Go", "a site", True, True)]
    assert rows(
        book,
        "SELECT task_id, session_id, task_name, status, success, tools_used, output_summary "
        "FROM work_tasks",
    ) == [(task.id, session.id, "ship", "completed", True, ["upload"], "shipped")]
    place = (session.id, task.id, "alex", "shop")
    of = "session_id, task_id, node_id, project_id"
    assert rows(
        book,
        f"SELECT {of}, file_path, change_type, lines_added, lines_deleted, origin "
        "FROM file_changes",
    ) == [(*place, "a.py", "created", 12, 0, "edit")]
    assert rows(
        book,
        f"SELECT {of}, tool_name, invocation_count, success_count, total_duration_ms > 0 "
        "FROM tool_usage",
    ) == [(*place, "upload", 1, 1, True)]
    assert rows(
        book,
        f"SELECT {of}, role, content, content_chars, input_tokens, output_tokens "
        "FROM communication_log",
    ) == [(*place, "assistant", "done", 4, 3, 4)]
    assert rows(book, f"SELECT {of}, error_type, error_class, error_message FROM error_log") == [
        (*place, "timeout", "timeout", "slow")
    ]


def test_killed_writers_are_in_the_book_once_also_when_it_loaded_meanwhile(tmp_path: Path) -> None:
    spool, book = tmp_path / "spool", new_book(tmp_path)
    chance = random.Random(2)  # noqa: S311 - for the moments of killing
    writers = [start(_WRITER, spool, f"node {number}") for number in range(8)]
    acknowledged = set()
    for number, writer in enumerate(writers):
        acknowledged |= {one.decode() for one in killed(writer, chance.randint(20, 120))}
        if number % 3 == 1:
            load_work(book, [f"spool:{spool}"], WorkOptions())
    load_work(book, [f"spool:{spool}"], WorkOptions())
    found = [key for (key,) in rows(book, "SELECT message_id FROM communication_log")]
    assert len(found) == len(set(found))
    assert acknowledged <= set(found)
    assert len(found) - len(acknowledged) <= 8
    # What each of them was writing when it was killed is told, not lost silently.
    torn = [path for path in files(spool) if not path.read_bytes().endswith(b"\n")]
    refused = rows(book, "SELECT reason FROM rejects")
    assert len(refused) == len(torn)
    assert load_work(book, [f"spool:{spool}"], WorkOptions()).logs_read == 0


_LOADER = """
import os, signal, sys, threading
from pathlib import Path
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.result import WorkOptions

book, spool, stage, delay = Path(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])

def end():
    os.kill(os.getpid(), signal.SIGKILL)

def tell(progress):
    if progress.stage == stage:
        threading.Timer(delay, end).start() if delay else end()

load_work(book, [f"spool:{spool}"], WorkOptions(), on_progress=tell)
"""


def test_a_loader_that_is_killed_at_any_moment_leaves_nothing_half_done(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    log = WorkHistoryLogger(spool, node_id="alex", policy=Policy(fsync="never"))
    with log.session() as session:
        for number in range(2000):
            with session.task(f"task {number}") as task:
                task.tool("t", success_count=1, total_duration_ms=number)
    log.close()
    wanted = tmp_path / "wanted"
    wanted.mkdir()
    clean = new_book(wanted)
    load_work(clean, [f"spool:{spool}"], WorkOptions())
    book = new_book(tmp_path)
    deaths = 0
    for stage, delay in [("reading", 0), ("writing", 0), ("writing", 0.02), ("writing", 0.08)]:
        command = [sys.executable, "-c", _LOADER, str(book), str(spool), stage, str(delay)]
        done = subprocess.run(command, check=False, capture_output=True)
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr.decode()
        deaths += done.returncode != 0
        tasks = rows(book, "SELECT count(*) FROM work_tasks")
        assert tasks in ([(0,)], [(2000,)])
    assert deaths >= 2
    load_work(book, [f"spool:{spool}"], WorkOptions())
    assert facts(book) == facts(clean)


def test_a_torn_line_waits_for_a_living_writer_and_is_set_aside_after_a_dead_one(
    tmp_path: Path,
) -> None:
    log = WorkHistoryLogger(tmp_path)
    log.log_tool_usage(tool_name="t")
    log.close()
    path = only(tmp_path)
    torn = b'{"kind":"tool","id":"x","at":1,"tool_n'
    with held(path):
        with path.open("ab") as file:
            file.write(torn)
        position, findings = read(path)
        assert (findings.left, findings.broken) == (len(torn), [])
        assert position.bytes_read == path.stat().st_size - len(torn)
    position, findings = read(path, position)
    assert findings.left == 0
    assert [(one.line, one.raw) for one in findings.broken] == [(3, torn.decode())]
    assert position.bytes_read == path.stat().st_size
    assert position.lines_read == 3
    again, findings = read(path, position)
    assert again == position
    assert not findings.broken


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"kind": "change", "file_path": "a", "change_type": "moved"}, "change_type is 'moved'"),
        ({"kind": "change", "change_type": "created"}, "file_path is not told"),
        (
            {"kind": "change", "file_path": "a", "change_type": "created", "lines_added": -1},
            "lines_added is '-1', which is not a number from 0 on",
        ),
        ({"kind": "tool", "tool_name": 3}, "tool_name is '3', which is not a text"),
        (
            {"kind": "tool", "tool_name": "t", "invocation_count": 1, "success_count": 2},
            "success_count is 2",
        ),
        ({"kind": "tool", "tool_name": "t", "total_duration_ms": "soon"}, "total_duration_ms is"),
        ({"kind": "task", "status": "done"}, "status is 'done'"),
        ({"kind": "task", "status": "completed", "success": "yes"}, "success is 'yes'"),
        ({"kind": "message", "role": "robot"}, "role is 'robot'"),
        ({"kind": "error", "error_type": "e", "occurred_at": 10**18}, "occurred_at is"),
        ({"kind": "tool", "id": None}, "id is not told"),
        ({"kind": "tool", "at": "now"}, "at is not told, or is no int"),
    ],
)
def test_what_was_told_wrongly_is_refused_with_its_reason(
    told: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    good = {"kind": "tool", "id": "good", "at": 5, "tool_name": "t"}
    lines = [{"id": "x", "at": 7, **told}, good, [1], "é"]
    text = "".join(json.dumps(line) + "\n" for line in lines) + "\xff{\n"
    path.write_bytes(text.encode("latin-1"))
    _, findings = read(path)
    assert [one.line for one in findings.broken] == [1, 3, 4, 5]
    assert reason in findings.broken[0].reason
    assert sum(len(found) for found in findings.records.values()) == 1


def test_unknown_kinds_and_fields_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        {"kind": "dream", "id": "a", "at": 1},
        {"kind": "tool", "id": "b", "at": 1, "tool_name": "t", "mood": "good"},
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    _, findings = read(path)
    assert findings.skipped == {"dream": 1, "tool.mood": 1}
    assert not findings.broken


def test_text_is_kept_only_when_asked_for_and_secrets_never(tmp_path: Path) -> None:
    secret = "password=hunter2222"  # noqa: S105 - looks like one
    log = WorkHistoryLogger(tmp_path)
    with log.session(initial_prompt=f"use {secret}", description=f"deploy {secret}") as session:
        session.message("user", f"my {secret}")
        session.file_change("a", diff=f"+{secret}")
        session.error("e", f"bad {secret}", error_stack_trace=f"at {secret}")
    log.close()
    kept = {}
    for with_content in (False, True):
        _, findings = read(only(tmp_path), reading=Reading(Assignments(), with_content))
        found = [record for some in findings.records.values() for record in some]
        texts = [str(getattr(one, f.name)) for one in found for f in fields(one)]
        assert not any("hunter2222" in text for text in texts)
        kept[with_content] = texts
        assert any("deploy" in text for text in texts)
        assert any("bad" in text for text in texts)
    for text in ("use ", "my ", "+password"):
        assert not any(text in one for one in kept[False])
        assert any(text in one for one in kept[True])


def test_what_names_no_node_or_project_gets_those_of_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "shop"
    work.mkdir()
    monkeypatch.chdir(work)
    spool = tmp_path / "spool"
    log = WorkHistoryLogger(spool, agent="bot")
    with log.session(), log.task("default"):
        log.log_tool_usage(tool_name="t")
    with log.session(agent="other", branch="main", project_id="named"), log.task("session's own"):
        log.log_tool_usage(tool_name="t")
    log.log_tool_usage(tool_name="outside")
    log.close()
    rules = (WorkAssignment(agent="other", branch="main", node_id="betty"),)
    _, findings = read(only(spool), reading=Reading(Assignments(rules)))
    found: dict[str, set[tuple[str | None, str | None]]] = {}
    for kind, some in findings.records.items():
        found[kind.__name__] = {(one.node_id, one.project_id) for one in some}
    assert found["Session"] == found["Task"] == {("bot", "shop"), ("betty", "named")}
    assert found["Tool"] == {("bot", "shop"), ("betty", "named")}


def test_what_was_lost_is_told_to_the_book(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    log = WorkHistoryLogger(blocked / "spool")
    for _ in range(7):
        log.log_tool_usage(tool_name="t")
    blocked.unlink()
    log.log_tool_usage(tool_name="t")
    log.close()
    book = new_book(tmp_path)
    result = load_work(book, [f"spool:{blocked}/spool"], WorkOptions())
    said = f"7 records of process {os.getpid()} could not be written: Not a directory"
    assert any(said in note for note in result.notes)
    assert rows(book, "SELECT error_type, error_message FROM error_log") == [("records_lost", said)]


def test_an_end_without_its_beginning_stands_until_the_beginning_comes(tmp_path: Path) -> None:
    spool, book = tmp_path / "spool", new_book(tmp_path)
    spool.mkdir()
    parts = {
        "2.jsonl": {
            "kind": "session",
            "id": "s",
            "at": 9,
            "status": "completed",
            "completed_at": 9,
        },
        "1.jsonl": {
            "kind": "session",
            "id": "s",
            "at": 2,
            "status": "in_progress",
            "started_at": 2,
            "node_id": "alex",
        },
    }
    for name, part in parts.items():
        (spool / name).write_text(json.dumps(part) + "\n", encoding="utf-8")
        load_work(book, [f"spool:{spool}"], WorkOptions())
    assert rows(
        book, "SELECT status, epoch_us(started_at), epoch_us(completed_at) FROM work_sessions"
    ) == [("completed", 2, 9)]
    assert rows(book, "SELECT count(*) FROM rejects") == [(0,)]


def put_together(found: Sequence[Record]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return records by kind and key, their parts put together as their columns say."""
    whole: dict[tuple[str, str], dict[str, Any]] = {}
    for record in found:
        told = whole.setdefault((type(record).__name__, record.key), {})
        for name, column in columns(type(record)).items():
            value = getattr(record, name)
            if value is None:
                continue
            known = told.get(name)
            if known is None or column.merge is Merge.NEW:
                told[name] = value
            else:
                told[name] = (min if column.merge is Merge.MIN else max)(known, value)
    return whole


STEP = st.sampled_from(["task", "failing task", "tool", "change", "message", "error", "session"])


def act(log: WorkHistoryLogger, steps: Sequence[str]) -> None:
    for step in steps:
        if step == "session":
            with log.session(session_type="s"):
                log.log_message(role="user", content="é")
        elif step.endswith("task"):
            with log.task("t") as task:
                if step.startswith("failing"):
                    task.fail("no")
        elif step == "tool":
            with log.session() as session, session.tool("t"):
                log.log_error(error_type="within")
        elif step == "change":
            log.log_file_change(file_path="a", lines_added=1)
        elif step == "message":
            log.log_message(role="assistant", content="x", cost_usd=Decimal("0.1"))
        else:
            log.log_error(error_type="e")


@settings(deadline=None, max_examples=60)
@given(st.lists(STEP, min_size=1, max_size=8), st.lists(st.floats(0, 1), max_size=5), st.data())
def test_any_split_of_a_spool_into_readings_gives_the_same_records(
    steps: list[str], cuts: list[float], data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        log = WorkHistoryLogger(folder, policy=Policy(fsync="never"))
        act(log, steps)
        log.close()
        written = only(Path(folder))
        whole = written.read_bytes()
        at_once = read(written)[1]
        # The same file as it grew, some of its lines written twice.
        lines = whole.splitlines(keepends=True)
        twice = data.draw(st.lists(st.sampled_from(lines), max_size=3))
        grown = whole + b"".join(twice)
        path = Path(folder, "grown.jsonl")
        position, seen = Position(), list[Record]()
        for cut in [*sorted(int(cut * len(grown)) for cut in cuts), len(grown)]:
            path.write_bytes(grown[:cut])
            with held(path):
                position, findings = read(path, position)
            assert not findings.broken
            seen += [record for some in findings.records.values() for record in some]
        assert position.bytes_read == len(grown)
        expected = [record for some in at_once.records.values() for record in some]
        assert put_together(seen) == put_together(expected)
