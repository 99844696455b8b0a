"""Cron expressions against a scan of every minute; which schedules are due, month after month."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pnlbook.backup.schedule import (
    DEFAULTS,
    CronError,
    Due,
    Schedule,
    ScheduleError,
    due,
    interval,
    next_run,
    overdue,
    previous_run,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WINDOW = timedelta(days=35)
MONTHS = ("jan", "Feb", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "mon", "Tue", "WED", "THU", "FRI", "SAT")
DAILY, WEEKLY, ARCHIVE = DEFAULTS


def utc(*parts: int) -> datetime:
    year, month, day, *clock = parts
    hour, minute, second = (*clock, 0, 0, 0)[:3]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@dataclass(frozen=True)
class Field:
    """A field as written, and the values that its writer meant."""

    text: str
    values: frozenset[int]

    @property
    def restricted(self) -> bool:
        return "*" not in self.text


@dataclass(frozen=True)
class Expression:
    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    def __str__(self) -> str:
        fields = (self.minute, self.hour, self.day, self.month, self.weekday)
        return " ".join(field.text for field in fields)

    def fires(self, at: datetime) -> bool:
        if at.minute not in self.minute.values or at.hour not in self.hour.values:
            return False
        if at.month not in self.month.values:
            return False
        fits = (at.day in self.day.values, int(at.strftime("%w")) in self.weekday.values)
        both = self.day.restricted and self.weekday.restricted
        return any(fits) if both else all(fits)


def written(value: int, low: int, names: tuple[str, ...]) -> st.SearchStrategy[str]:
    texts = [str(value), f"{value:02}"]
    if names:
        texts.append(names[(value - low) % len(names)])
    return st.sampled_from(texts)


@st.composite
def fields(
    draw: st.DrawFn, low: int, high: int, names: tuple[str, ...] = (), wild: int = 2
) -> Field:
    """Draw a field of up to three items; `wild` of six are `*`."""
    if draw(st.integers(0, 5)) < wild:
        return Field("*", frozenset(range(low, high + 1)))
    texts, values = [], set()
    for _ in range(draw(st.integers(1, 3))):
        first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
        step = draw(st.integers(1, high))
        match draw(st.sampled_from(("one", "range", "range/step", "*/step"))):
            case "one":
                texts.append(draw(written(first, low, names)))
                values.add(first)
            case "range":
                ends = (draw(written(first, low, names)), draw(written(last, low, names)))
                texts.append("-".join(ends))
                values.update(range(first, last + 1))
            case "range/step":
                texts.append(f"{first}-{last}/{step}")
                values.update(
                    value for value in range(first, last + 1) if not (value - first) % step
                )
            case _:
                texts.append(f"*/{step}")
                values.update(value for value in range(low, high + 1) if not (value - low) % step)
    return Field(",".join(texts), frozenset(values))


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """Draw an expression that fires: one of its days is in each of its months."""
    day = draw(fields(1, 31, wild=4))
    weekday = draw(fields(0, 6, WEEKDAYS, wild=4))
    month = draw(fields(1, 12, MONTHS, wild=4))
    if min(day.values) > 28:
        day = Field("28", frozenset({28}))
    return Expression(draw(fields(0, 59)), draw(fields(0, 23)), day, month, weekday)


EDGES = (
    utc(2026, 11, 24, 3, 4, 5),
    utc(2027, 12, 31, 23, 59, 59),
    utc(2028, 1, 1),
    utc(2028, 2, 28, 23, 59),
    utc(2028, 2, 29, 12),
    utc(2028, 3, 1),
    utc(2027, 2, 28, 23, 59, 30),
    utc(2027, 4, 30, 23, 0),
    utc(2100, 2, 28, 23, 59),
)
INSTANTS = st.builds(
    lambda edge, minutes, micros: edge + minutes * MINUTE + timedelta(microseconds=micros),
    st.sampled_from(EDGES),
    st.integers(-3000, 3000),
    st.sampled_from((0, 0, 1, 59_999_999)),
)


def scan(expression: Expression, start: datetime, step: timedelta) -> datetime | None:
    """Return the first minute from `start` on that fires, trying each in the window."""
    at, end = start, start + (WINDOW if step > timedelta(0) else -WINDOW)
    while at != end:
        if expression.fires(at):
            return at
        at += step
    return None


@settings(max_examples=60, deadline=None)
@given(expressions(), INSTANTS)
def test_next_run_is_the_first_minute_that_fires(expression: Expression, after: datetime) -> None:
    found = next_run(str(expression), after)
    start = after.replace(second=0, microsecond=0) + MINUTE
    expected = scan(expression, start, MINUTE)
    assert found == expected if expected else found >= start + WINDOW
    assert expression.fires(found)
    assert previous_run(str(expression), found) == found


@settings(max_examples=60, deadline=None)
@given(expressions(), INSTANTS)
def test_previous_run_is_the_last_minute_that_fired(expression: Expression, at: datetime) -> None:
    found = previous_run(str(expression), at)
    start = at.replace(second=0, microsecond=0)
    expected = scan(expression, start, -MINUTE)
    assert found == expected if expected else found <= start - WINDOW
    assert expression.fires(found)
    assert next_run(str(expression), found) > at
    assert next_run(str(expression), found - MINUTE) == found


def runs(cron: str, start: datetime, end: datetime) -> Iterator[datetime]:
    at = next_run(cron, start - MINUTE)
    while at < end:
        yield at
        at = next_run(cron, at)


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 2 * * *", utc(2026, 11, 24, 2), utc(2026, 11, 25, 2)),
        ("0 2 * * *", utc(2026, 11, 24, 1, 59, 59), utc(2026, 11, 24, 2)),
        ("0 2 * * *", utc(2027, 12, 31, 2), utc(2028, 1, 1, 2)),
        ("0 3 * * 0", utc(2026, 11, 24), utc(2026, 11, 29, 3)),
        ("0 3 * * 7", utc(2026, 11, 24), utc(2026, 11, 29, 3)),
        ("0 3 * * SUN", utc(2026, 11, 24), utc(2026, 11, 29, 3)),
        ("0 3 * * FRI-SUN", utc(2026, 11, 29, 3), utc(2026, 12, 4, 3)),
        ("0 3 * * 5-7", utc(2026, 11, 28, 3), utc(2026, 11, 29, 3)),
        ("0 3 * * 0-7", utc(2026, 11, 24, 3), utc(2026, 11, 25, 3)),
        ("0 4 31 * *", utc(2027, 1, 31, 4), utc(2027, 3, 31, 4)),
        ("0 4 30 2-4 *", utc(2027, 1, 31), utc(2027, 3, 30, 4)),
        ("0 0 29 2 *", utc(2026, 11, 24), utc(2028, 2, 29)),
        ("0 0 29 2 *", utc(2096, 2, 29), utc(2104, 2, 29)),
        # both the 29th and a Saturday or Sunday
        ("0 0 29 FEB */6", utc(2028, 3, 1), utc(2032, 2, 29)),
        ("0 0 29 FEB */6", utc(2032, 3, 1), utc(2048, 2, 29)),
        ("0 0 13 * FRI", utc(2026, 11, 13), utc(2026, 11, 20)),  # the 13th or any Friday
        ("0 0 */2 * MON", utc(2026, 11, 24), utc(2026, 12, 7)),  # an odd day and a Monday
        ("*/15 * * * *", utc(2026, 12, 31, 23, 45), utc(2027, 1, 1)),
        ("@hourly", utc(2026, 11, 24, 3, 4), utc(2026, 11, 24, 4)),
        ("@daily", utc(2026, 11, 24, 3, 4), utc(2026, 11, 25)),
        ("@weekly", utc(2026, 11, 24, 3, 4), utc(2026, 11, 29)),
        ("@monthly", utc(2026, 11, 24, 3, 4), utc(2026, 12, 1)),
        ("@yearly", utc(2026, 11, 24, 3, 4), utc(2027, 1, 1)),
        ("  0\t2 * *  * ", utc(2026, 11, 24), utc(2026, 11, 24, 2)),
    ],
)
def test_known_runs(cron: str, after: datetime, expected: datetime) -> None:
    assert next_run(cron, after) == expected
    assert previous_run(cron, expected) == expected


def test_other_zones_are_the_same_instants() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    after = datetime(2026, 11, 24, 7, 44, tzinfo=kathmandu)
    assert next_run("0 2 * * *", after) == utc(2026, 11, 24, 2)
    assert previous_run("0 2 * * *", after + MINUTE) == utc(2026, 11, 24, 2)


@pytest.mark.parametrize(
    ("cron", "field", "value"),
    [
        ("", "fields", "0"),
        ("0 2 * *", "fields", "4"),
        ("0 2 * * * 2026", "fields", "6"),
        ("60 2 * * *", "minute", "60"),
        ("0 24 * * *", "hour", "24"),
        ("0 0 0 * *", "day of month", "0"),
        ("0 0 32 * *", "day of month", "32"),
        ("0 0 1 13 *", "month", "13"),
        ("0 0 * * 8", "day of week", "8"),
        ("0 0 * FOO *", "month", "FOO"),
        ("0 0 * * JAN", "day of week", "JAN"),
        ("MON 0 * * *", "minute", "MON"),
        ("-1 0 * * *", "minute", "-1"),
        ("1-2-3 0 * * *", "minute", "1-2-3"),
        ("5-1 0 * * *", "minute", "5-1"),
        ("0 0 * NOV-FEB *", "month", "NOV-FEB"),
        ("0 0 * * 7-1", "day of week", "7-1"),
        ("*/0 0 * * *", "minute", "*/0"),
        ("*/60 0 * * *", "minute", "*/60"),
        ("5/15 0 * * *", "minute", "5/15"),
        ("1, 0 * * *", "minute", "1,"),
        ("1,,2 0 * * *", "minute", "1,,2"),
        ("? 0 * * *", "minute", "?"),
        ("0 0 L * *", "day of month", "L"),
        ("1.5 0 * * *", "minute", "1.5"),
        ("\u0661 0 * * *", "minute", "\u0661"),
        ("*" * 5000 + " 0 * * *", "minute", "*" * 5000),
        ("0" * 5000 + " 0 * * *", "minute", "0" * 5000),
        ("@reboot", "macro", "@reboot"),
        ("0 0 31 2 *", "day of month", "31"),
        ("0 0 30,31 FEB */2", "day of month", "30,31"),
        ("0 0 31 2,4,6,9,11 *", "day of month", "31"),
    ],
)
def test_wrong_expressions(cron: str, field: str, value: str) -> None:
    with pytest.raises(CronError) as raised:
        Schedule("mine", "full", cron)
    assert (raised.value.field, raised.value.value) == (field, value)
    assert field in str(raised.value)
    assert repr(value) in str(raised.value)
    assert raised.value.exit_code == 2


def test_a_day_that_no_month_has_fires_beside_a_weekday() -> None:
    assert next_run("0 0 31 2 MON", utc(2026, 11, 24)) == utc(2027, 2, 1)


def test_wrong_schedules() -> None:
    with pytest.raises(ScheduleError, match="'mine', kind 'half'"):
        Schedule("mine", "half", "@daily")  # type: ignore[arg-type]
    with pytest.raises(ScheduleError, match="needs a name"):
        Schedule(" ", "full", "@daily")


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        next_run("@daily", utc(2026, 11, 24).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("* * * * *", MINUTE),
        ("*/15 * * * *", 15 * MINUTE),
        ("0 9-17 * * MON-FRI", timedelta(days=2, hours=16)),
        ("0 2 * * *", DAY),
        ("0 3 * * 0", 7 * DAY),
        ("0 4 1 * *", 31 * DAY),
        ("0 4 31 * *", 61 * DAY),
        ("0 4 30 * *", 60 * DAY),  # from 30 January to 30 March of a leap year
        ("@yearly", 366 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
    ],
)
def test_interval(cron: str, expected: timedelta) -> None:
    assert interval(cron) == expected


@settings(max_examples=15, deadline=None)
@given(expressions())
def test_no_gap_is_longer_than_the_interval(expression: Expression) -> None:
    cron = str(expression)
    starts = runs(cron, utc(2027, 10, 1), utc(2030, 4, 1))
    instants = [at for _, at in zip(range(400), starts, strict=False)]
    assert all(later - at <= interval(cron) for at, later in pairwise(instants))


def recorded(schedules: Iterable[Schedule], one: Due, now: datetime) -> tuple[Schedule, ...]:
    """Return the schedules as they are after the backup was made."""
    names = {one.schedule.name, *(other.name for other in one.covers)}
    return tuple(
        replace(each, last_run_at=now, last_backup_id="b") if each.name in names else each
        for each in schedules
    )


def after_all(schedules: tuple[Schedule, ...], now: datetime) -> tuple[Schedule, ...]:
    for one in due(schedules, now):
        schedules = recorded(schedules, one, now)
    return schedules


def test_defaults() -> None:
    assert [(one.name, one.kind, one.cron) for one in DEFAULTS] == [
        ("daily", "full", "0 2 * * *"),
        ("weekly", "incremental", "0 3 * * 0"),
        ("archive", "full", "0 4 1 * *"),
    ]


def test_one_full_backup_serves_all_that_never_ran() -> None:
    now = utc(2026, 11, 24, 12)
    assert due(DEFAULTS, now) == (Due(ARCHIVE, utc(2026, 11, 1, 4), (DAILY, WEEKLY)),)


def test_nothing_is_disabled_and_due() -> None:
    off = tuple(replace(one, enabled=False) for one in DEFAULTS)
    assert due(off, utc(2026, 11, 24)) == ()
    assert not any(overdue(one, utc(2026, 11, 24)) for one in off)


def test_due_from_its_minute_on() -> None:
    ran = replace(DAILY, last_run_at=utc(2026, 11, 23, 2, 0, 7))
    assert due([ran], utc(2026, 11, 24, 1, 59, 59)) == ()
    assert due([ran], utc(2026, 11, 24, 2)) == (Due(ran, utc(2026, 11, 24, 2)),)
    assert due([replace(ran, last_run_at=utc(2026, 11, 24, 2))], utc(2026, 11, 24, 2)) == ()


def test_full_backups_come_first_and_cover_the_others() -> None:
    others = [
        Schedule("a", "data", "@daily"),
        Schedule("b", "schema", "@daily"),
        Schedule("c", "incremental", "@daily"),
        Schedule("d", "incremental", "@hourly"),
        Schedule("e", "schema", "@hourly"),
    ]
    now = utc(2026, 11, 24, 12)
    without = due(others, now)
    assert [one.schedule.name for one in without] == ["c", "b", "a"]
    assert [[each.name for each in one.covers] for one in without] == [["d"], ["e"], []]
    full = Schedule("z", "full", "@hourly")
    (only,) = due([*others, full], now)
    assert only == Due(full, now, tuple(others))


KINDS = ("full", "incremental", "schema", "data")
SCHEDULES = st.lists(
    st.builds(
        Schedule,
        st.uuids().map(str),
        st.sampled_from(KINDS),
        st.sampled_from(("@hourly", "*/20 * * * *", "0 2 * * *", "0 3 * * 0", "0 4 1 * *")),
        st.booleans(),
        st.none() | INSTANTS,
    ),
    max_size=6,
    unique_by=lambda one: one.name,
).map(tuple)


@settings(max_examples=80, deadline=None)
@given(SCHEDULES, INSTANTS)
def test_each_due_schedule_is_served_once(schedules: tuple[Schedule, ...], now: datetime) -> None:
    found = due(schedules, now)
    wanted = {
        one.name
        for one in schedules
        if one.enabled and (not one.last_run_at or previous_run(one.cron, now) > one.last_run_at)
    }
    served = [each.name for one in found for each in (one.schedule, *one.covers)]
    assert sorted(served) == sorted(wanted)
    kinds = [one.schedule.kind for one in found]
    assert kinds == sorted(set(kinds), key=KINDS.index)
    assert "full" not in kinds or kinds == ["full"]
    assert due(schedules[::-1], now) == found
    assert due(after_all(schedules, now), now) == ()


@settings(max_examples=60, deadline=None)
@given(INSTANTS, st.lists(st.integers(-4000, 6000), max_size=40))
def test_a_clock_that_jumps_runs_nothing_twice(start: datetime, jumps: list[int]) -> None:
    schedules: tuple[Schedule, ...] = DEFAULTS
    now = start
    instants: dict[str, list[datetime]] = {one.name: [] for one in DEFAULTS}
    for jump in jumps:
        now += jump * MINUTE
        for one in due(schedules, now):
            assert one.scheduled_at <= now
            for each in (one.schedule, *one.covers):
                instants[each.name].append(previous_run(each.cron, now))
            schedules = recorded(schedules, one, now)
    for found in instants.values():
        assert all(earlier < later for earlier, later in pairwise(found))


def simulate(
    start: datetime, end: datetime, asleep: tuple[datetime, datetime] | None = None
) -> list[tuple[datetime, Due]]:
    """Return the backups of the default schedules with a timer every 15 minutes."""
    schedules: tuple[Schedule, ...] = DEFAULTS
    found, now = [], start
    while now < end:
        if asleep and asleep[0] <= now < asleep[1]:
            now = asleep[1]
        for one in due(schedules, now):
            found.append((now, one))
            schedules = recorded(schedules, one, now)
        now += 15 * MINUTE
    return found


def test_fourteen_months_across_a_leap_day() -> None:
    start, end = utc(2027, 12, 1, 0, 5), utc(2029, 2, 1)
    (first, whole), *found = simulate(start, end)
    assert (first, whole.schedule.name, len(whole.covers)) == (start, "archive", 2)
    days = [start.replace(hour=0, minute=0) + number * DAY for number in range(428)]
    assert days[-1] == end - DAY
    expected = sorted(
        [(day.replace(hour=2), "daily") for day in days]
        + [(day.replace(hour=3), "weekly") for day in days if day.isoweekday() == 7]
        + [(day.replace(hour=4), "archive") for day in days if day.day == 1]
    )
    assert [(one.scheduled_at, one.schedule.name) for _, one in found] == expected
    assert all(now - one.scheduled_at == 5 * MINUTE and not one.covers for now, one in found)
    assert (utc(2028, 2, 29, 2), "daily") in expected


def test_a_machine_asleep_for_forty_days_catches_up_once() -> None:
    asleep = (utc(2028, 2, 10, 12), utc(2028, 3, 21, 12))
    found = simulate(utc(2028, 2, 1), utc(2028, 4, 1), asleep)
    (caught,) = [one for now, one in found if now == asleep[1]]
    assert (caught.schedule.name, caught.scheduled_at) == ("archive", utc(2028, 3, 1, 4))
    assert [one.name for one in caught.covers] == ["daily", "weekly"]
    later = [(now, one.schedule.name) for now, one in found if now > asleep[1]]
    assert later[:2] == [(utc(2028, 3, 22, 2), "daily"), (utc(2028, 3, 23, 2), "daily")]
    assert not [now for now, _ in found if asleep[0] < now < asleep[1]]


@pytest.mark.parametrize("one", DEFAULTS, ids=lambda one: one.name)
def test_overdue_after_one_and_a_half_gaps(one: Schedule) -> None:
    now = utc(2026, 11, 24, 12)
    limit = 1.5 * interval(one.cron)
    assert overdue(one, now)
    assert not overdue(replace(one, last_run_at=now - limit), now)
    assert overdue(replace(one, last_run_at=now - limit - MINUTE), now)


def test_a_last_run_in_the_far_future_is_overdue() -> None:
    now = utc(2026, 11, 24, 12)
    ahead = replace(DAILY, last_run_at=utc(2040, 1, 1))
    assert due([ahead], now) == ()
    assert overdue(ahead, now)
    assert not overdue(replace(DAILY, last_run_at=now + timedelta(hours=1)), now)
