"""Books for the tests of the reports, each made for what it shows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from pnlbook import migrate
from pnlbook.book import open_book

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "profit.py"

_LOAD = """
INSERT INTO loads (load_id, batch_id, status, table_name, source, location, format, started_at,
    committed_at, loaded_by, program_version)
VALUES (1, 1, 'loaded', 'node_earnings', 'test', 'in/earnings.csv', 'csv', '2025-11-01 00:00:00+00',
    '2025-11-01 12:30:00+00', 'tester', '0')
"""
_EARN = """
INSERT INTO node_earnings (earning_id, node_id, gross_amount_usd, costs_deducted_usd, amount_usd,
    token, token_amount, payment_type, payment_status, earned_at, source, source_key, source_line,
    load_id)
"""
_SPEND = """
INSERT INTO deployment_costs (cost_id, node_id, category, amount_usd, incurred_at, source,
    source_key, source_line, load_id)
"""
_NODE = "INSERT INTO nodes (node_id, node_name, source, source_key, load_id)"


def demo(path: Path) -> Path:
    """Make the sample book."""
    command = [sys.executable, "-m", "pnlbook", "demo", str(path)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return path


def empty(path: Path) -> Path:
    migrate.create(path, timezone="Europe/Berlin")
    return path


def one_row(path: Path) -> Path:
    return _filled(
        path,
        _EARN + "VALUES (1, 'solo', 12.345, 0, 12.345, NULL, NULL, 'bonus', 'paid',"
        " '2025-10-31 23:30:00+00', 'test', 'a', 7, 1)",
    )


def losing(path: Path) -> Path:
    """Make a book of two months with losses, one row without a price, and nodes nobody knows."""
    return _filled(
        path,
        _NODE + """ VALUES ('n1', 'Mill <1>', 'test', 'n1', 1), ('n2', 'Kiln', 'test', 'n2', 1)""",
        _EARN
        + """ VALUES
        (1, 'n1', 100, 0, 100, NULL, NULL, 'milestone', 'paid', '2025-09-10 00:00:00+00', 'test',
            'a', 2, 1),
        (2, 'n2', NULL, NULL, NULL, 'XMR', 2.5, 'bonus', 'paid', '2025-10-10 00:00:00+00', 'test',
            'b', 3, 1)""",
        _SPEND
        + """ VALUES
        (1, 'n1', 'energy', 1250.005, '2025-09-11 00:00:00+00', 'test', 'c', 2, 1),
        (2, 'n2', 'compute', 300, '2025-10-11 00:00:00+00', 'test', 'd', 3, 1),
        (3, 'ghost', 'compute', 5, '2025-10-12 00:00:00+00', 'test', 'e', 4, 1),
        (4, NULL, 'storage', 1, '2025-10-13 00:00:00+00', 'test', 'f', 5, 1)""",
    )


def crowded(path: Path) -> Path:
    """Make a book with 20,000 nodes."""
    return _filled(
        path,
        _NODE
        + " SELECT 'node-' || i, 'Worker ' || i, 'test', i::VARCHAR, 1 FROM range(20000) r(i)",
        _EARN
        + """ SELECT i, 'node-' || i, 10 + i * 0.01, 0, 10 + i * 0.01, NULL, NULL, 'milestone',
            'paid', TIMESTAMPTZ '2025-08-01 12:00:00+00' + to_days((i % 90)::INTEGER), 'test',
            i::VARCHAR, i, 1
        FROM range(20000) r(i)""",
        _SPEND
        + """ SELECT i, 'node-' || i, 'compute', i * 0.02, '2025-10-01 00:00:00+00', 'test',
            i::VARCHAR, i, 1
        FROM range(20000) r(i)""",
    )


def answer(path: Path, macro: str) -> list[dict[str, Any]]:
    """Return the rows of a macro call, read without anything of the reports."""
    with open_book(path) as connection:
        rows: list[dict[str, Any]] = connection.sql(f"FROM {macro}").pl().to_dicts()
    return rows


def _filled(path: Path, *statements: str) -> Path:
    migrate.create(path)
    with open_book(path, write=True) as connection:
        for statement in (_LOAD, *statements):
            connection.execute(statement)
    return path
