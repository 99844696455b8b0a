"""The filters of a report and their form in a URL; `last` is a day, `until` the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import (
    TYPE_CHECKING,
    ClassVar,
    Literal,
    Protocol,
    Self,
    TypeAlias,
    TypedDict,
    TypeVar,
    get_args,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

Basis: TypeAlias = Literal["accrual", "cash"]
Grain: TypeAlias = Literal["day", "week", "month", "quarter", "year"]
Rank: TypeAlias = Literal["highest", "lowest"]

BASES: tuple[Basis, ...] = get_args(Basis)
GRAINS: tuple[Grain, ...] = get_args(Grain)
RANKS: tuple[Rank, ...] = get_args(Rank)

_MOST_DIGITS = 8  # of seconds: more than a year


class Query(Protocol):
    """The live parameters of a URL: marimo's, or a dictionary."""

    def __contains__(self, name: object, /) -> bool: ...
    def __getitem__(self, name: str, /) -> str | list[str] | None: ...
    def __setitem__(self, name: str, value: str, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...


@dataclass(frozen=True)
class Range:
    """What every report can be narrowed down to; None means everything.

    What has its default value stays out of the URL.
    """

    report: ClassVar[str]

    first: date | None = None
    last: date | None = None
    node: str | None = None
    project: str | None = None

    @property
    def until(self) -> date | None:
        """Return the day after the last one, where the half-open range ends."""
        if self.last is None or self.last == date.max:
            return None
        return self.last + timedelta(days=1)

    @property
    def terms(self) -> list[str]:
        """Return in words how figures are counted."""
        return []

    @property
    def marks(self) -> list[str]:
        """Return what a file's name says of that, where it is not as usual."""
        return []

    def within(self, first: date, last: date) -> Self:
        """Return these filters with the days that were left open."""
        chosen = replace(self, first=self.first or first, last=self.last or last)
        if chosen.first and chosen.last and chosen.first > chosen.last:
            return replace(self, first=first, last=last)
        return chosen

    def to_query(self) -> dict[str, str]:
        """Return the parameters of a URL that restores these filters."""
        default = asdict(type(self)())
        return {
            name: value.isoformat() if isinstance(value, date) else str(value)
            for name, value in asdict(self).items()
            if value != default[name]
        }


@dataclass(frozen=True)
class Filters(Range):
    """What a reader of the profit report chose.

    node and project narrow every figure down; opened is the node whose months and rows are shown.
    """

    report = "profit"

    basis: Basis = "accrual"
    grain: Grain = "month"
    rank: Rank = "highest"
    opened: str | None = None

    @property
    def terms(self) -> list[str]:
        """Return the basis."""
        return [self.basis]

    @property
    def marks(self) -> list[str]:
        """Return the basis."""
        return [] if self.basis == Filters.basis else [self.basis]

    def of_figures(self) -> Filters:
        """Return what of these filters every figure depends on."""
        return replace(self, rank=Filters.rank, opened=Filters.opened)


@dataclass(frozen=True)
class WorkFilters(Range):
    """What a reader of the work report chose.

    idle: the seconds that waiting for a person may last to count as work; opened: the node or the
    project whose sessions are shown, as `node:ID` or `project:ID`.
    """

    report = "work"

    idle: int = 300
    opened: str | None = None

    @property
    def terms(self) -> list[str]:
        """Return what of waiting counts."""
        return [f"waiting up to {self.idle} s counts"]

    @property
    def marks(self) -> list[str]:
        """Return the threshold of waiting."""
        return [] if self.idle == WorkFilters.idle else [f"idle-{self.idle}s"]

    def of_figures(self) -> WorkFilters:
        """Return what of these filters every figure depends on."""
        return replace(self, opened=WorkFilters.opened)


def from_query(query: Mapping[str, str | list[str]]) -> Filters:
    """Read filters from a URL; what it says wrongly, or not at all, keeps its default."""
    given = _given(query)
    default = Filters()
    return Filters(
        **_range(given),
        basis=_one_of(BASES, given.get("basis"), default.basis),
        grain=_one_of(GRAINS, given.get("grain"), default.grain),
        rank=_one_of(RANKS, given.get("rank"), default.rank),
        opened=given.get("opened"),
    )


def work_from_query(query: Mapping[str, str | list[str]]) -> WorkFilters:
    """Read the filters of the work report from a URL in the same way."""
    given = _given(query)
    return WorkFilters(
        **_range(given), idle=_seconds(given.get("idle")), opened=given.get("opened")
    )


def write_query(filters: Range, query: Query) -> None:
    """Bring a live mapping of URL parameters up to these filters; foreign parameters stay."""
    wanted = filters.to_query()
    for name in asdict(filters):
        if name not in wanted and name in query:
            del query[name]
    for name, value in wanted.items():
        if name not in query or query[name] != value:
            query[name] = value


def _given(query: Mapping[str, str | list[str]]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else value[-1]
        for name, value in query.items()
        if value
    }


class _Range(TypedDict):
    first: date | None
    last: date | None
    node: str | None
    project: str | None


def _range(given: Mapping[str, str]) -> _Range:
    return {
        "first": _day(given.get("first")),
        "last": _day(given.get("last")),
        "node": given.get("node"),
        "project": given.get("project"),
    }


def _seconds(text: str | None) -> int:
    known = text is not None and text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if known and text else WorkFilters.idle


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _one_of(known: tuple[T, ...], text: str | None, default: T) -> T:
    return next((name for name in known if name == text), default)
