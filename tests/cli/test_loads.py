"""`pnlbook loads` and `pnlbook rejects`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.cli.running import Outcome, Pnlbook, check_golden, write

pytestmark = [pytest.mark.core, pytest.mark.usefixtures("full_book")]


def test_loads_table(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("loads")
    assert (outcome.code, outcome.err) == (0, "")
    check_golden("loads.table", outcome.out)


def test_loads_json(pnlbook: Pnlbook) -> None:
    newest, oldest = json.loads(pnlbook("loads", "--json").out)
    assert (newest["load_id"], oldest["load_id"]) == (2, 1)
    assert oldest["amount_usd"] == "1750.50"
    assert oldest["loaded_at"] == "2025-11-01T10:00:01+00:00"


def test_limit(pnlbook: Pnlbook) -> None:
    assert [
        row["load_id"] for row in json.loads(pnlbook("loads", "--limit", "1", "--json").out)
    ] == [2]


def test_one_load(pnlbook: Pnlbook) -> None:
    check_golden("load-1.table", pnlbook("loads", "1").out)
    facts = json.loads(pnlbook("loads", "1", "--json").out)
    assert (facts["content_sha256"], facts["loaded_by"]) == ("ab", "ann@host")


def test_unknown_load(pnlbook: Pnlbook) -> None:
    sentence = "error: there is no load 9 in this book. 'pnlbook loads' lists them.\n"
    assert pnlbook("loads", "9") == Outcome(2, "", sentence)
    assert pnlbook("rejects", "--load", "9") == Outcome(2, "", sentence)


def test_nothing_yet(pnlbook: Pnlbook) -> None:
    pnlbook("init", "new.duckdb")
    book = ["--book", "new.duckdb"]
    assert pnlbook("loads", *book) == Outcome(0, "", "Nothing was loaded yet.\n")
    assert pnlbook("rejects", *book) == Outcome(0, "", "None refused.\n")
    assert pnlbook("loads", "--json", *book) == Outcome(0, "[]\n", "")


def test_rejects_table(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("rejects")
    assert (outcome.code, outcome.err) == (0, "")
    check_golden("rejects.table", outcome.out)


def test_rejects_of_one_load(pnlbook: Pnlbook) -> None:
    [reject] = json.loads(pnlbook("rejects", "--load", "1", "--json").out)
    assert reject == {
        "load_id": 1,
        "location": "earnings.csv",
        "line": 4,
        "column": "amount_usd",
        "value": "12,x",
        "reason": "is no number",
        "raw": 'n1,"12,x"',
    }


def test_rejects_to_a_file_hold_the_whole_row(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("rejects", "--output", "refused.csv")
    assert outcome == Outcome(0, "Wrote 3 refused rows to refused.csv.\n", "")
    with Path("refused.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["raw"] for row in rows] == ["n1,5.00,31/02/2025", "n1,5.00,,", 'n1,"12,x"']
    check_golden("rejects.csv", Path("refused.csv").read_text(encoding="utf-8"))


def test_more_rejects_than_the_limit_are_said(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("rejects", "--limit", "2")
    assert len(outcome.out.splitlines()) == 4
    assert outcome.err == "… and 1 more; --limit and --output show them.\n"


def test_a_terminal_is_not_told_what_data_says(pnlbook: Pnlbook, full_book: Path) -> None:
    write(full_book, "UPDATE rejects SET value = chr(27) || ']0;x' WHERE reject_id = 1")
    assert "\x1b" not in pnlbook("rejects").out
