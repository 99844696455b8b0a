"""`pnlbook undo`: the command; what an undo does is tested in tests/load/test_undo.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.running import Outcome, Pnlbook

pytestmark = [pytest.mark.core, pytest.mark.usefixtures("book")]


@pytest.fixture
def loaded(pnlbook: Pnlbook) -> Pnlbook:
    Path("nodes.csv").write_text("node_id,node_name\na,Ada\nb,Bob\n", encoding="utf-8")
    assert pnlbook("load", "nodes.csv").code == 0
    return pnlbook


def test_it_says_what_it_did_and_the_file_can_come_again(loaded: Pnlbook) -> None:
    told = "load 1, nodes.csv: 2 rows of nodes removed, 0 as they were before it.\n"
    dry = Outcome(0, f"A dry run: would undo {told}", "")
    assert loaded("undo", "1", "--dry-run") == dry
    assert loaded("undo", "1") == Outcome(0, f"Load 2: undid {told}", "")
    listed = json.loads(loaded("loads", "--json").out)
    assert [(row["load_id"], row["status"]) for row in listed] == [(2, "undo"), (1, "undone")]
    assert loaded("checks").code == 0
    assert json.loads(loaded("load", "nodes.csv", "--json").out)["files"][0]["rows_added"] == 2


def test_json(loaded: Pnlbook) -> None:
    assert json.loads(loaded("undo", "1", "--json").out) == {
        "load_id": 1,
        "undo_load_id": 2,
        "table": "nodes",
        "location": "nodes.csv",
        "rows_removed": 2,
        "rows_restored": 0,
        "dry_run": False,
    }


def test_what_cannot_be(loaded: Pnlbook) -> None:
    sentence = (
        "error: load 9 cannot be undone: this book has none of that number "
        "('pnlbook loads' lists them). Nothing was changed.\n"
    )
    assert loaded("undo", "9") == Outcome(2, "", sentence)
