from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pnlbook.reports import figures

AMOUNTS = st.decimals(min_value=-(10**25), max_value=10**25, places=12)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1234567.5", "1,234,567.50"),
        ("0.005", "0.01"),
        ("-0.005", "\N{MINUS SIGN}0.01"),
        ("2.675", "2.68"),
        ("-0.004", "0.00"),
        ("-1250.005", "\N{MINUS SIGN}1,250.01"),
        ("99999999999999999999999999.999999999999", "100,000,000,000,000,000,000,000,000.00"),
    ],
)
def test_money_is_rounded_half_up_and_grouped(amount: str, shown: str) -> None:
    assert figures.money(Decimal(amount)) == shown


def test_no_data_is_a_dash_and_zero_is_zero() -> None:
    assert figures.money(None) == "\N{EN DASH}"
    assert figures.percent(None) == "\N{EN DASH}"
    assert figures.money(Decimal(0)) == "0.00"


def test_signs_are_shown_where_asked_for() -> None:
    assert figures.signed_money(Decimal("12.345")) == "+12.35"
    assert figures.signed_money(Decimal(-12)) == "\N{MINUS SIGN}12.00"
    assert figures.signed_money(Decimal("0.001")) == "0.00"
    assert figures.signed_percent(Decimal("16.88")) == "+16.9\N{NARROW NO-BREAK SPACE}%"


def test_counts_agree_with_their_noun() -> None:
    assert figures.count(1, "row") == "1 row"
    assert figures.count(20_000, "row") == "20,000 rows"
    assert figures.count(2, "entry", "entries") == "2 entries"


@given(AMOUNTS)
def test_money_can_be_read_back_to_the_cent(amount: Decimal) -> None:
    text = figures.money(amount).replace(",", "").replace("\N{MINUS SIGN}", "-")
    assert Decimal(text) == amount.quantize(Decimal("0.01"), ROUND_HALF_UP, Context(prec=60))


@given(st.lists(AMOUNTS, max_size=20))
def test_a_total_loses_no_digit(amounts: list[Decimal]) -> None:
    scaled = sum(int(amount.scaleb(12, Context(prec=60))) for amount in amounts)
    assert figures.total(amounts) == Decimal(scaled).scaleb(-12, Context(prec=60))
