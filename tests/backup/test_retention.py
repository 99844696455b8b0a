"""Which backups stay: the rules against a slow oracle, the laws, and fourteen months of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pnlbook.backup.retention import Held, Plan, Rules, RulesError, plan
from pnlbook.backup.schedule import DEFAULTS, Kind, Schedule, due

if TYPE_CHECKING:
    from collections.abc import Callable


DAY = timedelta(days=1)
START = datetime(2027, 12, 20, 2, tzinfo=UTC)
NOW = datetime(2028, 6, 1, 12, tzinfo=UTC)
NOTHING = Rules(daily=0, weekly=0, monthly=0, yearly=0, last=1)


def full(number: int, created_at: datetime, *reads: int) -> Held:
    needs = frozenset(f"full-{one}" for one in (number, *reads))
    return Held(f"full-{number}", "full", created_at, needs, 1)


def marked(one: Held, days: int = 7) -> Held:
    return replace(one, marked_at=NOW - days * DAY)


BUCKETS: dict[str, Callable[[datetime], object]] = {
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}


def expected_to_stay(held: list[Held], rules: Rules) -> set[str]:
    """Judge each backup by itself, by counting what came after it; then spread along the needs."""

    def half(one: Held) -> str:
        return "whole" if one.kind in ("full", "incremental") else one.kind

    def stays(one: Held) -> bool:
        later = [
            other
            for other in held
            if half(other) == half(one)
            and (other.created_at, other.backup_id) > (one.created_at, one.backup_id)
        ]
        if len(later) < rules.last:
            return True
        if one.verified_copies and not any(other.verified_copies for other in later):
            return True
        for rule, bucket in BUCKETS.items():
            buckets = {bucket(other.created_at) for other in later}
            if bucket(one.created_at) not in buckets and len(buckets) < getattr(rules, rule):
                return True
        return False

    chosen = {one.backup_id for one in held if stays(one)}
    for _ in held:
        for one in held:
            if one.backup_id in chosen:
                chosen |= one.needs & {other.backup_id for other in held}
    return chosen


@st.composite
def shelves(draw: st.DrawFn) -> list[Held]:
    """Draw backups that need earlier ones, some marked, unverified, permanent or of one instant."""
    hours = draw(st.lists(st.integers(0, 24 * 150), max_size=25))
    held: list[Held] = []
    for number, hour in enumerate(sorted(hours)):
        kind: Kind = draw(st.sampled_from(("full", "full", "incremental", "schema", "data")))
        name = f"{kind}-{number}"
        names = [one.backup_id for one in held] or [name]
        needs = {name}
        if kind == "incremental":
            needs |= draw(st.sets(st.sampled_from(names), max_size=2))
        marked = draw(st.none() | st.integers(0, 20).map(lambda days: NOW - days * DAY))
        copies, permanent = draw(st.integers(0, 3)), draw(st.booleans())
        created_at = START + timedelta(hours=hour)
        held.append(Held(name, kind, created_at, frozenset(needs), copies, marked, permanent))
    return held


@st.composite
def healthy(draw: st.DrawFn) -> list[Held]:
    return [replace(one, verified_copies=2) for one in draw(shelves())]


RULES = st.builds(
    Rules,
    daily=st.integers(0, 5),
    weekly=st.integers(0, 3),
    monthly=st.integers(0, 4),
    yearly=st.integers(0, 2),
    last=st.integers(1, 4),
    minimum_copies=st.integers(1, 2),
    grace=st.integers(0, 9).map(lambda days: days * DAY),
)


def apply(held: list[Held], made: Plan, now: datetime) -> list[Held]:
    """Return what is held when the plan has been carried out."""
    marks = dict.fromkeys(made.mark, now) | dict.fromkeys(made.unmark)
    return [
        replace(one, marked_at=marks.get(one.backup_id, one.marked_at))
        for one in held
        if one.backup_id not in made.sweep
    ]


@settings(max_examples=60, deadline=None)
@given(shelves(), RULES)
def test_keeps_what_the_oracle_keeps(held: list[Held], rules: Rules) -> None:
    made = plan(held[::-1], rules, NOW, listing_ok=True)
    assert set(made.keep) == expected_to_stay(held, rules)
    assert all(made.keep.values())
    ordered = sorted(held, key=lambda one: (one.created_at, one.backup_id))
    assert list(made.keep) == [one.backup_id for one in ordered if one.backup_id in made.keep]
    assert made == plan(held, rules, NOW, listing_ok=True)


@settings(max_examples=60, deadline=None)
@given(shelves() | healthy(), RULES, st.booleans())
def test_laws_of_one_plan(held: list[Held], rules: Rules, listing_ok: bool) -> None:
    made = plan(held, rules, NOW, listing_ok=listing_ok)
    ids = {one.backup_id for one in held}
    by_id = {one.backup_id: one for one in held}
    before = {one.backup_id for one in held if one.marked_at}
    kept, swept = set(made.keep), set(made.sweep)
    assert all(by_id[name].needs & ids <= kept for name in kept)
    assert set(made.mark) == ids - kept - before
    assert set(made.unmark) == kept & before
    assert swept | set(made.held_back) == before - kept
    assert not swept & set(made.held_back)
    assert made.forget == {name for name in swept if by_id[name].permanent}
    assert all(NOW - (by_id[name].marked_at or NOW) >= rules.grace for name in swept)
    assert not any(one.needs & swept for one in held if one.backup_id not in swept)
    if swept:
        assert listing_ok
        chain = {name for one in kept for name in by_id[one].needs}
        assert all(by_id[name].verified_copies >= rules.minimum_copies for name in chain)
    assert bool(kept) == bool(held)


@settings(max_examples=50, deadline=None)
@given(shelves() | healthy(), RULES)
def test_planning_again_changes_nothing(held: list[Held], rules: Rules) -> None:
    first = plan(held, rules, NOW, listing_ok=True)
    second = plan(apply(held, first, NOW), rules, NOW, listing_ok=True)
    assert set(second.keep) == set(first.keep)
    assert second.mark == second.unmark == ()


@settings(max_examples=50, deadline=None)
@given(healthy(), RULES)
def test_what_may_go_goes_after_the_grace(held: list[Held], rules: Rules) -> None:
    later = NOW + rules.grace
    between = apply(held, plan(held, rules, NOW, listing_ok=True), NOW)
    left = apply(between, plan(between, rules, later, listing_ok=True), later)
    assert {one.backup_id for one in left} == expected_to_stay(held, rules)


@settings(max_examples=50, deadline=None)
@given(shelves(), RULES)
def test_the_newest_verified_is_kept(held: list[Held], rules: Rules) -> None:
    verified = [one for one in held if one.verified_copies]
    assume(verified)
    newest = max(verified, key=lambda one: (one.created_at, one.backup_id))
    assert newest.backup_id in plan(held, rules, NOW, listing_ok=True).keep


@settings(max_examples=50, deadline=None)
@given(shelves(), RULES, st.integers(-24, 24 * 160))
def test_the_last_stay_whatever_is_added(held: list[Held], rules: Rules, hour: int) -> None:
    more = [*held, full(99, START + timedelta(hours=hour))]
    whole = [one for one in more if one.kind in ("full", "incremental")]
    last = sorted(whole, key=lambda one: (one.created_at, one.backup_id))[-rules.last :]
    kept = plan(more, rules, NOW, listing_ok=True).keep
    assert all(one.backup_id in kept for one in last)


def test_reasons() -> None:
    held = [full(number, START + number * DAY) for number in range(10)]
    made = plan([*held, full(10, START + 10 * DAY, 0)], Rules(2, 1, 1, 1, 1), NOW, listing_ok=True)
    assert made.keep == {
        "full-0": ("needed by full-10",),
        "full-9": ("daily 2027-12-29",),
        "full-10": (
            "last 1",
            "daily 2027-12-30",
            "weekly 2027-W52",
            "monthly 2027-12",
            "yearly 2027",
            "newest verified",
        ),
    }
    assert made.mark == tuple(f"full-{number}" for number in range(1, 9))


def test_weeks_are_those_of_iso_8601() -> None:
    held = [full(1, datetime(2027, 1, 3, tzinfo=UTC)), full(2, datetime(2027, 1, 4, tzinfo=UTC))]
    made = plan(held, replace(NOTHING, weekly=2), NOW, listing_ok=True)
    assert made.keep["full-1"] == ("weekly 2026-W53",)
    assert "weekly 2027-W01" in made.keep["full-2"]


def test_days_are_those_of_utc() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))
    early, late = START.replace(hour=23), START.replace(hour=1) + DAY  # in Kathmandu, one day
    held = [full(1, early.astimezone(kathmandu)), full(2, late.astimezone(kathmandu))]
    assert plan(held, replace(NOTHING, daily=2), NOW, listing_ok=True).keep["full-1"] == (
        "daily 2027-12-20",
    )


def test_what_a_needed_one_needs_is_kept() -> None:
    held = [full(1, START), full(2, START + DAY, 1), full(3, START + 2 * DAY, 2)]
    made = plan(held, NOTHING, NOW, listing_ok=True)
    assert made.keep["full-1"] == ("needed by full-2",)
    assert made.keep["full-2"] == ("needed by full-3",)


def test_too_few_copies_of_what_is_kept_hold_all_back() -> None:
    held = [marked(full(1, START)), full(2, START + DAY), full(3, START + 2 * DAY, 2)]
    twice = [held[0], held[1], replace(held[2], verified_copies=2)]
    rules = replace(NOTHING, minimum_copies=2)
    assert plan(held, NOTHING, NOW, listing_ok=True).sweep == ("full-1",)
    assert plan(twice, rules, NOW, listing_ok=True).held_back == {
        "full-1": "full-2 is kept and has 1 of 2 verified copies"
    }


def test_a_schema_backup_takes_no_place_of_a_whole_one() -> None:
    schema = Held("schema-1", "schema", START + timedelta(hours=5), frozenset({"schema-1"}), 1)
    made = plan([full(1, START), schema], NOTHING, NOW, listing_ok=True)
    assert list(made.keep) == ["full-1", "schema-1"]


def held_back(held: list[Held], *, listing_ok: bool = True, now: datetime = NOW) -> str:
    """Return why the oldest of `held`, marked as it is, stays; empty when it is swept."""
    made = plan(held, NOTHING, now, listing_ok=listing_ok)
    assert (held[0].backup_id in made.sweep) != (held[0].backup_id in made.held_back)
    return made.held_back.get(held[0].backup_id, "")


def test_when_nothing_is_swept() -> None:
    old, new = marked(full(1, START)), full(2, START + DAY)
    assert held_back([old, new]) == ""
    assert held_back([old, new], listing_ok=False) == "a vault could not be listed"
    assert held_back([marked(old, days=1), new]) == ("its grace ends at 2028-06-07 12:00 UTC")
    unverified = replace(full(3, START + 2 * DAY), verified_copies=0)
    assert "full-3 is not verified" in held_back([old, new, unverified])
    assert "clock is behind" in held_back([old, new], now=START)
    assert held_back([old, full(2, START + DAY, 0)]) == (
        "full-2 is kept and reads full-0, which has 0 of 1 verified copies"
    )


def test_what_one_in_its_grace_reads_is_held_back() -> None:
    base, middle = marked(full(1, START)), marked(full(2, START + DAY, 1), days=1)
    assert held_back([base, middle, full(3, START + 2 * DAY)]) == (
        "full-2 is not swept yet and reads it"
    )


def test_a_marked_one_that_is_needed_again_is_unmarked() -> None:
    base, middle = marked(full(1, START)), marked(full(2, START + DAY))
    made = plan([base, middle, full(3, START + 2 * DAY, 1)], NOTHING, NOW, listing_ok=True)
    assert (made.unmark, made.sweep) == (("full-1",), ("full-2",))


def test_permanent_ones_are_forgotten() -> None:
    held = [replace(marked(full(1, START)), permanent=True), marked(full(2, START + DAY))]
    made = plan([*held, full(3, START + 2 * DAY)], NOTHING, NOW, listing_ok=True)
    assert made.sweep == ("full-1", "full-2")
    assert made.forget == {"full-1"}


def test_nothing_held() -> None:
    assert plan([], Rules(), NOW, listing_ok=True) == Plan({}, (), (), (), frozenset(), {})


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("daily", -1),
        ("weekly", 1.5),
        ("monthly", "12"),
        ("yearly", None),
        ("daily", True),
        ("last", 0),
        ("minimum_copies", 0),
        ("grace", timedelta(seconds=-1)),
        ("grace", 7),
    ],
)
def test_wrong_rules(rule: str, value: object) -> None:
    with pytest.raises(RulesError, match=rule) as raised:
        Rules(**{rule: value})  # type: ignore[arg-type]
    assert raised.value.exit_code == 2


def made_by(schedule: Schedule, now: datetime, chain: list[str]) -> Held:
    """Return the backup that a schedule makes, on top of `chain`, which it extends."""
    name = f"{schedule.name}-{now:%Y%m%d%H}"
    if schedule.kind == "full":
        chain.clear()
    chain.append(name)
    return Held(name, schedule.kind, now, frozenset(chain), 1)


def test_fourteen_months_of_schedules_and_sweeps() -> None:
    rules = Rules()
    now = datetime(2027, 12, 1, 4, tzinfo=UTC)
    schedules: tuple[Schedule, ...] = DEFAULTS
    every: list[Held] = []
    held: list[Held] = []
    chain: list[str] = []
    while now < datetime(2029, 2, 2, tzinfo=UTC):
        for one in due(schedules, now):
            every.append(made_by(one.schedule, now, chain))
            held.append(every[-1])
            served = (one.schedule, *one.covers)
            schedules = tuple(
                replace(each, last_run_at=now) if each in served else each for each in schedules
            )
        if now.hour == 5:
            held = apply(held, plan(held, rules, now, listing_ok=True), now)
            there = {one.backup_id for one in held}
            assert there >= plan(every, rules, now, listing_ok=True).keep.keys()
            assert there >= {name for one in held for name in one.needs}
            assert len(held) <= 45
            if now.day == 1:
                assert there >= expected_to_stay(every, rules)
        now += timedelta(hours=1)
    assert len(every) == 1 + 428 + 61 + 14
    assert {f"{one.created_at:%Y-%m}" for one in held} >= {
        f"2028-{month:02}" for month in range(3, 13)
    }
    assert {f"{one.created_at:%Y}" for one in held} == {"2027", "2028", "2029"}
