"""Only what the book has read whole, of writers that ended, leaves the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.load.books import new_book
from tests.worklog.spools import files

from pnlbook.book import open_book
from pnlbook.worklog import Policy, WorkHistoryLogger
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.pruning import prune
from pnlbook.worklog.result import WorkOptions

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


def test_a_file_goes_once_it_is_in_the_book_and_its_writer_has_ended(tmp_path: Path) -> None:
    spool, book = tmp_path / "spool", new_book(tmp_path)

    def pruned(days: float = 0, *, dry_run: bool = False) -> int:
        with open_book(book) as connection:
            return len(prune(connection, spool, days, dry_run=dry_run).files)

    log = WorkHistoryLogger(spool, policy=Policy(rotate_bytes=2000))
    for _ in range(12):
        log.log_tool_usage(tool_name="t", subject="x" * 300)
    count = len(files(spool))
    assert pruned() == 0  # the book knows of none
    load_work(book, [f"spool:{spool}"], WorkOptions())
    log.log_tool_usage(tool_name="later")
    assert log.path is not None
    assert pruned(days=1) == 0  # all are of today
    assert pruned(dry_run=True) in {count, count - 1}  # the last may be the living writer's
    assert len(files(spool)) >= count
    pruned()
    assert [str(path) for path in files(spool)] == [log.path]
    log.close()
    assert pruned() == 0  # it holds what was not loaded
    load_work(book, [f"spool:{spool}"], WorkOptions())
    assert pruned() == 1
    with open_book(book) as connection:
        assert connection.sql("SELECT count(*) FROM tool_usage").fetchall() == [(13,)]
