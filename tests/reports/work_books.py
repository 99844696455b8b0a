"""Books with work, each made for what it shows; their intervals are made as a load makes them."""

from __future__ import annotations

from pathlib import Path

from pnlbook import migrate
from pnlbook.book import open_book

_INTERVALS = "INSERT INTO work_intervals BY NAME FROM work_timeline()"
_VARIED = Path(__file__).with_name("varied_work.sql")
_KEYED = "'test' AS source, 1 AS load_id"


def varied(path: Path) -> Path:
    """Make a book with two nodes' work of a week in which little is known for certain."""
    return _filled(path, _VARIED.read_text(encoding="utf-8"))


def one_session(path: Path) -> Path:
    """Make a book with one session that has no end, of a node that nobody knows."""
    return _filled(
        path,
        f"INSERT INTO work_sessions BY NAME SELECT 'only' AS session_id, 'lone' AS node_id, "
        f"'in_progress' AS status, TIMESTAMPTZ '2025-10-31 23:30:00+00' AS started_at, "
        f"'only' AS source_key, {_KEYED}",
    )


def crowded(path: Path) -> Path:
    """Make a book with 20,000 sessions of 2,000 nodes."""
    return _filled(
        path,
        "INSERT INTO nodes BY NAME SELECT 'node-' || i AS node_id, 'Worker ' || i AS node_name, "
        f"i::VARCHAR AS source_key, {_KEYED} FROM range(2000) r(i)",
        "INSERT INTO work_sessions BY NAME SELECT 's-' || i AS session_id, "
        "'node-' || i % 2000 AS node_id, 'project-' || i % 50 AS project_id, "
        "'completed' AS status, "
        "TIMESTAMPTZ '2025-08-01 12:00:00+00' + to_minutes((i * 6)::BIGINT) AS started_at, "
        f"1800 + i % 2000 AS total_duration_seconds, i::VARCHAR AS source_key, {_KEYED} "
        "FROM range(20000) r(i)",
    )


def _filled(path: Path, *statements: str) -> Path:
    migrate.create(path, timezone="Europe/Berlin")
    with open_book(path, write=True) as connection:
        for statement in (*statements, _INTERVALS):
            connection.execute(statement)
    return path
