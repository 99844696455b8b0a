from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnlbook.reports.figures import total
from pnlbook.reports.statement import Statement, label, period_label, read_statement, waterfall

if TYPE_CHECKING:
    from pnlbook.reports.filters import Grain

SEPTEMBER, OCTOBER = date(2025, 9, 1), date(2025, 10, 1)
AMOUNTS = st.decimals(min_value=-(10**20), max_value=10**20, places=12)

Row = tuple[date, str, str, Decimal | None, int]


def statement(*rows: Row, grain: Grain = "month") -> Statement:
    schema = {
        "period_start": pl.Date(),
        "section": pl.String(),
        "kind": pl.String(),
        "amount_usd": pl.Decimal(38, 12),
        "unpriced_rows": pl.Int64(),
    }
    return read_statement(pl.DataFrame(list(rows), schema=schema, orient="row"), grain)


def with_net(amounts: list[tuple[str, str, Decimal]]) -> Statement:
    net = total([a if section == "revenue" else a.copy_negate() for section, _, a in amounts])
    lines: list[Row] = [(OCTOBER, section, kind, amount, 0) for section, kind, amount in amounts]
    return statement(*lines, (OCTOBER, "net", "net", net, 0))


@given(
    st.lists(
        st.tuples(st.sampled_from(["revenue", "cost"]), st.text(max_size=3), AMOUNTS),
        unique_by=lambda line: line[:2],
        max_size=30,
    )
)
def test_the_steps_of_a_waterfall_lead_exactly_to_the_net(
    amounts: list[tuple[str, str, Decimal]],
) -> None:
    made = with_net(amounts)
    steps = waterfall(made)
    moving = [step for step in steps if step.role in {"revenue", "cost"}]
    level = Decimal(0)
    for step in moving:
        assert step.start == level
        assert step.end == total([level, step.amount])
        level = step.end
    assert steps[-1].role == "net"
    assert steps[-1].amount == level == (made.sums("net").total or 0)
    assert len({step.label for step in steps[:-1]}) == len(steps) - 1


def test_small_kinds_share_a_bar() -> None:
    kinds = [("cost", f"kind {n}", Decimal(n)) for n in range(1, 10)]
    steps = [step for step in waterfall(with_net(kinds), most=4) if step.role == "cost"]
    assert [(step.label, step.amount) for step in steps] == [
        ("Kind 9", Decimal(-9)),
        ("Kind 8", Decimal(-8)),
        ("Kind 7", Decimal(-7)),
        ("6 other costs", Decimal(-21)),
    ]


def test_a_loss_is_called_one() -> None:
    last = waterfall(with_net([("cost", "energy", Decimal(3))]))[-1]
    assert (last.label, last.amount) == ("Net loss", Decimal(-3))


def test_a_cost_named_like_a_revenue_keeps_a_bar_of_its_own() -> None:
    same = [("revenue", "storage", Decimal(5)), ("cost", "storage", Decimal(2))]
    assert [step.label for step in waterfall(with_net(same))] == [
        "Storage",
        "Revenue",
        "Storage (cost)",
        "Net profit",
    ]


def test_a_period_without_facts_is_one_of_zeros() -> None:
    made = statement(
        (SEPTEMBER, "net", "net", Decimal(1), 0), (date(2025, 12, 1), "net", "net", Decimal(2), 0)
    )
    assert [period.month for period in made.periods] == [9, 10, 11, 12]
    assert list(made.sums("net").amounts.values()) == [1, 0, 0, 2]
    assert list(made.sums("revenue").amounts.values()) == [0, 0, 0, 0]


def test_what_has_no_price_is_not_zero() -> None:
    made = statement(
        (SEPTEMBER, "revenue", "bonus", None, 2),
        (SEPTEMBER, "net", "net", None, 2),
        (OCTOBER, "revenue", "bonus", Decimal(5), 1),
        (OCTOBER, "net", "net", Decimal(5), 1),
    )
    assert made.sums("revenue").amounts == {SEPTEMBER: None, OCTOBER: 5}
    assert made.sums("revenue").total == 5
    assert made.unpriced_rows == 3


def test_larger_lines_come_first_and_what_is_taken_back_last() -> None:
    made = with_net(
        [
            ("cost", "carried", Decimal(-9)),
            ("cost", "energy", Decimal(1)),
            ("cost", "compute", Decimal(2)),
        ]
    )
    assert [line.kind for line in made.section("cost")] == ["compute", "energy", "carried"]


@pytest.mark.parametrize(
    ("grain", "first", "last", "labels"),
    [
        ("day", date(2025, 2, 28), date(2025, 3, 1), ["28 Feb 2025", "1 Mar 2025"]),
        ("week", date(2025, 9, 29), date(2025, 10, 6), ["29 Sep 2025", "6 Oct 2025"]),
        ("month", date(2024, 12, 1), date(2025, 1, 1), ["Dec 2024", "Jan 2025"]),
        ("quarter", date(2024, 10, 1), date(2025, 1, 1), ["Q4 2024", "Q1 2025"]),
        ("year", date(2024, 1, 1), date(2025, 1, 1), ["2024", "2025"]),
    ],
)
def test_periods_follow_one_another(
    grain: Grain, first: date, last: date, labels: list[str]
) -> None:
    made = statement(
        (first, "net", "net", Decimal(0), 0), (last, "net", "net", Decimal(0), 0), grain=grain
    )
    assert [period_label(period, grain) for period in made.periods] == labels


def test_kinds_are_written_for_people() -> None:
    assert label("project_fee") == "Project fee"
    assert label("") == ""
