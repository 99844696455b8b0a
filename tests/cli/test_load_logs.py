"""`pnlbook load` of logs of work: what it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pnlbook.book import open_book, run

if TYPE_CHECKING:
    from tests.cli.running import Pnlbook

pytestmark = pytest.mark.usefixtures("book")

SAMPLES = Path(__file__).parents[1] / "data" / "worklog" / "claude-code"
LOGS = f"claude-code:{SAMPLES}"


def counted(book: Path, table: str) -> int:
    with open_book(book) as connection:
        return int(run(connection, f"SELECT count(*) FROM {table}")[0][0])


def test_what_was_found_is_summed_up(pnlbook: Pnlbook, book: Path) -> None:
    outcome = pnlbook("load", LOGS)
    assert outcome.code == 0
    rows = {line.split()[0]: line.split()[1:] for line in outcome.out.splitlines()[2:7]}
    for table, (_, added, superseded, _) in rows.items():
        assert (int(added), superseded) == (counted(book, table), "0")
    refused = [line for line in outcome.err.splitlines() if line.startswith("refused: ")]
    assert len(refused) == counted(book, "rejects") == 3
    assert "\n3 lines refused\n" in outcome.out
    assert f"{len(list(SAMPLES.rglob('*.jsonl')))} logs read" in outcome.out
    assert "\npassed over, as nothing of them is counted: " in outcome.out
    again = pnlbook("load", LOGS)
    assert (again.code, again.out.count("\n")) == (0, 1)
    assert again.out.startswith("0 logs read (0.0 MB), ")


def test_json(pnlbook: Pnlbook, book: Path) -> None:
    told = json.loads(pnlbook("load", LOGS, "--json").out)
    assert told["rows_refused"] == 3
    assert told["skipped"]["user without a message"] == 2
    assert {t["table"]: t["rows_added"] for t in told["tables"]} == {
        t["table"]: counted(book, t["table"]) for t in told["tables"]
    }
    with open_book(book) as connection:
        cost = run(connection, "SELECT sum(cost_usd)::VARCHAR FROM communication_log")[0][0]
    assert float(told["model_cost_usd"]) == float(cost) > 0


def test_a_dry_run_leaves_the_book(pnlbook: Pnlbook, book: Path) -> None:
    outcome = pnlbook("load", LOGS, "--dry-run")
    assert outcome.out.startswith("Dry run: the book stays as it is.")
    assert counted(book, "communication_log") == counted(book, "rejects") == 0


def test_no_broken_line_where_none_is_allowed(pnlbook: Pnlbook, book: Path) -> None:
    outcome = pnlbook("load", LOGS, "--max-rejects", "0")
    assert outcome.code == 3
    assert "3 lines of the logs cannot be read (0 allowed), so nothing was loaded." in outcome.err
    assert counted(book, "work_sessions") == 0


def test_a_kind_is_meant_whatever_lies_here(
    pnlbook: Pnlbook, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "home"))
    for place in ("codex", "home/sessions"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "codex" / "nodes.csv").write_text("node_id,node_name\na,Ada\n", encoding="utf-8")
    looked = f"looked in {tmp_path / 'home' / 'sessions'}"
    assert looked in pnlbook("load", "codex").err
    assert pnlbook("load", "./codex").code == 0
    assert counted(book, "nodes") == 1


def test_a_place_without_logs(pnlbook: Pnlbook, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = pnlbook("load", "codex:empty")
    assert outcome.code == 1
    assert outcome.err == (
        "error: codex:empty: no such logs were found (looked in empty). "
        "Name a place: codex:PATH. Nothing was loaded.\n"
    )
