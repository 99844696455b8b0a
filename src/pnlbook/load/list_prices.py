"""List prices of models: what the package genai-prices knows, without a network, as rows of prices.

A row holds from the first microsecond of its day in UTC; the oldest one of a model from ever. Of a
model that also charges by the request, for reasoning apart or by the time of day, tokens alone do
not tell the cost: its rates are NULL. Rates are those of the provider that the name tells, for
text, without batches or priority. A rate for writing to a cache for an hour is given only where the
provider publishes one, for no rule holds for all (an hour is not always twice the input's rate).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

SOURCE = "genai-prices"
EVER = datetime(1970, 1, 2, tzinfo=UTC)

# A model of Amazon Bedrock, with the region or without: us.anthropic.claude-…, amazon.nova-…
_BEDROCK = re.compile(r"(?:[a-z]+\.)?[a-z][a-z0-9]*\.(?=[a-z])")
# Columns of model_prices, each with what the package calls it.
RATES = {
    "input_usd_per_mtok": ("input_mtok",),
    "cache_read_usd_per_mtok": ("cache_read_mtok",),
    "cache_write_5m_usd_per_mtok": ("cache_write_5m_mtok", "cache_write_mtok"),
    "cache_write_1h_usd_per_mtok": ("cache_write_1h_mtok",),
    "output_usd_per_mtok": ("output_mtok",),
}
_BEYOND_TOKENS = ("requests_kcount", "output_reasoning_mtok", "output_citation_mtok")
_LAST_DECIMAL = Decimal("1e-12")

# From when and from how many input tokens on.
Start: TypeAlias = tuple[datetime, int]


@dataclass(frozen=True)
class ListPrice:
    """A row of model_prices; rates are USD for a million tokens, None where none is known."""

    model: str
    provider: str
    valid_from: datetime
    from_input_tokens: int
    input_usd_per_mtok: Decimal | None = None
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_5m_usd_per_mtok: Decimal | None = None
    cache_write_1h_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None

    @property
    def price_id(self) -> str:
        """Return the identity of the price."""
        day = f"{self.valid_from:%Y-%m-%d}"
        return f"{SOURCE} {self.model} {day} {self.from_input_tokens}"


def installed() -> str:
    """Return the version of the prices, without reading them."""
    return version(SOURCE)


def list_prices(model: str, known: Iterable[Start] = ()) -> list[ListPrice]:
    """Return the prices of a model as logs name it; none when the model is not known.

    known: further starts that a row is wanted for, with what holds there.
    """
    found = _find(model)
    if found is None:
        return []
    provider, info = found
    known = list(known)
    days = sorted({EVER, *_days(info), *(day for day, _ in known)})
    rows = []
    for day in days:
        prices = _prices(info, day)
        starts = {start for at, start in known if at == day}
        for start in sorted({0, *starts, *(_tiers(prices) if prices else ())}):
            rates = _rates(prices, start) if prices else ()
            rows.append(ListPrice(model, provider.id, day, start, *rates))
    priced = any(getattr(row, rate) is not None for row in rows for rate in RATES)
    return rows if priced or known else []


@cache
def _snapshot() -> DataSnapshot:
    """Read the package's own data; imported here, for it takes a third of a second."""
    from genai_prices.data import providers  # noqa: PLC0415 - see above
    from genai_prices.data_snapshot import DataSnapshot  # noqa: PLC0415 - see above

    return DataSnapshot(providers, from_auto_update=False)


def _find(name: str) -> tuple[Provider, ModelInfo] | None:
    """Find a model by name: `claude-…`, `anthropic/claude-…`, `us.anthropic.claude-…`.

    A name with a provider that is not known is that of no model: it may run on one's own hardware.
    """
    before, slash, after = name.partition("/")
    provider, model = (before, after) if slash else (None, name)
    if provider is None and _BEDROCK.match(name):
        provider = "aws"
    try:
        return _snapshot().find_provider_model(model, None, provider, None)
    except LookupError:
        return None


def _days(info: ModelInfo) -> list[datetime]:
    """Return the first instants of the dated prices."""
    if not isinstance(info.prices, list):
        return []
    starts = [getattr(price.constraint, "start_date", None) for price in info.prices]
    return [datetime.combine(start, time(), UTC) for start in starts if start is not None]


def _prices(info: ModelInfo, day: datetime) -> ModelPrice | None:
    """Return the prices that hold from a day on; None where tokens alone do not tell the cost."""
    if isinstance(info.prices, list) and any(
        hasattr(price.constraint, "start_time") for price in info.prices
    ):
        return None
    prices = info.get_prices(day)
    beyond = any(getattr(prices, name) is not None for name in _BEYOND_TOKENS)
    return None if beyond else prices


def _tiers(prices: ModelPrice) -> set[int]:
    """Return the least numbers of input tokens of the tiers, whose `start` is exclusive."""
    rates = [getattr(prices, name) for names in RATES.values() for name in names]
    return {tier.start + 1 for rate in rates for tier in getattr(rate, "tiers", ())}


def _rates(prices: ModelPrice, input_tokens: int) -> tuple[Decimal | None, ...]:
    return tuple(_rate(prices, names, input_tokens) for names in RATES.values())


def _rate(prices: ModelPrice, names: Iterable[str], input_tokens: int) -> Decimal | None:
    """Return the first rate that is known of some, at a number of input tokens."""
    rates = [getattr(prices, name) for name in names]
    rate: Decimal | TieredPrices | None = next((r for r in rates if r is not None), None)
    if rate is None:
        return None
    if not isinstance(rate, Decimal):
        reached = [tier.price for tier in rate.tiers if input_tokens > tier.start]
        rate = reached[-1] if reached else rate.base
    return rate.quantize(_LAST_DECIMAL, ROUND_HALF_UP)
