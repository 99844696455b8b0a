"""Logs of work in the book: what is new is read, all of it goes in or nothing does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.load.books import facts, new_book, rows
from tests.worklog.repositories import Repository

from pnlbook import sql
from pnlbook.config import WorkAssignment
from pnlbook.load import SourceError
from pnlbook.worklog import staging
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.result import LogsRejected, WorkOptions

if TYPE_CHECKING:
    from pnlbook.worklog.importer import Position
    from pnlbook.worklog.records import Record
    from pnlbook.worklog.result import WorkResult

pytestmark = pytest.mark.core

SAMPLES = Path(__file__).parents[1] / "data" / "worklog"
TRANSCRIPTS = ("real_short", "real_tool_heavy", "session_b")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return new_book(tmp_path)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a folder with three transcripts."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in TRANSCRIPTS:
        shutil.copy(SAMPLES / "claude-code" / f"{name}.jsonl", folder)
    return folder


def load(book: Path, *sources: Path | str, **options: Any) -> WorkResult:  # noqa: ANN401
    named = [f"claude-code:{s}" if isinstance(s, Path) else s for s in sources]
    return load_work(book, named, WorkOptions(**options))


def found(book: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the facts of a book and what is made of them, whichever loads brought them."""
    made = {
        "intervals": rows(book, "SELECT i::VARCHAR FROM work_intervals AS i ORDER BY ALL"),
        "days": rows(
            book,
            "SELECT d::VARCHAR FROM (SELECT * EXCLUDE (computed_at) FROM work_metrics_daily) AS d "
            "ORDER BY ALL",
        ),
    }
    return {name: table for name, table in facts(book, lineage=False).items() if table} | made


def broken_checks(book: Path) -> list[str]:
    """Return the names of the checks that find what must not be."""
    return [
        check.name
        for check in sql.checks()
        if check.severity == "fail" and rows(book, check.sql.rstrip().rstrip(";"))
    ]


def test_every_row_knows_its_log_and_line(book: Path, logs: Path) -> None:
    result = load(book, logs)
    assert result.logs_read == 3
    lines = rows(
        book,
        "SELECT location, source_line, tool_name FROM tool_usage JOIN loads USING (load_id) "
        "ORDER BY ALL",
    )
    assert len(lines) == sum(t.rows_added for t in result.tables if t.table == "tool_usage")
    for location, line, tool in lines:
        text = Path(location).read_text(encoding="utf-8").splitlines()[line - 1]
        assert f'"name":"{tool}"' in text.replace('": "', '":"')
    assert broken_checks(book) == []


def test_a_log_without_anything_new_is_not_read_again(book: Path, logs: Path) -> None:
    load(book, logs)
    before = found(book)
    again = load(book, logs)
    assert (again.logs_read, again.logs_unchanged, again.tables) == (0, 3, ())
    assert found(book) == before
    assert rows(book, "SELECT count(*) FROM loads WHERE source = 'claude-code'") == [(3,)]


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_a_log_that_grows_gives_what_it_gives_as_a_whole(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(TRANSCRIPTS))
    whole = (SAMPLES / "claude-code" / f"{name}.jsonl").read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    folders = [Path(new_book_folder()), Path(new_book_folder())]
    try:
        for folder, ends in zip(folders, ([len(whole)], [*cuts, len(whole)]), strict=True):
            log = folder / "logs" / f"{name}.jsonl"
            log.parent.mkdir()
            for end in ends:
                log.write_bytes(whole[:end])
                load(folder / "book.duckdb", log.parent)
        once, often = (found(folder / "book.duckdb") for folder in folders)
        assert {k: v for k, v in often.items() if not k.endswith("_history")} == once
        assert broken_checks(folders[1] / "book.duckdb") == []
    finally:
        for folder in folders:
            shutil.rmtree(folder)


def new_book_folder() -> str:
    from tempfile import mkdtemp  # noqa: PLC0415 - hypothesis runs the test several times a fixture

    folder = mkdtemp()
    new_book(Path(folder))
    return folder


def test_a_log_that_was_replaced_is_read_from_its_beginning(book: Path, logs: Path) -> None:
    log = logs / "session_b.jsonl"
    load(book, log)
    longer = (logs / "real_tool_heavy.jsonl").read_bytes()
    log.write_bytes(longer)
    load(book, log)
    assert rows(book, "SELECT count(*) FROM work_sessions") == [(2,)]
    position = rows(book, "SELECT bytes_read, lines_read FROM work_files")
    assert position == [(len(longer), longer.count(b"\n"))]


@pytest.fixture
def taken_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two records of a kind be many."""
    monkeypatch.setattr(staging, "_BATCH", 2)


@pytest.mark.usefixtures("taken_by_two")
def test_a_long_log_is_taken_in_parts(
    book: Path, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    insert = staging.Staging._insert

    def watched(self: staging.Staging, kind: type[Record], statement: str) -> None:
        held.append(len(self._waiting[kind]))
        insert(self, kind, statement)

    monkeypatch.setattr(staging.Staging, "_insert", watched)
    parted = load(book, logs)
    assert max(held) == 2
    assert len(held) > 10
    monkeypatch.undo()
    (tmp_path / "whole").mkdir()
    other = new_book(tmp_path / "whole")
    whole = load(other, logs)
    assert found(book) == found(other)
    assert parted.tables == whole.tables


@pytest.mark.usefixtures("taken_by_two")
def test_nothing_stays_of_a_log_that_broke_after_parts_were_taken(
    book: Path, tmp_path: Path
) -> None:
    broken, good = Repository(tmp_path / "a"), Repository(tmp_path / "b")
    for repository in (broken, good):
        for number in range(5):
            repository.write("f", f"{number}\n")
            repository.commit(f"commit {number}")
    blob = broken.git("rev-parse", "HEAD~4:f").decode().strip()
    (broken.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    result = load(book, f"git:{broken.path}", f"git:{good.path}")
    assert [note for note in result.notes if "git cannot read it" in note]
    assert result.logs_read == 1
    assert rows(book, "SELECT DISTINCT project_id FROM file_changes") == [("b",)]
    assert rows(book, "SELECT count(*) FROM file_changes") == [(5,)]


def test_what_an_unchanged_log_tells_again_is_not_the_next_logs(book: Path, tmp_path: Path) -> None:
    history = tmp_path / ".aider.chat.history.md"
    shutil.copy(SAMPLES / "aider" / "chat-history.md", history)
    load(book, f"aider:{history}")
    before = found(book)
    repository = Repository(tmp_path / "r")
    repository.write("f", "1\n")
    repository.commit("one")
    result = load(book, f"aider:{history}", f"git:{repository.path}")
    assert (result.logs_read, result.logs_unchanged) == (1, 1)
    assert [(t.table, t.rows_read) for t in result.tables] == [("file_changes", 1)]
    for table in ("communication_log", "work_sessions", "tool_usage"):
        assert found(book)[table] == before[table]


def test_what_vanished_stays_in_the_book(book: Path, logs: Path) -> None:
    load(book, logs)
    before = found(book)
    (logs / "session_b.jsonl").unlink()
    load(book, logs)
    assert found(book) == before


def test_other_rules_assign_again_and_the_past_can_be_seen(book: Path, logs: Path) -> None:
    load(book, logs)
    nodes = "SELECT DISTINCT node_id, project_id FROM as_loaded('work_sessions'{}) ORDER BY ALL"
    assert rows(book, nodes.format("")) == [("claude-code", "spotter"), ("claude-code", "tmp")]
    last = rows(book, "SELECT max(load_id) FROM loads")[0][0]
    rule = WorkAssignment(cwd="*/spotter", node_id="alex", project_id="shop")
    load(book, logs, work=(rule,))
    assert rows(book, nodes.format("")) == [("alex", "shop"), ("claude-code", "tmp")]
    assert rows(book, nodes.format(f", as_of := {last}")) == [
        ("claude-code", "spotter"),
        ("claude-code", "tmp"),
    ]
    assert rows(book, "SELECT DISTINCT node_id FROM work_intervals ORDER BY ALL") == [
        ("alex",),
        ("claude-code",),
    ]
    assert broken_checks(book) == []


def test_since_leaves_out_what_is_older_until_more_is_asked_for(book: Path, logs: Path) -> None:
    february = 1_770_000_000_000_000
    load(book, logs, since=february)
    assert rows(book, "SELECT count(*) FROM work_sessions") == [(2,)]
    assert load(book, logs, since=february + 1).logs_read == 0
    load(book, logs)
    assert rows(book, "SELECT count(*) FROM work_sessions") == [(3,)]
    other = new_book(Path(new_book_folder()))
    load(other, logs)
    assert found(book) == found(other)


def test_text_is_kept_when_asked_for_later(book: Path, logs: Path) -> None:
    load(book, logs)
    texts = "SELECT count(content), count(*) FILTER (content_chars > 0) FROM communication_log"
    ((none, measured),) = rows(book, texts)
    assert (none, measured > 0) == (0, True)
    load(book, logs, with_content=True)
    ((kept, _),) = rows(book, texts)
    assert kept == measured


def test_a_dry_run_changes_nothing(book: Path, logs: Path) -> None:
    before = book.read_bytes()
    result = load(book, logs, dry_run=True)
    assert sum(table.rows_added for table in result.tables) > 0
    assert found(book) == {"intervals": [], "days": []}
    assert book.read_bytes() == before
    assert load(book, logs).tables == result.tables


def test_broken_lines_are_set_aside_and_the_rest_goes_in(book: Path, logs: Path) -> None:
    log = logs / "session_b.jsonl"
    log.write_bytes(log.read_bytes() + b'\n{"type": "user", \n\xff\xfe\n[1]\n')
    result = load(book, log)
    assert [reject.line for reject in result.rejects] == [4, 5, 6]
    assert rows(book, "SELECT line, raw FROM rejects ORDER BY ALL") == [
        (4, '{"type": "user", '),
        (5, "\\xff\\xfe"),
        (6, "[1]"),
    ]
    assert rows(book, "SELECT rows_refused FROM loads WHERE source = 'claude-code'") == [(3,)]
    assert broken_checks(book) == []
    assert load(book, log).rows_refused == 0


def test_fewer_broken_lines_may_be_asked_for(book: Path, logs: Path) -> None:
    log = logs / "session_b.jsonl"
    log.write_bytes(log.read_bytes() + b"\ntorn\n")
    before = book.read_bytes()
    with pytest.raises(LogsRejected, match=r"1 line of the logs cannot be read \(0 allowed\)"):
        load(book, logs, max_rejects=0)
    assert book.read_bytes() == before
    assert load(book, logs, max_rejects=1).logs_read == 3


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("claude-code:none", "there is no such file or folder"),
        ("codex:{folder}", "no such logs were found"),
        ("git:{folder}", "no such logs were found"),
    ],
)
def test_a_place_without_logs_is_said(book: Path, tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=words):
        load(book, source.format(folder=tmp_path / "empty"))


def test_a_log_that_goes_away_meanwhile_is_noted(
    book: Path, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pnlbook.worklog import claude_code  # noqa: PLC0415 - the importer itself is slow

    read = type(claude_code.IMPORTER).read

    def read_late(self: Any, log: Path, position: Position, *rest: Any) -> Position:  # noqa: ANN401
        if log.name == "session_b.jsonl":
            log.unlink()
        return read(self, log, position, *rest)

    monkeypatch.setattr(type(claude_code.IMPORTER), "read", read_late)
    result = load(book, logs)
    assert result.logs_read == 2
    assert any("session_b.jsonl: it cannot be read" in note for note in result.notes)


def test_a_loader_that_is_killed_leaves_the_book_as_before_or_complete(
    book: Path, logs: Path
) -> None:
    for number in range(10):
        text = (logs / "real_tool_heavy.jsonl").read_text(encoding="utf-8")
        for old in ("toolu_", "msg_", "req_"):
            text = text.replace(old, f"{old}{number:02}")
        (logs / f"copy-{number}.jsonl").write_text(text, encoding="utf-8")
    complete = new_book(Path(new_book_folder()))
    started = time.monotonic()
    load(complete, logs)
    seconds = time.monotonic() - started
    wanted, nothing = found(complete), found(book)
    states = []
    for attempt in range(5):
        process = subprocess.Popen(
            [sys.executable, "-m", "pnlbook", "load", f"claude-code:{logs}", "--book", book],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(1 + seconds * attempt / 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        states.append(found(book))
        assert states[-1] in (nothing, wanted)
    assert nothing in states
    load(book, logs)
    assert found(book) == wanted
    assert broken_checks(book) == []


def test_what_is_unpriced_is_what_the_book_counts_as_such(book: Path, tmp_path: Path) -> None:
    text = (SAMPLES / "claude-code" / "session_b.jsonl").read_text(encoding="utf-8")
    answer = next(line for line in text.splitlines() if '"assistant"' in line)
    told = json.loads(answer)
    lines = []
    usages = {
        "none": {"input_tokens": 0, "output_tokens": 0},
        "both": {"input_tokens": 7, "output_tokens": 7},
        "input": {"input_tokens": 7},
    }
    for number, (model, usage) in enumerate(usages.items()):
        message = told["message"] | {"id": f"msg_{number}", "model": model, "usage": usage}
        lines.append(json.dumps(told | {"uuid": f"u{number}", "message": message}))
    log = tmp_path / "synthetic.jsonl"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = load(book, log)
    assert (result.unpriced_messages, result.unpriced_models) == (2, ("both", "input"))
    counted = rows(book, "SELECT sum(unpriced_messages)::BIGINT FROM model_costs()")
    assert counted == [(result.unpriced_messages,)]


def test_only_new_bytes_are_read(book: Path, logs: Path) -> None:
    log = logs / "real_tool_heavy.jsonl"
    whole = log.read_bytes()
    cut = whole.index(b"\n", len(whole) * 2 // 3) + 1
    log.write_bytes(whole[:cut])
    load(book, log)
    log.write_bytes(whole)
    result = load(book, log)
    assert result.bytes_read == len(whole) - cut
    sizes = rows(book, "SELECT content_bytes FROM loads WHERE source = 'claude-code'")
    assert [size for (size,) in sizes] == [cut, len(whole) - cut]
    assert os.stat(log).st_size == len(whole)  # noqa: PTH116 - beside the size that was asked for
