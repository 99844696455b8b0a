"""Retention: which backups stay, by rules of time whose days, weeks and months are those of UTC.

A backup goes in two steps: it is marked when no rule keeps it, and swept when it has been marked
for the grace. Which ones are kept depends on the backups alone, never on the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pnlbook.backup.schedule import Kind

_PERIODS: dict[str, Callable[[datetime], str]] = {
    "daily": lambda at: f"{at:%Y-%m-%d}",
    "weekly": lambda at: f"{at:%G-W%V}",
    "monthly": lambda at: f"{at:%Y-%m}",
    "yearly": lambda at: f"{at:%Y}",
}
_AT_LEAST_ONE = ("last", "minimum_copies")  # with none, everything could go


class RulesError(UsageError):
    """A rule of retention has a value that it cannot have."""

    def __init__(self, rule: str, value: object, problem: str) -> None:
        super().__init__(f"retention rule {rule} = {value!r}: {problem}. Correct the setting.")


@dataclass(frozen=True)
class Rules:
    """How much is kept.

    daily, weekly, monthly, yearly: of that many latest periods that have a backup, the newest one.
    last: that many newest. minimum_copies: verified copies that whatever is kept must have before
    anything is swept. grace: time from mark to sweep. Raises RulesError.
    """

    daily: int = 7
    weekly: int = 5
    monthly: int = 12
    yearly: int = 5
    last: int = 3
    minimum_copies: int = 1
    grace: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        for rule in fields(self):
            value = getattr(self, rule.name)
            if rule.name == "grace":
                if not isinstance(value, timedelta) or value < timedelta(0):
                    raise RulesError(rule.name, value, "a span of time is needed, not below zero")
            else:
                _check_count(rule.name, value)


@dataclass(frozen=True)
class Held:
    """A backup that the catalogue knows, and takes to be restorable.

    needs: ids of the backups whose objects its manifest reads, its own included. verified_copies:
    vaults from which it was fetched back and compared equal. permanent: a copy cannot be deleted.
    """

    backup_id: str
    kind: Kind
    created_at: datetime
    needs: frozenset[str]
    verified_copies: int
    marked_at: datetime | None = None
    permanent: bool = False


@dataclass(frozen=True)
class Plan:
    """What becomes of each backup; ids stand from the oldest to the newest.

    keep: id → why it stays. mark, unmark: whose mark is to be set at this instant or taken away.
    sweep: to be deleted now, forget: those of them of which a permanent copy remains, so that only
    the catalogue forgets it. held_back: id → why a marked one is not swept yet.
    """

    keep: dict[str, tuple[str, ...]]
    mark: tuple[str, ...]
    unmark: tuple[str, ...]
    sweep: tuple[str, ...]
    forget: frozenset[str]
    held_back: dict[str, str]


def plan(held: Iterable[Held], rules: Rules, now: datetime, *, listing_ok: bool) -> Plan:
    """Return what to do with the backups `held` at the instant `now`.

    listing_ok: whether every vault could be listed. Applying a plan and planning again at the same
    instant keeps the same and marks nothing.
    """
    ordered = sorted(held, key=_age)
    keep = _kept(ordered, rules)
    loose = [one for one in ordered if one.backup_id not in keep]
    obstacle = _obstacle(ordered, keep, rules, now, listing_ok=listing_ok)
    held_back = {
        one.backup_id: reason
        for one in loose
        if one.marked_at and (reason := obstacle or _waits(one.marked_at, rules, now))
    }
    _hold_needed(loose, held_back)
    swept = [one for one in loose if one.marked_at and one.backup_id not in held_back]
    return Plan(
        keep=keep,
        mark=tuple(one.backup_id for one in loose if not one.marked_at),
        unmark=tuple(one.backup_id for one in ordered if one.marked_at and one.backup_id in keep),
        sweep=tuple(one.backup_id for one in swept),
        forget=frozenset(one.backup_id for one in swept if one.permanent),
        held_back=held_back,
    )


def _check_count(name: str, value: object) -> None:
    least = 1 if name in _AT_LEAST_ONE else 0
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RulesError(name, value, f"a whole number is needed, {least} or more")


def _age(one: Held) -> tuple[datetime, str]:
    return one.created_at, one.backup_id


def _kept(ordered: Sequence[Held], rules: Rules) -> dict[str, tuple[str, ...]]:
    """Return the ids that stay with the reasons, in the order of `ordered`."""
    reasons: dict[str, list[str]] = {one.backup_id: [] for one in ordered}
    for group in _groups(ordered):
        for one, reason in _chosen(group, rules):
            reasons[one.backup_id].append(reason)
    _close(ordered, reasons)
    return {backup_id: tuple(why) for backup_id, why in reasons.items() if why}


def _groups(ordered: Sequence[Held]) -> Iterator[list[Held]]:
    """Yield, newest first, the backups that can stand for each other.

    A full and an incremental one restore the whole book; schema and data ones restore half of it,
    and must not take the place of a whole one.
    """
    for kinds in (("full", "incremental"), ("schema",), ("data",)):
        yield [one for one in reversed(ordered) if one.kind in kinds]


def _chosen(group: Sequence[Held], rules: Rules) -> Iterator[tuple[Held, str]]:
    """Yield which of a group, newest first, the rules name, and by which rule."""
    for number, one in enumerate(group[: rules.last], start=1):
        yield one, f"last {number}"
    for rule, period_of in _PERIODS.items():
        newest: dict[str, Held] = {}
        for one in group:
            newest.setdefault(period_of(one.created_at.astimezone(UTC)), one)
        for period in list(newest)[: getattr(rules, rule)]:
            yield newest[period], f"{rule} {period}"
    verified = [one for one in group if one.verified_copies > 0]
    for one in verified[:1]:
        yield one, "newest verified"


def _close(ordered: Sequence[Held], reasons: dict[str, list[str]]) -> None:
    """Give a reason to every backup that one with a reason needs, however indirectly."""
    held = {one.backup_id: one for one in ordered}
    waiting = [one for one in ordered if reasons[one.backup_id]]
    while waiting:
        one = waiting.pop()
        for needed in sorted(one.needs & held.keys() - {one.backup_id}):
            if not reasons[needed]:
                waiting.append(held[needed])
            reasons[needed].append(f"needed by {one.backup_id}")


def _obstacle(
    ordered: Sequence[Held],
    keep: Iterable[str],
    rules: Rules,
    now: datetime,
    *,
    listing_ok: bool,
) -> str:
    """Return why nothing at all may be swept; empty when something may."""
    if not listing_ok:
        return "a vault could not be listed"
    newest = ordered[-1] if ordered else None
    if newest and newest.created_at > now:
        return f"the clock is behind the newest backup {newest.backup_id}"
    if newest and newest.verified_copies < 1:
        return f"the newest backup {newest.backup_id} is not verified"
    return _short_of_copies(ordered, frozenset(keep), rules)


def _short_of_copies(ordered: Sequence[Held], keep: frozenset[str], rules: Rules) -> str:
    """Return which backup that a kept one reads has too few verified copies, if any.

    One that is not held at all has none: a backup that is not kept may be all that restores.
    """
    copies = {one.backup_id: one.verified_copies for one in ordered}
    for one in ordered:
        for needed in sorted(one.needs | {one.backup_id}) if one.backup_id in keep else ():
            found = copies.get(needed, 0)
            if found < rules.minimum_copies:
                reads = "" if needed == one.backup_id else f"reads {needed}, which "
                counted = f"has {found} of {rules.minimum_copies} verified copies"
                return f"{one.backup_id} is kept and {reads}{counted}"
    return ""


def _waits(marked_at: datetime, rules: Rules, now: datetime) -> str:
    end = marked_at + rules.grace
    if now >= end:
        return ""
    return f"its grace ends at {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _hold_needed(loose: Sequence[Held], held_back: dict[str, str]) -> None:
    """Hold back what any that stays for now needs: it may come to be kept again."""
    held = {one.backup_id: one for one in loose}
    waiting = [one for one in loose if not one.marked_at or one.backup_id in held_back]
    while waiting:
        one = waiting.pop()
        for needed in sorted(one.needs & held.keys() - held_back.keys()):
            if held[needed].marked_at:
                held_back[needed] = f"{one.backup_id} is not swept yet and reads it"
                waiting.append(held[needed])
