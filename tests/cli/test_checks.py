"""`pnlbook checks`."""

from __future__ import annotations

import json

import pytest
from tests.cli.running import Outcome, Pnlbook, check_golden

from pnlbook import sql
from pnlbook.sql import Check

pytestmark = [pytest.mark.core, pytest.mark.usefixtures("book")]

HOLDS = Check("always", "fail", "nothing is wrong", "-- fail: x\nSELECT 1 AS a WHERE false;\n")
WARNS = Check("odd", "warn", "odd numbers", "-- warn: x\nSELECT range AS n FROM range(1, 20, 2)")
FAILS = Check("even", "fail", "even numbers", "-- fail: x\nSELECT 2 AS n, NULL AS why -- end\n;\n")


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    found = [HOLDS]
    monkeypatch.setattr(sql, "checks", lambda: tuple(found))
    return found


@pytest.mark.usefixtures("checks")
def test_all_hold(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("checks")
    assert (outcome.code, outcome.err) == (0, "")
    assert "ok        0  always  nothing is wrong\n" in outcome.out


def test_a_warning_is_no_failure(pnlbook: Pnlbook, checks: list[Check]) -> None:
    checks.append(WARNS)
    assert pnlbook("checks").code == 0


def test_a_check_that_must_hold(pnlbook: Pnlbook, checks: list[Check]) -> None:
    checks += [WARNS, FAILS]
    outcome = pnlbook("checks")
    assert (outcome.code, outcome.err) == (5, "")
    check_golden("checks.table", outcome.out)


def test_rows_shown(pnlbook: Pnlbook, checks: list[Check]) -> None:
    checks.append(WARNS)
    assert "… and 8 more\n" in pnlbook("checks", "--rows", "2").out
    assert "odd: " not in pnlbook("checks", "--rows", "0").out


def test_json(pnlbook: Pnlbook, checks: list[Check]) -> None:
    checks.append(FAILS)
    outcome = pnlbook("checks", "--json")
    assert outcome.code == 5
    assert json.loads(outcome.out)[1] == {
        "name": "even",
        "severity": "fail",
        "description": "even numbers",
        "state": "fail",
        "offending_rows": 1,
        "first_rows": [{"n": "2", "why": None}],
    }


def test_a_new_book_passes_the_checks_of_the_program(pnlbook: Pnlbook) -> None:
    assert pnlbook("checks", "--quiet") == Outcome(0, pnlbook("checks").out, "")
