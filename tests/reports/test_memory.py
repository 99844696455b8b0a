"""Answers are kept while their book stays as it was, and not a moment longer."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pnlbook.errors import PnlbookError
from pnlbook.reports.memory import MOST_KEPT, SETTLED, remembered
from pnlbook.reports.query import Source

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Reading:
    """Counts how often it is asked; waits at `gate` and fails where it should."""

    asked: list[int] = field(default_factory=list)
    error: Exception | None = None
    gate: threading.Event | None = None

    def __call__(self, source: Source, number: int) -> str:
        self.asked.append(number)
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        return f"{source.path.read_text(encoding='utf-8')} {number}"


@pytest.fixture
def source(tmp_path: Path) -> Source:
    book = tmp_path / "book.duckdb"
    book.write_text("first", encoding="utf-8")
    settle(book)
    return Source(book, 1.0)


def settle(file: Path) -> None:
    """Let the file look as if it had not been written to for a while."""
    past = time.time() - SETTLED - 1
    os.utime(file, (past, past))


def test_an_unchanged_book_is_asked_once(source: Source) -> None:
    reading = Reading()
    recall = remembered(reading)
    assert [recall(source, 1), recall(source, 1), recall(source, 2)] == [
        "first 1",
        "first 1",
        "first 2",
    ]
    assert reading.asked == [1, 2]


def test_a_book_written_to_is_asked_again(source: Source) -> None:
    recall = remembered(Reading())
    assert recall(source, 1) == "first 1"
    source.path.write_text("other", encoding="utf-8")  # as long as before
    assert recall(source, 1) == "other 1"


def test_a_book_put_in_its_place_is_asked_again(source: Source) -> None:
    recall = remembered(Reading())
    assert recall(source, 1) == "first 1"
    other = source.path.with_name("other.duckdb")
    other.write_text("other", encoding="utf-8")
    seen = source.path.stat()
    os.utime(other, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    other.replace(source.path)
    assert recall(source, 1) == "other 1"


def test_what_stands_in_the_log_beside_the_book_counts(source: Source) -> None:
    reading = Reading()
    recall = remembered(reading)
    recall(source, 1)
    log = source.path.with_name("book.duckdb.wal")
    log.write_text("committed", encoding="utf-8")
    settle(log)
    recall(source, 1)
    assert reading.asked == [1, 1]


def test_a_book_written_to_just_now_is_asked_again(source: Source) -> None:
    """Its next change may leave the time of the file as it is."""
    reading = Reading()
    recall = remembered(reading)
    source.path.touch()
    assert recall(source, 1) == recall(source, 1)
    assert reading.asked == [1, 1]


def test_errors_are_not_kept(source: Source) -> None:
    reading = Reading(error=PnlbookError("locked"))
    recall = remembered(reading)
    with pytest.raises(PnlbookError, match="locked"):
        recall(source, 1)
    reading.error = None
    assert recall(source, 1) == "first 1"


def test_a_book_that_is_not_there_is_asked_each_time(tmp_path: Path) -> None:
    recall = remembered(Reading())
    missing = Source(tmp_path / "none.duckdb", 1.0)
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            recall(missing, 1)


@pytest.mark.parametrize("error", [None, PnlbookError("locked")])
def test_who_asks_meanwhile_gets_the_same_answer(
    source: Source, error: PnlbookError | None
) -> None:
    reading = Reading(error=error, gate=threading.Event())
    recall = remembered(reading)

    def ask() -> str:
        try:
            return recall(source, 1)
        except PnlbookError as told:
            return str(told)

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask) for _ in range(4)]
        time.sleep(0.1)
        assert reading.gate
        reading.gate.set()
        assert {answer.result(10) for answer in answers} == {str(error) if error else "first 1"}
    assert reading.asked == [1]


def test_the_answers_used_last_are_kept(source: Source) -> None:
    reading = Reading()
    recall = remembered(reading)
    for number in range(MOST_KEPT):
        recall(source, number)
    recall(source, 0)
    recall(source, MOST_KEPT)
    recall(source, 0)
    assert reading.asked == [*range(MOST_KEPT), MOST_KEPT]
    recall(source, 1)
    assert reading.asked[-1] == 1
