"""Figures as people read them: exact `Decimal` in, text out; `None` is no data and a dash."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

ZERO = Decimal(0)
NO_DATA = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"

_CENT = Decimal("0.01")
_TENTH = Decimal("0.1")
# Wide enough for sums of DECIMAL(38, 12); Python's own arithmetic keeps only 28 digits, even of
# `-amount` and `abs(amount)`, so signs are changed by `copy_negate` and `copy_abs`.
_EXACT = Context(prec=80)


def money(amount: Decimal | None) -> str:
    """Return US dollars with thousands separators and cents, half-up: `1,234.50`."""
    return NO_DATA if amount is None else _grouped(amount, _CENT)


def signed_money(amount: Decimal | None) -> str:
    """Return US dollars with the sign always shown: `+1,234.50`, `0.00`."""
    return NO_DATA if amount is None else _signed(amount, _CENT)


def percent(percentage: Decimal | None) -> str:
    """Return a percentage with one decimal, half-up: `94.4 %`."""
    return NO_DATA if percentage is None else _grouped(percentage, _TENTH) + THIN_SPACE + "%"


def signed_percent(percentage: Decimal | None) -> str:
    """Return a percentage with the sign always shown: `+12.3 %`."""
    return NO_DATA if percentage is None else _signed(percentage, _TENTH) + THIN_SPACE + "%"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: `1 row`, `20,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def total(amounts: list[Decimal]) -> Decimal:
    """Return the exact sum."""
    result = ZERO
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def _grouped(number: Decimal, step: Decimal) -> str:
    rounded = number.quantize(step, ROUND_HALF_UP, _EXACT)
    return (MINUS if rounded < 0 else "") + f"{rounded.copy_abs():,f}"


def _signed(number: Decimal, step: Decimal) -> str:
    rounded = number.quantize(step, ROUND_HALF_UP, _EXACT)
    return ("+" if rounded > 0 else "") + _grouped(number, step)
