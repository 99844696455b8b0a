"""What models cost in logs of work: priced on the way in, and what a log says goes before it."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from tests.load import books

from pnlbook import sql
from pnlbook.worklog.importer import Findings, Position, Reading
from pnlbook.worklog.loading import load_work
from pnlbook.worklog.records import Message
from pnlbook.worklog.result import WorkOptions, WorkResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.core

SENT = 1_770_000_000_000_000  # 2026-02-02
ROW = "SELECT cost_usd, cost_basis, price_id IS NOT NULL, load_id FROM communication_log"


class Plain:
    """Logs whose lines are the columns of messages, as JSON."""

    name = "aider"

    def places(self) -> Sequence[Path]:
        return ()

    def find(self, place: Path) -> Sequence[Path]:
        return (place,)

    def read(self, log: Path, position: Position, _: Reading, findings: Findings) -> Position:
        lines = log.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines[position.lines_read :], position.lines_read + 1):
            given = json.loads(line)
            if "cost_usd" in given:
                given["cost_usd"] = Decimal(given["cost_usd"])
            message = {"role": "assistant", "model": "claude-opus-4-6", "sent_at": SENT} | given
            findings.add(Message(line=number, **message))
        findings.lines = len(lines)
        return Position(log.stat().st_size, len(lines))


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(sys.modules, "pnlbook.worklog.aider", SimpleNamespace(IMPORTER=Plain()))
    return books.new_book(tmp_path)


def log(book: Path, name: str, **columns: object) -> WorkResult:
    path = book.parent / name
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(columns) + "\n")
    return load_work(book, [f"aider:{path}"], WorkOptions())


def test_messages_of_a_log_are_priced(book: Path) -> None:
    result = log(book, "a.log", key="a", output_tokens=1000, input_tokens=100)
    assert (result.model_cost_usd, result.unpriced_messages) == (Decimal("0.0255"), 0)
    assert books.rows(book, ROW) == [(Decimal("0.0255"), "list", True, 1)]
    loads = "SELECT load_id, batch_id, table_name FROM loads ORDER BY load_id"
    assert books.rows(book, loads) == [(1, 1, "work log"), (2, 1, "model_prices")]


def test_a_message_that_grew_is_priced_as_a_whole(book: Path) -> None:
    log(book, "a.log", key="a", output_tokens=1000)
    result = log(book, "a.log", key="a", output_tokens=3000)
    assert result.model_cost_usd == Decimal("0.075")
    assert books.rows(book, ROW) == [(Decimal("0.075"), "list", True, 3)]
    past = "SELECT cost_usd FROM model_rows(as_of := 2)"
    assert books.rows(book, past) == [(Decimal("0.025"),)]


def test_our_price_is_nothing_new(book: Path) -> None:
    log(book, "a.log", key="a", output_tokens=1000)
    log(book, "b.log", key="a", output_tokens=1000)
    assert books.rows(book, ROW) == [(Decimal("0.025"), "list", True, 1)]
    assert books.rows(book, "SELECT count(*) FROM communication_log_history") == [(0,)]


@pytest.mark.parametrize("told", ["0.001", "7.5"])
def test_what_a_log_says_goes_before_our_price_in_any_order(book: Path, told: str) -> None:
    log(book, "a.log", key="a", output_tokens=1000)
    log(book, "b.log", key="a", cost_usd=told, cost_basis="actual")
    log(book, "b.log", key="b", cost_usd=told, cost_basis="actual")
    log(book, "a.log", key="b", output_tokens=1000)
    found = books.rows(book, f"{ROW} ORDER BY message_id")
    assert [row[:3] for row in found] == [(Decimal(told), "actual", False)] * 2
    (check,) = (check for check in sql.checks() if check.name == "message_cost_differs")
    assert books.rows(book, check.sql) == []
