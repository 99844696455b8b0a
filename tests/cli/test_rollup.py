"""`pnlbook worklog rollup`, and the commands after which it is not needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest

if TYPE_CHECKING:
    from tests.cli.running import Pnlbook

pytestmark = pytest.mark.core

SESSION = """\
session_id,started_at,total_duration_seconds,node_id
s,2025-10-01T23:30:00Z,3600,a
"""
BOTH_DAYS = [("2025-10-01", "1800.000000"), ("2025-10-02", "1800.000000")]
ONE_DAY = [("2025-10-02", "3600.000000")]


@pytest.fixture(autouse=True)
def _session(book: Path, pnlbook: Pnlbook) -> None:
    assert book.exists()
    Path("work_sessions.csv").write_text(SESSION, encoding="utf-8")
    assert pnlbook("load", "work_sessions.csv").code == 0


def hours(book: Path) -> list[tuple[str, str]]:
    with duckdb.connect(str(book)) as connection:
        query = "SELECT day::VARCHAR, session_seconds::VARCHAR FROM work_metrics_daily ORDER BY day"
        return connection.execute(query).fetchall()


def forget(book: Path) -> None:
    with duckdb.connect(str(book)) as connection:
        connection.execute("DELETE FROM work_intervals; DELETE FROM work_metrics_daily;")


def test_a_rollup_says_what_differed(book: Path, pnlbook: Pnlbook) -> None:
    forget(book)
    said = json.loads(pnlbook("worklog", "rollup", "--json").out)
    assert (said["sessions_changed"], said["days_changed"]) == (1, 2)
    assert hours(book) == BOTH_DAYS
    said = json.loads(pnlbook("worklog", "rollup", "--json").out)
    assert (said["sessions"], said["sessions_changed"], said["days_changed"]) == (1, 0, 0)


def test_days_follow_the_zone_of_the_book(book: Path, pnlbook: Pnlbook) -> None:
    assert hours(book) == BOTH_DAYS
    assert pnlbook("init", "--timezone", "Europe/Berlin").code == 0
    assert hours(book) == ONE_DAY
    assert pnlbook("checks").code == 0


def test_a_book_of_before_has_its_hours_after_a_migration(book: Path, pnlbook: Pnlbook) -> None:
    forget(book)
    with duckdb.connect(str(book)) as connection:
        connection.execute("UPDATE book_settings SET value = 'x' WHERE name = 'definitions_sha256'")
    assert pnlbook("migrate", "up").code == 0
    assert hours(book) == BOTH_DAYS
