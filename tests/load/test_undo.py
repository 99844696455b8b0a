"""A load undone: the book is as before it, the past is as it was, and the file can come again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.load import books

from pnlbook import sql
from pnlbook.book import open_book, run
from pnlbook.load.derive import reprice_book
from pnlbook.load.tables import WORK
from pnlbook.load.undo import UNDOABLE, CannotUndo, Undone, undo
from pnlbook.load.usage import Repricing
from pnlbook.worklog import records
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.result import WorkOptions

pytestmark = pytest.mark.core

Answers = dict[str, list[tuple[Any, ...]]]

SAMPLE = Path(__file__).parents[1] / "data/worklog/claude-code/real_tool_heavy.jsonl"
MACROS = ("node_profit", "pnl_statement", "project_roi")
CHECKS = ("load_rows_differ", "history_out_of_order", "unknown_load", "duplicate_fact")
NOTHING: Answers = {check: [] for check in sorted(CHECKS)}
NODES = "node_id,node_name\n"
COSTS = "cost_id,node_id,project_id,amount_usd,incurred_at\n"


def standing(book: Path) -> Answers:
    """Return the rows that count, without the load that they came by."""
    every = "SELECT COLUMNS(*)::VARCHAR FROM (SELECT * EXCLUDE (load_id) FROM {}) ORDER BY ALL"
    return answers(book, {name: every.format(name) for name in UNDOABLE})


def figures(book: Path, as_of: int | None = None) -> Answers:
    """Return what the profit macros say, as text."""
    every = "SELECT COLUMNS(*)::VARCHAR FROM {}(as_of := {}) ORDER BY ALL"
    return answers(book, {name: every.format(name, as_of or "NULL") for name in MACROS})


def found_by_checks(book: Path) -> Answers:
    """Return what the checks on loads and their rows find."""
    return answers(book, {c.name: c.sql for c in sql.checks() if c.name in CHECKS})


def answers(book: Path, statements: dict[str, str]) -> Answers:
    with open_book(book) as connection:
        return {name: run(connection, statement) for name, statement in statements.items()}


# Files of a few rows with few keys, so that the second replaces, repeats and adds.
keys = st.sampled_from("abcdef")
amounts = st.sampled_from(["1.00", "2.00", "3.50"])
costs = st.dictionaries(keys, st.tuples(keys, keys, amounts), min_size=1, max_size=6).map(
    lambda rows: (
        COSTS + "".join(f"{key},{n},{p},{a},2025-10-0{len(n)}\n" for key, (n, p, a) in rows.items())
    )
)
nodes = st.dictionaries(keys, amounts, min_size=1, max_size=6).map(
    lambda rows: NODES + "".join(f"{key},name {name}\n" for key, name in rows.items())
)
earned = st.dictionaries(keys, st.tuples(keys, amounts), min_size=1, max_size=6).map(
    lambda rows: books.earnings(
        *(f"{key},{n},{a},bonus,paid,2025-10-01" for key, (n, a) in rows.items())
    )
)
files = costs | nodes | earned


@given(contents=st.lists(files, min_size=2, max_size=3, unique=True))
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_undone_from_the_newest_on_each_state_comes_back(contents: list[str]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        book = books.new_book(folder)
        paths = [books.write(folder, f"{n}.csv", text) for n, text in enumerate(contents)]
        states, reports = [standing(book)], {}
        for number, path in enumerate(paths, start=1):
            books.load_into(book, path)
            states.append(standing(book))
            reports[number] = figures(book)
        for number in range(len(paths), 0, -1):
            undo(book, number)
            assert standing(book) == states[number - 1]
            assert found_by_checks(book) == NOTHING
        for number, report in reports.items():
            assert figures(book, as_of=number) == report
        for path in paths:
            books.load_into(book, path)
        assert figures(book) == reports[len(paths)]
        assert found_by_checks(book) == NOTHING


@pytest.fixture
def corrected(tmp_path: Path) -> Path:
    """Return a book with a load of two earnings and one that corrects the first and adds one."""
    book = books.new_book(tmp_path)
    for name, rows in (
        ("first.csv", ["a,x,1.00,bonus,paid,2025-10-01", "b,x,2.00,bonus,paid,2025-10-01"]),
        ("second.csv", ["a,x,9.00,bonus,paid,2025-10-01", "c,y,4.00,bonus,paid,2025-10-01"]),
    ):
        books.load_into(book, books.write(tmp_path, name, books.earnings(*rows)))
    return book


def test_file_and_line_are_those_of_the_version_that_stands(corrected: Path) -> None:
    lines = "SELECT amount_usd::INT, location, source_line FROM node_source_rows('x') ORDER BY ALL"
    before = books.rows(
        corrected, lines.replace("'x')", "'x', as_of := 1)").replace("amount", "revenue")
    )
    done = undo(corrected, 2)
    assert (done.rows_removed, done.rows_restored, done.undo_id) == (1, 1, 3)
    assert books.rows(corrected, lines.replace("amount", "revenue")) == before
    recorded = books.rows(
        corrected,
        "SELECT load_id, batch_id, format, rows_superseded, parse_filename(location), mapping "
        "FROM loads WHERE load_id > 2 ORDER BY load_id",
    )
    assert recorded == [
        (3, 3, "undo", 1, "second.csv", '{"undoes": 2}'),
        (4, 3, "undo", 1, "first.csv", '{"undoes": 2, "restores": 1}'),
    ]


def test_a_dry_run_tells_the_same_and_changes_nothing(corrected: Path) -> None:
    before = books.facts(corrected)
    told = undo(corrected, 2, dry_run=True)
    assert books.facts(corrected) == before
    assert books.rows(corrected, "SELECT max(load_id) FROM loads") == [(2,)]
    assert undo(corrected, 2) == told


def test_a_removed_row_has_no_number_that_another_gets(corrected: Path, tmp_path: Path) -> None:
    undo(corrected, 2)
    books.load_into(corrected, tmp_path / "second.csv")
    versions = (
        "SELECT earning_id, source_key, load_id, superseded_by FROM node_earnings_history "
        "UNION ALL SELECT earning_id, source_key, load_id, NULL FROM node_earnings"
    )
    found = books.rows(
        corrected, f"SELECT earning_id FROM ({versions}) WHERE source_key = 'c' ORDER BY 1"
    )
    ((former,), (present,)) = found
    assert former < present


class TestRefusals:
    def refused(self, book: Path, load_id: int) -> str:
        every = "SELECT COLUMNS(*)::VARCHAR FROM loads ORDER BY ALL"
        before = books.facts(book), books.rows(book, every)
        with pytest.raises(CannotUndo) as error:
            undo(book, load_id)
        assert (books.facts(book), books.rows(book, every)) == before
        return str(error.value)

    def test_what_a_later_load_has_replaced(self, corrected: Path) -> None:
        assert self.refused(corrected, 1) == (
            "load 1 cannot be undone: load 2 replaced rows of it. "
            "Undo that first, the newest before the others. Nothing was changed."
        )
        undo(corrected, 2)
        assert undo(corrected, 1) == Undone(1, 5, "node_earnings", self.place(corrected), 2, 0)
        assert books.rows(corrected, "SELECT count(*) FROM node_earnings") == [(0,)]

    def place(self, book: Path) -> str:
        ((location,),) = books.rows(book, "SELECT location FROM loads WHERE load_id = 1")
        return str(location)

    def test_what_a_later_load_has_met_unchanged(self, corrected: Path, tmp_path: Path) -> None:
        rows = books.earnings("c,y,4.00,bonus,paid,2025-10-01", "d,y,1,bonus,paid,2025-10-01")
        third = books.write(tmp_path, "third.csv", rows)
        books.load_into(corrected, third)
        assert "load 3 may have met its rows as unchanged" in self.refused(corrected, 2)
        undo(corrected, 3)
        undo(corrected, 2)

    def test_another_source_is_no_matter(self, corrected: Path, tmp_path: Path) -> None:
        rows = books.earnings("c,y,4.00,bonus,paid,2025-10-01", "c,y,4.00,bonus,paid,2025-10-01")
        third = books.write(tmp_path, "third.csv", rows)
        books.load_into(corrected, third, source="other")
        assert undo(corrected, 2).rows_removed == 1

    def test_prices_that_amounts_were_taken_at(self, tmp_path: Path) -> None:
        book = books.new_book(tmp_path)
        prices = "token,priced_at,price_usd\nSOL,2025-10-01,100\n"
        sols = (
            "earning_id,node_id,token,token_amount,payment_type,payment_status,earned_at\n"
            "e,x,SOL,2,bonus,paid,2025-10-01\n"
        )
        for table, text in (("token_prices", prices), ("node_earnings", sols)):
            books.load_into(book, books.write(tmp_path, f"{table}.csv", text), table=table)
        assert "load 2 may have taken prices from it" in self.refused(book, 1)
        undo(book, 2)
        assert undo(book, 1).rows_removed == 1

    def test_what_is_none_or_done_or_an_undo(self, corrected: Path) -> None:
        assert "has none of that number" in self.refused(corrected, 9)
        undo(corrected, 2)
        assert "load 3 did it already" in self.refused(corrected, 2)
        assert "is an undo itself" in self.refused(corrected, 3)

    def test_prices_of_models(self, tmp_path: Path) -> None:
        book = books.new_book(tmp_path)
        prices = "model,input_usd_per_mtok,output_usd_per_mtok\nhouse-model,2,5\n"
        books.load_into(book, books.write(tmp_path, "p.csv", prices), table="model_prices")
        assert "'pnlbook worklog reprice --all'" in self.refused(book, 1)

    def test_a_refused_load(self, tmp_path: Path) -> None:
        book = books.new_book(tmp_path)
        path = books.write(tmp_path, "bad.csv", books.earnings("a,x,much,bonus,paid,2025-10-01"))
        with pytest.raises(Exception, match="refused"):
            books.load_into(book, path, max_rejects=0)
        assert "it was refused" in self.refused(book, 1)


WORK_CHECKS = ("work_intervals_differ", "work_metrics_differ", *CHECKS)


def work(book: Path) -> Answers:
    """Return the rows of work that count and what is made of them, whichever loads brought them."""
    every = "SELECT COLUMNS(*)::VARCHAR FROM (SELECT * EXCLUDE ({}) FROM {}) ORDER BY ALL"
    made = {"work_intervals": "kind", "work_metrics_daily": "computed_at"}
    left_out = dict.fromkeys(WORK, "load_id") | made
    found = answers(book, {name: every.format(out, name) for name, out in left_out.items()})
    ends = "SELECT COLUMNS(*)::VARCHAR FROM work_intervals ORDER BY ALL"
    return found | answers(book, {"work_intervals": ends})


def failing(book: Path) -> list[str]:
    """Return the checks that find what must not be of loads and of what is made of work."""
    found = answers(book, {c.name: c.sql for c in sql.checks() if c.name in WORK_CHECKS})
    return [name for name, rows in found.items() if rows]


class TestLogs:
    def test_the_tables_of_logs_are_those_of_work(self) -> None:
        assert sorted(records.TABLES.values()) == sorted(WORK)

    @pytest.fixture
    def transcript(self, tmp_path: Path) -> Path:
        path = tmp_path / "logs" / "session.jsonl"
        path.parent.mkdir()
        return path

    def load(self, book: Path, path: Path) -> int:
        """Load a log of Claude Code and return the number of its load."""
        load_work(book, [f"claude-code:{path}"], WorkOptions())
        ((number,),) = books.rows(
            book, "SELECT max(load_id) FROM loads WHERE table_name = 'work log'"
        )
        return int(number)

    def test_what_a_log_brought_goes_and_what_it_replaced_stands_again(
        self, tmp_path: Path, transcript: Path
    ) -> None:
        book = books.new_book(tmp_path)
        lines = SAMPLE.read_bytes().splitlines(keepends=True)
        states, numbers = [work(book)], []
        for end in (len(lines) // 2, len(lines)):
            transcript.write_bytes(b"".join(lines[:end]))
            numbers.append(self.load(book, transcript))
            states.append(work(book))
        assert len({str(state) for state in states}) == 3
        whole = books.rows(book, "FROM node_productivity()")
        done = undo(book, numbers[1])
        assert done.table == "work log"
        assert done.rows_removed > 0 < done.rows_restored
        assert (work(book), failing(book)) == (states[1], [])
        undo(book, numbers[0])
        assert (work(book), failing(book)) == (states[0], [])
        past = f"FROM node_productivity(as_of := {numbers[1]})"
        assert books.rows(book, past) == whole
        self.load(book, transcript)
        assert (books.rows(book, "FROM node_productivity()"), failing(book)) == (whole, [])

    def test_of_logs_that_tell_the_same_the_later_goes_first(
        self, tmp_path: Path, transcript: Path
    ) -> None:
        book = books.new_book(tmp_path)
        for name in ("session", "copy"):
            shutil.copy(SAMPLE, transcript.with_stem(name))
        newest = self.load(book, transcript.parent)
        with pytest.raises(CannotUndo, match=f"load {newest} may have met its rows as unchanged"):
            undo(book, newest - 1)
        undo(book, newest)
        undo(book, newest - 1)
        assert books.rows(book, "SELECT count(*) FROM tool_usage") == [(0,)]

    def test_a_file_of_sessions(self, tmp_path: Path) -> None:
        book = books.new_book(tmp_path)
        before = work(book)
        header = "session_id,node_id,started_at,completed_at"
        sessions = f"{header}\ns,x,2025-10-01T08:00:00Z,2025-10-01T09:00:00Z\n"
        books.load_into(book, books.write(tmp_path, "s.csv", sessions), table="work_sessions")
        assert books.rows(book, "SELECT session_seconds::INT FROM work_metrics_daily") == [(3600,)]
        undo(book, 1)
        assert (work(book), failing(book)) == (before, [])

    def test_messages_priced_anew(self, tmp_path: Path) -> None:
        book = books.new_book(tmp_path)
        said = "message_id,role,model,input_tokens,sent_at\na,assistant,house-model,9,2025-10-02\n"
        prices = "model,input_usd_per_mtok\nhouse-model,2\n"
        books.load_into(book, books.write(tmp_path, "m.csv", said), table="communication_log")
        before = work(book)
        books.load_into(book, books.write(tmp_path, "p.csv", prices), table="model_prices")
        repriced = reprice_book(book, Repricing(), timeout=1)
        assert repriced.load_id is not None
        assert work(book) != before
        undo(book, repriced.load_id)
        assert (work(book), failing(book)) == (before, [])


_PROGRAM = """
import os, signal, sys, threading, time
from pathlib import Path
from pnlbook.load.undo import undo

def die():
    time.sleep(float(sys.argv[2]))
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=die).start()
undo(Path(sys.argv[1]), 2)
time.sleep(9)
"""


@pytest.mark.parametrize("delay", [0.05, 0.1, 0.15, 0.2, 0.3])
def test_killed_at_any_moment_it_is_whole_or_not_at_all(delay: float, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    for name, amount, first in (("a.csv", 1, 0), ("b.csv", 2, 10_000)):
        rows = [f"e{i},x,{amount},bonus,paid,2025-10-01" for i in range(first, first + 20_000)]
        books.load_into(book, books.write(tmp_path, name, books.earnings(*rows)))
    before = books.facts(book)
    complete = Path(shutil.copy(book, tmp_path / "complete.duckdb"))
    undo(complete, 2)
    after = books.facts(complete)
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(book), str(delay)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert books.facts(book) in (before, after)
    if books.facts(book) == before:
        undo(book, 2)
    assert books.facts(book) == after
