"""`pnlbook load`: options, summary, refusals; what loading does is tested in tests/load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tests.cli.running import Pnlbook, check_golden, scrubbed, start

from pnlbook.cli.app import run
from pnlbook.cli.progress import Bar
from pnlbook.load import Progress

if TYPE_CHECKING:
    from tests.cli.running import Outcome

pytestmark = [pytest.mark.core, pytest.mark.usefixtures("book")]

EARNINGS = """\
node_id,project_id,amount_usd,payment_type,payment_status,earned_at
ada,shop,120.00,project_completion,paid,2025-10-01
ada,shop,80.50,milestone,paid,2025-10-09
"""
COSTS = """\
node_id,category,amount_usd,incurred_at
ada,compute,12.25,2025-10-03
bob,storage,3.10,31/02/2025
"""


@pytest.fixture(autouse=True)
def _files() -> None:
    Path("earnings.csv").write_text(EARNINGS, encoding="utf-8")
    Path("costs.csv").write_text(COSTS, encoding="utf-8")


def shown(outcome: Outcome) -> str:
    return scrubbed(f"{outcome.out}--- stderr, exit {outcome.code}\n{outcome.err}", Path.cwd())


def test_summary(pnlbook: Pnlbook) -> None:
    check_golden("load-one.txt", shown(pnlbook("load", "earnings.csv")))


def test_again(pnlbook: Pnlbook) -> None:
    pnlbook("load", "earnings.csv")
    check_golden("load-again.txt", shown(pnlbook("load", "earnings.csv")))


def test_refused(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("load", "costs.csv", "earnings.csv")
    assert outcome.code == 3
    check_golden("load-refused.txt", shown(outcome))
    count = "SELECT count(*) AS n FROM node_earnings"
    assert pnlbook("sql", count, "--format", "csv").out == "n\n0\n"


def test_good_rows_of_several(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("load", "costs.csv", "earnings.csv", "--max-rejects", "1")
    assert outcome.code == 0
    check_golden("load-several.txt", shown(outcome))


def test_dry_run(pnlbook: Pnlbook, book: Path) -> None:
    before = book.read_bytes()
    outcome = pnlbook("load", "earnings.csv", "--dry-run")
    assert outcome.code == 0
    assert outcome.out.startswith("Dry run: the book stays as it is.")
    assert book.read_bytes() == before


def test_json(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("load", "costs.csv", "earnings.csv", "--max-rejects", "all", "--json")
    result = json.loads(outcome.out)
    assert outcome.code == 0
    assert result["total"] == {
        "rows_read": 4,
        "rows_added": 3,
        "rows_superseded": 0,
        "rows_unchanged": 0,
        "rows_refused": 1,
        "first_at": "2025-10-01T00:00:00+00:00",
        "last_at": "2025-10-09T00:00:00+00:00",
        "amount_usd": "212.75",
        "unpriced_rows": 0,
    }
    [costs] = [file for file in result["files"] if file["location"] == "costs.csv"]
    [reject] = costs["rejects"]
    assert (reject["line"], reject["column"], reject["value"]) == (3, "incurred_at", "31/02/2025")


def test_json_of_a_refused_load(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("load", "costs.csv", "--json")
    assert outcome.code == 3
    assert json.loads(outcome.out)["total"]["rows_refused"] == 1
    [*_, last] = outcome.err.splitlines()
    assert json.loads(last)["error"]["kind"] == "DataRejected"


def test_quiet(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("load", "earnings.csv", "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    refused = pnlbook("load", "costs.csv", "--quiet")
    assert refused.err.startswith("refused: costs.csv:3: incurred_at '31/02/2025' ")


def test_more_rejects_than_are_shown(pnlbook: Pnlbook) -> None:
    bad = "".join(f"ada,compute,{n}.5.0,2025-10-03\n" for n in range(25))
    Path("bad.csv").write_text(COSTS.splitlines()[0] + "\n" + bad, encoding="utf-8")
    lines = pnlbook("load", "bad.csv", "--max-rejects", "all").err.splitlines()
    assert sum(line.startswith("refused: ") for line in lines) == 10
    assert "… and 15 more: pnlbook rejects --load 1" in lines


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--max-rejects", "-1"], "--max-rejects takes a number of rows or 'all', not '-1'."),
        (["--max-rejects", "many"], "--max-rejects takes a number of rows or 'all', not 'many'."),
        (["--set", "amount"], "--set takes COLUMN=VALUE, not 'amount'."),
    ],
)
def test_usage(pnlbook: Pnlbook, arguments: list[str], sentence: str) -> None:
    outcome = pnlbook("load", "earnings.csv", *arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {sentence}\n")


def test_no_such_file(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("load", "none.csv")
    assert outcome.code == 1
    assert outcome.err.startswith("error: none.csv: ")


def test_stdin() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pnlbook", "load", "-", "--as", "node_earnings", "--json"],
        input=EARNINGS.encode(),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["total"]["rows_added"] == 2


def test_no_bar_where_there_is_no_terminal() -> None:
    process = start("load", "earnings.csv")
    _, err = process.communicate()
    assert b"\x1b" not in err
    assert b"%" not in err


def test_bar_only_after_a_second(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    terminal = Console(file=sys.stderr, force_terminal=True, width=100)
    monkeypatch.setattr("pnlbook.cli.progress.console", lambda **_: terminal)
    monkeypatch.setattr("pnlbook.cli.progress.time.monotonic", lambda: clock[0])
    with Bar(enabled=True) as bar:
        bar.load(Progress("reading", "a.csv", 1, 10, 100))
        assert capfd.readouterr().err == ""
        clock[0] += 2
        bar.load(Progress("reading", "[a].csv", 1234567, 50, 100))
        bar.load(Progress("checking", "[a].csv", 1234567, 100, 0))
    assert "1,234,567 rows" in capfd.readouterr().err


def test_bar_that_is_not_enabled(capfd: pytest.CaptureFixture[str]) -> None:
    with Bar(enabled=False) as bar:
        bar.load(Progress("reading", "a.csv", 1, 10, 100))
    assert capfd.readouterr().err == ""


def test_waits_for_the_book_while_it_is_read(pnlbook: Pnlbook, book: Path) -> None:
    code = (
        "import duckdb, sys, time\n"
        "connection = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print(flush=True)\n"
        "time.sleep(5)\n"
    )
    command = [sys.executable, "-c", code, str(book)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        reader.stdout.readline()
        outcome = pnlbook("load", "earnings.csv")
    assert outcome.code == 0
    assert f"waiting for process {reader.pid}" in outcome.err


def test_run_returns_what_the_process_would(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["load", "none.csv"]) == 1
    assert capfd.readouterr().out == ""
