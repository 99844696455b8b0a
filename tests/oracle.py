"""What the profit macros must say, computed row by row in plain Python from the definitions.

Every fact becomes entries of a ledger, every figure is a sum over entries. Money is Decimal in the
context EXACT. None as an amount: not known. A function returns the whole output of the macro of its
name, in its order, a dict a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeVar
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
ZERO = Decimal(0)

Bound = date | datetime | str | None
Row = dict[str, object]
Section = Literal["revenue", "cost"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """A row as one load brought it; superseded_by: the load that replaced it, None: it stands."""

    id: int
    load_id: int = 1
    superseded_by: int | None = None


@dataclass(frozen=True, kw_only=True)
class Named(Version):
    """A node or a project that the book knows."""

    key: str
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Earning(Version):
    node: str | None = None
    project: str | None = None
    gross: Decimal | None = None
    deducted: Decimal | None = None
    amount: Decimal | None = None
    net_of_costs: bool = False
    kind: str = "milestone"
    status: str = "paid"
    at: datetime
    paid_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Cost(Version):
    node: str | None = None
    project: str | None = None
    amount: Decimal | None = None
    kind: str = "deployment"
    status: str = "paid"
    at: datetime
    paid_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Fee(Version):
    project: str | None = None
    amount: Decimal | None = None
    kind: str = "platform_fee"
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Subscription(Version):
    amount: Decimal | None = None
    status: str = "paid"
    at: datetime
    paid_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Message(Version):
    """A message; amount: what its model cost."""

    node: str | None = None
    project: str | None = None
    tokens: int | None = None
    amount: Decimal | None = None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Backup:
    id: int
    amount: Decimal | None = None
    at: datetime


@dataclass(frozen=True)
class Book:
    """All rows of a book, replaced versions included; loads: when each was committed."""

    zone: str = "UTC"
    loads: tuple[datetime, ...] = ()
    nodes: tuple[Named, ...] = ()
    projects: tuple[Named, ...] = ()
    earnings: tuple[Earning, ...] = ()
    costs: tuple[Cost, ...] = ()
    fees: tuple[Fee, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    backups: tuple[Backup, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Query:
    """The arguments that every profit macro takes."""

    since: Bound = None
    until: Bound = None
    basis: Literal["accrual", "cash"] = "accrual"
    as_of: int | None = None
    node: str | None = None
    project: str | None = None


@dataclass(frozen=True)
class Entry:
    """An amount on one side of the ledger; a deducted or carried cost is no fact of its own."""

    section: Section
    family: str
    kind: str
    node: str | None
    project: str | None
    at: datetime
    amount: Decimal | None

    @property
    def fact(self) -> bool:
        return self.family not in {"deducted", "carried"}

    @property
    def unpriced(self) -> bool:
        return self.amount is None and self.family != "carried"

    @property
    def signed(self) -> Decimal | None:
        if self.amount is None or self.section == "revenue":
            return self.amount
        return self.amount.copy_negate()


V = TypeVar("V", bound=Version)


def state(book: Book, as_of: int | None) -> Book:
    """Return the book as it was right after load as_of, without a history; None: as it is now."""
    made = book.loads[: max(as_of, 0)] if as_of is not None else ()
    return Book(
        zone=book.zone,
        loads=book.loads,
        nodes=_standing(book.nodes, as_of),
        projects=_standing(book.projects, as_of),
        earnings=_standing(book.earnings, as_of),
        costs=_standing(book.costs, as_of),
        fees=_standing(book.fees, as_of),
        subscriptions=_standing(book.subscriptions, as_of),
        messages=_standing(book.messages, as_of),
        backups=tuple(
            b for b in book.backups if as_of is None or any(b.at <= moment for moment in made)
        ),
    )


def _standing(rows: Iterable[V], as_of: int | None) -> tuple[V, ...]:
    return tuple(replace(row, superseded_by=None) for row in rows if _stood(row, as_of))


def _stood(row: Version, as_of: int | None) -> bool:
    if as_of is None:
        return row.superseded_by is None
    return row.load_id <= as_of and (row.superseded_by is None or row.superseded_by > as_of)


def instant(bound: Bound, zone: str) -> datetime | None:
    """Return the instant of a bound in UTC; without an offset it is on the clock of `zone`."""
    if isinstance(bound, str):
        bound = datetime.fromisoformat(bound)
    if bound is None:
        return None
    moment = bound if isinstance(bound, datetime) else datetime.combine(bound, time())
    if moment.tzinfo is None:
        moment = _on_clock(moment, zone)
    return moment.astimezone(UTC)


def _on_clock(moment: datetime, zone: str) -> datetime:
    """Read a local time: one that comes twice is the later, and the start of such a time the first.

    One that is skipped has the offset of before.
    """
    early, late = _readings(moment, zone)
    early_before, late_before = _readings(moment - timedelta(microseconds=1), zone)
    return late if early < late and early_before < late_before else early


def _readings(moment: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return what a local time means with the offset of before a change of the clock, and after."""
    early, late = (moment.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    return early.astimezone(UTC), late.astimezone(UTC)


def local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def start_of(grain: str, day: date) -> date:
    """Return the first day of the day, week (from Monday), month, quarter or year of a day."""
    return {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        "year": date(day.year, 1, 1),
    }[grain]


def ratio(numerator: Decimal | None, denominator: Decimal | None, digits: int) -> Decimal | None:
    """Return numerator / denominator rounded half up, away from zero; None over zero."""
    if numerator is None or not denominator:
        return None
    return EXACT.quantize(EXACT.divide(numerator, denominator), Decimal((0, (1,), -digits)))


def percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    share = ratio(part, whole, 4)
    return None if share is None else share.scaleb(2, EXACT)


def usd_value(amount: Decimal, price: Decimal) -> Decimal:
    return EXACT.quantize(EXACT.multiply(amount, price), Decimal("1e-12"))


def ledger(book: Book, query: Query) -> list[Entry]:
    """Return the entries of all facts that count for a query."""
    book = state(book, query.as_of)
    since, until = instant(query.since, book.zone), instant(query.until, book.zone)
    entries = [
        *_earned(book, query),
        *_spent(book, query),
        *(Entry("revenue", "fees", f.kind, None, f.project, f.at, f.amount) for f in book.fees),
        *(
            Entry("revenue", "subscriptions", "subscription", None, None, at, s.amount)
            for s in book.subscriptions
            if (at := _counted_at(s, query)) is not None
        ),
        *(Entry("cost", "backup", "backup", None, None, b.at, b.amount) for b in book.backups),
        *(
            Entry("cost", "model", "model", m.node, m.project, m.at, m.amount)
            for m in book.messages
            if m.tokens or m.amount is not None
        ),
    ]
    return [
        entry
        for entry in entries
        if (since is None or since <= entry.at)
        and (until is None or entry.at < until)
        and query.node in {None, entry.node}
        and query.project in {None, entry.project}
    ]


def _counted_at(row: Earning | Cost | Subscription, query: Query) -> datetime | None:
    """Return the instant that a payment counts at on the basis of a query; None: it does not."""
    if query.basis == "cash":
        return (row.paid_at or row.at) if row.status == "paid" else None
    return None if row.status == "failed" else row.at


def _earned(book: Book, query: Query) -> Iterable[Entry]:
    for row in book.earnings:
        at = _counted_at(row, query)
        if at is None:
            continue
        gross, paid_out = row.gross, row.amount
        if gross is None and paid_out is not None:
            gross = EXACT.add(paid_out, row.deducted or ZERO)
        if paid_out is None and gross is not None and row.deducted is not None:
            paid_out = EXACT.subtract(gross, row.deducted)
        yield Entry("revenue", "earnings", row.kind, row.node, row.project, at, gross)
        if row.net_of_costs and gross is not None:
            taken = None if paid_out is None else EXACT.subtract(gross, paid_out)
            kind = "deducted at source"
            yield Entry("cost", "deducted", kind, row.node, row.project, at, taken)


def _spent(book: Book, query: Query) -> Iterable[Entry]:
    for row in book.costs:
        at = _counted_at(row, query)
        if at is None:
            continue
        yield Entry("cost", "deployment", row.kind, row.node, row.project, at, row.amount)
        if _carried(row, book.earnings):
            back = None if row.amount is None else row.amount.copy_negate()
            yield Entry("cost", "carried", "carried", row.node, row.project, at, back)


def _carried(cost: Cost, earnings: Iterable[Earning]) -> bool:
    """Whether a payment net of costs, of the same node and project, came with or after a cost."""
    return None not in {cost.node, cost.project} and any(
        earning.net_of_costs
        and earning.status != "failed"
        and (earning.node, earning.project) == (cost.node, cost.project)
        and earning.at >= cost.at
        for earning in earnings
    )


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of what is known: 0 of nothing, None where nothing of something is known."""
    listed = list(amounts)
    known = [amount for amount in listed if amount is not None]
    return None if listed and not known else reduce(EXACT.add, known, ZERO)


def minus(left: Decimal | None, right: Decimal | None) -> Decimal | None:
    return None if left is None or right is None else EXACT.subtract(left, right)


class Sums:
    """The figures of some entries."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)

    def of(self, *families: str) -> Decimal | None:
        return total(entry.amount for entry in self.entries if entry.family in families)

    def profit_without(self, *families: str) -> Decimal | None:
        return total(entry.signed for entry in self.entries if entry.family not in families)

    @property
    def revenue(self) -> Decimal | None:
        return self.of("earnings", "fees", "subscriptions")

    @property
    def costs(self) -> Decimal | None:
        return self.of("deployment", "deducted", "carried", "backup", "model")

    @property
    def carried(self) -> Decimal:
        return (self.of("carried") or ZERO).copy_negate()

    @property
    def net(self) -> Decimal | None:
        return self.profit_without()

    @property
    def unpriced(self) -> int:
        return sum(entry.unpriced for entry in self.entries)

    @property
    def margin(self) -> Decimal | None:
        return percent(minus(self.revenue, self.costs), self.revenue)

    @property
    def roi(self) -> Decimal | None:
        return percent(minus(self.revenue, self.costs), self.costs)


def _grouped(
    entries: Iterable[Entry], key: Callable[[Entry], tuple[object, ...]]
) -> dict[tuple[object, ...], list[Entry]]:
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return groups


def _best_first(rows: Iterable[Row], figure: str, name: str) -> list[Row]:
    """Sort by a figure, highest first and None last, then by a name, None last."""

    def place(row: Row) -> tuple[bool, Decimal, bool, str]:
        amount, named = row[figure], row[name]
        assert amount is None or isinstance(amount, Decimal)
        return amount is None, (amount or ZERO).copy_negate(), named is None, str(named)

    return sorted(rows, key=place)


def _shown(key: object, known: Sequence[Named]) -> tuple[str, bool]:
    """Return the name under which a node or project is shown and whether the book knows it."""
    for row in known:
        if row.key == key:
            return row.name or row.key, True
    return "unattributed", False


def _node_figures(sums: Sums) -> Row:
    return {
        "total_revenue_usd": sums.revenue,
        "total_costs_usd": sums.costs,
        "costs_carried_usd": sums.carried,
        "net_profit_usd": sums.net,
        "profit_margin_percentage": sums.margin,
        "roi_percentage": sums.roi,
        "unpriced_rows": sums.unpriced,
    }


def _parts(known: Iterable[Named], wanted: str | None, entries: list[Entry], of: str) -> list[str]:
    """Return the keys of the known and of all that have entries; None among them if so."""
    keys = {row.key for row in known if wanted in {None, row.key}}
    return list(keys | {getattr(entry, of) for entry in entries})


def node_profit(book: Book, query: Query) -> list[Row]:
    entries, known = ledger(book, query), state(book, query.as_of).nodes
    listed = known if query.project is None else ()
    rows: list[Row] = []
    for node in _parts(listed, query.node, entries, "node"):
        name, attributed = _shown(node, known)
        identity: Row = {"node_id": node, "node_name": name, "attributed": attributed}
        rows.append(identity | _node_figures(Sums(e for e in entries if e.node == node)))
    return _best_first(rows, "net_profit_usd", "node_id")


def node_monthly_profit(book: Book, query: Query) -> list[Row]:
    def place(entry: Entry) -> tuple[object, ...]:
        return start_of("month", local_day(entry.at, book.zone)), entry.node

    known = state(book, query.as_of).nodes
    months: dict[date, list[Row]] = {}
    for (month, node), entries in _grouped(ledger(book, query), place).items():
        assert isinstance(month, date)
        name, attributed = _shown(node, known)
        row: Row = {"month": month, "node_id": node, "node_name": name, "attributed": attributed}
        months.setdefault(month, []).append(row | _node_figures(Sums(entries)))
    return [
        row
        for _, rows in sorted(months.items(), reverse=True)
        for row in _best_first(rows, "net_profit_usd", "node_id")
    ]


def _months_between(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    months = (divmod(first.month - 1 + n, 12) for n in range(count))
    return [date(first.year + years, month + 1, 1) for years, month in months]


def platform_profit(book: Book, query: Query) -> list[Row]:
    by_month: dict[date, list[Entry]] = {}
    for entry in ledger(book, query):
        month = start_of("month", local_day(entry.at, book.zone))
        by_month.setdefault(month, []).append(entry)
    if not by_month:
        return []
    months = _months_between(min(by_month), max(by_month))
    statement = [(month, Sums(by_month.get(month, []))) for month in months]
    rows = [_platform_month(*statement[0], before=None)]
    rows += [_platform_month(*this, before=last) for (_, last), this in pairwise(statement)]
    return rows[::-1]


def _platform_month(month: date, sums: Sums, before: Sums | None) -> Row:
    past = before.net if before else None
    return {
        "month": month,
        "node_earnings_usd": sums.of("earnings"),
        "marketplace_fees_usd": sums.of("fees"),
        "subscription_revenue_usd": sums.of("subscriptions"),
        "total_revenue_usd": sums.revenue,
        "deployment_costs_usd": sums.of("deployment"),
        "deducted_at_source_usd": sums.of("deducted"),
        "backup_costs_usd": sums.of("backup"),
        "model_costs_usd": sums.of("model"),
        "costs_carried_usd": sums.carried,
        "total_costs_usd": sums.costs,
        "net_profit_usd": sums.net,
        "profit_margin_pct": sums.margin,
        "net_change_usd": minus(sums.net, past),
        "net_change_pct": percent(minus(sums.net, past), past.copy_abs() if past else past),
        "unpriced_rows": sums.unpriced,
    }


def pnl_statement(book: Book, query: Query, grain: str = "month") -> list[Row]:
    lines: dict[tuple[date, int, str, str], list[Entry]] = {}
    for entry in ledger(book, query):
        period = start_of(grain, local_day(entry.at, book.zone))
        place = 1 if entry.section == "revenue" else 2
        lines.setdefault((period, place, entry.section, entry.kind), []).append(entry)
        lines.setdefault((period, 3, "net", "net"), []).append(entry)
    return [
        {
            "period_start": period,
            "section": section,
            "kind": kind,
            "amount_usd": total(e.signed if section == "net" else e.amount for e in entries),
            "rows": sum(section != "net" or entry.fact for entry in entries),
            "unpriced_rows": Sums(entries).unpriced,
        }
        for (period, _, section, kind), entries in sorted(lines.items(), key=lambda line: line[0])
    ]


def project_roi(book: Book, query: Query) -> list[Row]:
    entries, known = ledger(book, query), state(book, query.as_of).projects
    listed = known if query.node is None else ()
    rows: list[Row] = []
    for project in _parts(listed, query.project, entries, "project"):
        name, attributed = _shown(project, known)
        identity: Row = {"project_id": project, "project_name": name, "attributed": attributed}
        rows.append(identity | _project(Sums(e for e in entries if e.project == project)))
    return _best_first(rows, "platform_profit_usd", "project_id")


def _project(sums: Sums) -> Row:
    fees, subscriptions = sums.of("fees"), sums.of("subscriptions")
    taken = None if fees is None or subscriptions is None else EXACT.add(fees, subscriptions)
    return {
        "node_earnings_usd": sums.of("earnings"),
        "platform_fees_usd": fees,
        "subscription_revenue_usd": subscriptions,
        "deployment_costs_usd": sums.of("deployment"),
        "deducted_at_source_usd": sums.of("deducted"),
        "backup_costs_usd": sums.of("backup"),
        "model_costs_usd": sums.of("model"),
        "costs_carried_usd": sums.carried,
        "total_costs_usd": sums.costs,
        "platform_profit_usd": sums.profit_without("earnings"),
        "node_profit_usd": sums.profit_without("fees", "subscriptions"),
        "platform_roi_percentage": percent(minus(taken, sums.costs), sums.costs),
        "node_roi_percentage": percent(minus(sums.of("earnings"), sums.costs), sums.costs),
        "unpriced_rows": sums.unpriced,
    }


def period_before(since: datetime, until: datetime, zone: str) -> datetime:
    """Return the start of as many whole months before a range, or of an equally long range."""
    start, stop = (m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in (since, until))
    if all(m == datetime(m.year, m.month, 1) for m in (start, stop)):  # noqa: DTZ001 - local
        months = 2 * (start.year * 12 + start.month - 1) - (stop.year * 12 + stop.month - 1)
        earlier = datetime(months // 12, months % 12 + 1, 1)  # noqa: DTZ001 - local
    else:
        earlier = start - (stop - start)
    return _on_clock(earlier, zone).astimezone(UTC)


def key_figures(book: Book, query: Query) -> list[Row]:
    since, until = instant(query.since, book.zone), instant(query.until, book.zone)
    start = before = None
    if since is not None and until is not None:
        start = period_before(since, until, book.zone)
        past = Query(start, since, query.basis, query.as_of, query.node, query.project)
        before = Sums(ledger(book, past))
    now = Sums(ledger(book, query))
    figures = [
        ("revenue", "USD", now.revenue, before.revenue if before else None),
        ("costs", "USD", now.costs, before.costs if before else None),
        ("net profit", "USD", now.net, before.net if before else None),
        ("margin", "%", now.margin, before.margin if before else None),
    ]
    return [
        {
            "figure": figure,
            "unit": unit,
            "amount": amount,
            "previous_amount": was,
            "change": minus(amount, was),
            "change_pct": percent(minus(amount, was), was.copy_abs() if was else was)
            if unit == "USD"
            else None,
            "unpriced_rows": now.unpriced,
            "previous_unpriced_rows": before.unpriced if before else None,
            "previous_since": start,
            "previous_until": since if until is not None else None,
        }
        for figure, unit, amount, was in figures
    ]
