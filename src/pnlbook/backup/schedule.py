"""Schedules: which backup is due when, by cron expressions in UTC, to the minute.

A field with `*` in it (`*/2` too) is unrestricted. When both day of month and day of week are
restricted, a day fires that fits either; else it must fit both (crontab(5)).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Literal, get_args

from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = Literal["full", "incremental", "schema", "data"]

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
TOLERATED = 1.5  # of the longest gap between two runs, before a schedule is overdue
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CYCLE = (date(2000, 1, 1), date(2028, 1, 1))  # after 28 years weekdays and leap days repeat
_LEAP_YEAR = 2000
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_ITEM = re.compile(
    r"(?:(?P<any>\*)|(?P<low>\w{1,4})(?:-(?P<high>\w{1,4}))?)(?:/(?P<step>[0-9]{1,4}))?", re.ASCII
)


class CronError(UsageError):
    """A cron expression cannot be used; `field` and `value` say where."""

    def __init__(self, cron: str, field: str, value: str, problem: str) -> None:
        super().__init__(
            f"cron expression {cron!r}, {field} {value!r}: {problem}. "
            "Write five fields like '0 2 * * *' (minute, hour, day of month, month, day of week)."
        )
        self.field = field
        self.value = value


class ScheduleError(UsageError):
    """A schedule has a value that none can have."""

    def __init__(self, name: str, field: str, value: object, problem: str) -> None:
        super().__init__(f"schedule {name!r}, {field} {value!r}: {problem}")


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # of the values from `low` upwards


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SUNDAY = 7  # is 0 as well
_WEEKDAY = _Field("day of week", 0, _SUNDAY, _WEEKDAYS)
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _WEEKDAY,
)


@dataclass(frozen=True)
class _Cron:
    """A parsed expression; `times` of day ascend from midnight, `weekdays` has Sunday as 0."""

    times: tuple[timedelta, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def fires_on(self, day: date) -> bool:
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        fits = (by_day or by_weekday) if self.either else (by_day and by_weekday)
        return fits and day.month in self.months

    def days_from(self, day: date, step: timedelta) -> Iterator[date]:
        """Yield the days that fire, from `day` on, forwards or backwards."""
        while True:
            if self.fires_on(day):
                yield day
            day += step


@dataclass(frozen=True)
class Schedule:
    """A row of `backup_schedules`.

    last_run_at: when its latest backup was begun; None: never. last_backup_id: that backup.
    Raises ScheduleError and CronError when a value cannot be.
    """

    name: str
    kind: Kind
    cron: str
    enabled: bool = True
    last_run_at: datetime | None = None
    last_backup_id: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ScheduleError(self.name, "name", self.name, "a schedule needs a name.")
        if self.kind not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            raise ScheduleError(self.name, "kind", self.kind, f"use one of {kinds}.")
        _parse(self.cron)


@dataclass(frozen=True)
class Due:
    """One backup to make now.

    scheduled_at: the latest instant at which `schedule` should have run. covers: the other
    schedules that are due and that this backup serves; it is recorded as their run as well.
    """

    schedule: Schedule
    scheduled_at: datetime
    covers: tuple[Schedule, ...] = ()


def next_run(cron: str, after: datetime) -> datetime:
    """Return the first instant later than `after` at which `cron` fires."""
    rule = _parse(cron)
    start = _whole_minute(after) + MINUTE
    days = rule.days_from(start.date(), DAY)
    return next(run for day in days for run in _runs(rule, day) if run >= start)


def previous_run(cron: str, at: datetime) -> datetime:
    """Return the latest instant at or before `at` at which `cron` fires."""
    rule = _parse(cron)
    end = _whole_minute(at)
    days = rule.days_from(end.date(), -DAY)
    return next(run for day in days for run in reversed(_runs(rule, day)) if run <= end)


@lru_cache(maxsize=64)
def interval(cron: str) -> timedelta:
    """Return the longest gap between two consecutive runs of `cron`."""
    rule = _parse(cron)
    within = [later - earlier for earlier, later in pairwise(rule.times)]
    return max([*within, _longest_pause(rule) + rule.times[0] - rule.times[-1]])


def due(schedules: Iterable[Schedule], now: datetime) -> tuple[Due, ...]:
    """Return the fewest backups that serve every enabled schedule that is due, full ones first.

    A schedule is due when it never ran, or when an instant of its cron has passed since it last
    ran: once, however many have passed. A clock that went back makes nothing due.
    """
    waiting = [
        Due(schedule, previous_run(schedule.cron, now))
        for schedule in schedules
        if schedule.enabled and _is_due(schedule, now)
    ]
    leading: list[Due] = []
    for one in sorted(waiting, key=_urgency):
        if not any(_serves(other.schedule, one.schedule) for other in leading):
            leading.append(one)
    return tuple(_with_covers(lead, waiting) for lead in leading)


def overdue(schedule: Schedule, now: datetime) -> bool:
    """Tell whether an enabled schedule made no backup within 1.5 times its longest gap.

    It is overdue as well when it never ran, and when its last run lies as far in the future: the
    clock was wrong then or is now, and nothing becomes due until that instant has passed.
    """
    if not schedule.enabled:
        return False
    if schedule.last_run_at is None:
        return True
    return abs(now - schedule.last_run_at) > TOLERATED * interval(schedule.cron)


def _is_due(schedule: Schedule, now: datetime) -> bool:
    last = schedule.last_run_at
    return last is None or previous_run(schedule.cron, now) > last


def _urgency(one: Due) -> tuple[int, datetime, str]:
    return get_args(Kind).index(one.schedule.kind), one.scheduled_at, one.schedule.name


def _serves(made: Schedule, wanted: Schedule) -> bool:
    """Tell whether the backup of one schedule holds what the other's would: a full one does."""
    return made.kind in ("full", wanted.kind)


def _with_covers(lead: Due, waiting: list[Due]) -> Due:
    others = [one.schedule for one in waiting if one.schedule != lead.schedule]
    served = [other for other in others if _serves(lead.schedule, other)]
    return Due(lead.schedule, lead.scheduled_at, tuple(sorted(served, key=lambda one: one.name)))


def _whole_minute(instant: datetime) -> datetime:
    """Return the beginning of the minute in UTC; TypeError for a time without a zone."""
    return _EPOCH + (instant - _EPOCH) // MINUTE * MINUTE


def _runs(rule: _Cron, day: date) -> list[datetime]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [midnight + offset for offset in rule.times]


def _longest_pause(rule: _Cron) -> timedelta:
    """Return the longest time from one day that fires to the next."""
    begin, end = _CYCLE
    pairs = pairwise(rule.days_from(begin, DAY))
    return max(later - day for day, later in takewhile(lambda pair: pair[0] < end, pairs))


@lru_cache(maxsize=64)
def _parse(cron: str) -> _Cron:
    text = cron.strip()
    if text.startswith("@") and text not in _MACROS:
        raise CronError(cron, "macro", text, f"known are {', '.join(_MACROS)}")
    words = _MACROS.get(text, text).split()
    if len(words) != len(_FIELDS):
        raise CronError(cron, "fields", str(len(words)), "there must be five")
    values = [_values(cron, field, word) for field, word in zip(_FIELDS, words, strict=True)]
    minutes, hours, days, months, weekdays = values
    times = tuple(
        sorted(60 * hour * MINUTE + minute * MINUTE for hour in hours for minute in minutes)
    )
    weekdays = frozenset(day % _SUNDAY for day in weekdays)
    either = "*" not in words[2] and "*" not in words[4]
    if not either and all(min(days) > monthrange(_LEAP_YEAR, month)[1] for month in months):
        raise CronError(cron, "day of month", words[2], f"no such day in month {words[3]!r}")
    return _Cron(times, days, months, weekdays, either)


def _values(cron: str, field: _Field, word: str) -> frozenset[int]:
    """Return the values that a field's list of items stands for."""
    found: set[int] = set()
    for item in word.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise CronError(cron, field.name, word, f"{item!r} is no number, name, range or step")
        found.update(_item(cron, field, match))
    return frozenset(found)


def _item(cron: str, field: _Field, match: re.Match[str]) -> range:
    item, step = match[0], match["step"]
    if step and not match["any"] and not match["high"]:
        raise CronError(cron, field.name, item, "a step needs '*' or a range before it")
    if step and not 0 < int(step) <= field.high:
        raise CronError(cron, field.name, item, f"a step is 1 to {field.high}")
    if match["any"]:
        return range(field.low, field.high + 1, int(step or 1))
    low = _number(cron, field, match["low"])
    high = _number(cron, field, match["high"] or match["low"])
    if field is _WEEKDAY and match["high"] and high == 0 < low:
        high = _SUNDAY  # FRI-SUN
    if low > high:
        raise CronError(cron, field.name, item, "a range must ascend")
    return range(low, high + 1, int(step or 1))


def _number(cron: str, field: _Field, text: str) -> int:
    if text.upper() in field.names:
        return field.names.index(text.upper()) + field.low
    if not text.isdecimal():
        raise CronError(cron, field.name, text, "not a known name")
    value = int(text)
    if not field.low <= value <= field.high:
        raise CronError(cron, field.name, text, f"must be {field.low} to {field.high}")
    return value


DEFAULTS = (
    Schedule("daily", "full", "0 2 * * *"),
    Schedule("weekly", "incremental", "0 3 * * 0"),
    Schedule("archive", "full", "0 4 1 * *"),
)
