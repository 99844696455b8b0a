"""`pnlbook worklog reprice`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.running import Pnlbook

pytestmark = pytest.mark.core

TALK = """\
message_id,role,model,input_tokens,output_tokens,sent_at
a,assistant,house-model,1000,200,2025-10-01
b,assistant,house-model,1000,200,2025-11-01
c,assistant,other-model,1000,200,2025-11-01
"""
PRICES = "model,input_usd_per_mtok,output_usd_per_mtok\nhouse-model,2,5\n"


@pytest.fixture(autouse=True)
def _talk(book: Path, pnlbook: Pnlbook) -> None:
    assert book.exists()
    Path("communication_log.csv").write_text(TALK, encoding="utf-8")
    assert pnlbook("load", "communication_log.csv").code == 0


def load_prices(pnlbook: Pnlbook, text: str = PRICES) -> str:
    Path("model_prices.csv").write_text(text, encoding="utf-8")
    outcome = pnlbook("load", "model_prices.csv")
    assert outcome.code == 0
    return outcome.err


def test_messages_without_a_price_are_priced_when_asked(pnlbook: Pnlbook) -> None:
    assert "'pnlbook worklog reprice'" in load_prices(pnlbook)
    outcome = pnlbook("worklog", "reprice", "--dry-run")
    assert outcome.out == (
        "Dry run: it would price 2 of 3 messages anew: +0.006 USD, from 0.00 to 0.006.\n"
    )
    outcome = pnlbook("worklog", "reprice")
    assert (outcome.code, outcome.out) == (
        0,
        "Priced 2 of 3 messages anew: +0.006 USD, from 0.00 to 0.006.\n",
    )
    assert outcome.err.startswith("1 is without a price still: 'pnlbook checks' names")
    assert pnlbook("worklog", "reprice").out.startswith("Priced 0 of 1 messages anew: 0.00 USD")
    assert pnlbook("checks").code == 0


def test_json(pnlbook: Pnlbook) -> None:
    load_prices(pnlbook)
    outcome = pnlbook("worklog", "reprice", "--since", "2025-10-15", "--json")
    assert json.loads(outcome.out) == {
        "load_id": 3,
        "dry_run": False,
        "messages": 2,
        "changed": 1,
        "unpriced": 1,
        "before_usd": "0.00",
        "after_usd": "0.003",
        "change_usd": "0.003",
    }


def test_all_of_a_model(pnlbook: Pnlbook) -> None:
    load_prices(pnlbook)
    pnlbook("worklog", "reprice")
    assert load_prices(pnlbook, PRICES.replace("2,5", "1,0")) == (
        "model_prices.csv: table model_prices, by the file's name.\n"
    )
    asked = ("worklog", "reprice", "--model", "house-model", "--quiet")
    assert json.loads(pnlbook(*asked, "--json").out)["changed"] == 0
    outcome = pnlbook(*asked, "--all", "--json")
    assert (json.loads(outcome.out)["change_usd"], outcome.err) == ("-0.004", "")


def test_a_time_that_is_none(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("worklog", "reprice", "--since", "soon")
    assert outcome.code == 2
    assert "--since takes a date or time such as 2025-10-01, not 'soon'." in outcome.err
