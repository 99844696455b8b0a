"""Instants as logs write them, in microseconds since 1970; a text without a zone is in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(text: str | None) -> int | None:
    """Return the instant that an ISO 8601 text says; None when it says none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def milliseconds(start: int | None, end: int | None) -> Decimal | None:
    """Return the time between two instants; None when one is not known or the clock went back."""
    if start is None or end is None or end < start:
        return None
    return Decimal(end - start).scaleb(-3)
