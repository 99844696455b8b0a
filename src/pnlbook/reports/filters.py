"""The filters of a report and their form in a URL; `last` is a day, `until` the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, TypeVar, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

Basis: TypeAlias = Literal["accrual", "cash"]
Grain: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
Rank: TypeAlias = Literal["highest", "lowest"]

BASES: tuple[Basis, ...] = get_args(Basis)
GRAINS: tuple[Grain, ...] = get_args(Grain)
RANKS: tuple[Rank, ...] = get_args(Rank)


class Query(Protocol):
    """The live parameters of a URL: marimo's, or a dictionary."""

    def __contains__(self, name: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> str | list[str] | None: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...


@dataclass(frozen=True)
class Filters:
    """What a reader chose; None means everything, and stays out of the URL like every default.

    node and project narrow every figure down; opened is the node whose months and rows are shown.
    """

    first: date | None = None
    last: date | None = None
    node: str | None = None
    project: str | None = None
    basis: Basis = "accrual"
    grain: Grain = "month"
    rank: Rank = "highest"
    opened: str | None = None

    @property
    def until(self) -> date | None:
        """Return the day after the last one, where the half-open range ends."""
        if self.last is None or self.last == date.max:
            return None
        return self.last + timedelta(days=1)

    def within(self, first: date, last: date) -> Filters:
        """Return these filters with the days that were left open."""
        chosen = replace(self, first=self.first or first, last=self.last or last)
        if chosen.first and chosen.last and chosen.first > chosen.last:
            return replace(self, first=first, last=last)
        return chosen

    def of_figures(self) -> Filters:
        """Return what of these filters every figure depends on."""
        return replace(self, rank=Filters.rank, opened=Filters.opened)

    def to_query(self) -> dict[str, str]:
        """Return the parameters of a URL that restores these filters."""
        default = asdict(Filters())
        return {
            name: value.isoformat() if isinstance(value, date) else str(value)
            for name, value in asdict(self).items()
            if value != default[name]
        }


def from_query(query: Mapping[str, str | list[str]]) -> Filters:
    """Read filters from a URL; what it says wrongly, or not at all, keeps its default."""
    given = {
        name: value if isinstance(value, str) else value[-1]
        for name, value in query.items()
        if value
    }
    default = Filters()
    return Filters(
        first=_day(given.get("first")),
        last=_day(given.get("last")),
        node=given.get("node"),
        project=given.get("project"),
        basis=_one_of(BASES, given.get("basis"), default.basis),
        grain=_one_of(GRAINS, given.get("grain"), default.grain),
        rank=_one_of(RANKS, given.get("rank"), default.rank),
        opened=given.get("opened"),
    )


def write_query(filters: Filters, query: Query) -> None:
    """Bring a live mapping of URL parameters up to these filters; foreign parameters stay."""
    wanted = filters.to_query()
    for name in asdict(filters):
        if name not in wanted and name in query:
            del query[name]
    for name, value in wanted.items():
        if name not in query or query[name] != value:
            query[name] = value


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _one_of(known: tuple[T, ...], text: str | None, default: T) -> T:
    return next((name for name in known if name == text), default)
