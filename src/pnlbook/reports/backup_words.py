"""Sizes, costs and ages of backups as people read them; `None` is no data and a dash."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from pnlbook.reports.figures import NO_DATA, THIN_SPACE, count

if TYPE_CHECKING:
    from datetime import datetime

_UNITS = ("kB", "MB", "GB", "TB")
_THOUSAND = 1000
_SMALLEST = Decimal("0.0001")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(octets: int | None) -> str:
    """Return a number of bytes in units of a thousand with one decimal: `1.5 MB`, `12 B`."""
    if octets is None:
        return NO_DATA
    if octets < _THOUSAND:
        return f"{octets}{THIN_SPACE}B"
    amount = Decimal(octets)
    for unit in _UNITS:
        amount /= _THOUSAND
        rounded = amount.quantize(Decimal("0.1"), ROUND_HALF_UP)
        if rounded < _THOUSAND or unit == _UNITS[-1]:
            return f"{rounded:,f}{THIN_SPACE}{unit}"
    raise AssertionError


def cost(amount: Decimal | None) -> str:
    """Return US dollars with four decimals, for a backup costs cents: `0.0360`, `<0.0001`."""
    if amount is None:
        return NO_DATA
    rounded = amount.quantize(_SMALLEST, ROUND_HALF_UP)
    return f"<{_SMALLEST}" if amount and not rounded else f"{rounded:,f}"


def seconds(length: Decimal | None) -> str:
    """Return how long something took: `0.42 s`, `3 min 20 s`."""
    if length is None:
        return NO_DATA
    if length < _MINUTE:
        return f"{length.quantize(Decimal('0.01'), ROUND_HALF_UP)}{THIN_SPACE}s"
    minutes, rest = divmod(int(length), _MINUTE)
    return f"{minutes:,}{THIN_SPACE}min {rest}{THIN_SPACE}s"


def ago(passed: int | None) -> str:
    """Return how long ago something was, in whole minutes, hours or days, from its seconds."""
    if passed is None:
        return "never"
    if passed < _MINUTE:
        return "just now"
    for unit, noun, most in ((_MINUTE, "minute", 120), (_HOUR, "hour", 48)):
        if passed < unit * most:
            return f"{count(passed // unit, noun)} ago"
    return f"{count(passed // _DAY, 'day')} ago"


def since(moment: datetime, then: datetime | None) -> str:
    """Return how long before a moment something was."""
    return ago(None if then is None else int((moment - then).total_seconds()))


def instant(at: datetime | None) -> str:
    """Return an instant on the book's clock, to the minute."""
    return NO_DATA if at is None else f"{at:%Y-%m-%d %H:%M}"
