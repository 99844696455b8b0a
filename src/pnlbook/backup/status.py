"""How well a book is protected: each copy with the age of its last verification, and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pnlbook.backup.catalogue import HELD
from pnlbook.backup.schedule import overdue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pnlbook.backup.catalogue import Backup, Contents, Restore
    from pnlbook.backup.create import Policy
    from pnlbook.backup.schedule import Schedule

DRILL_AGE = timedelta(days=30)
VERIFIED_AGE = timedelta(days=90)


@dataclass(frozen=True)
class Status:
    """What there is. pending: backups that are still to be sent somewhere."""

    latest: Backup | None
    held: tuple[Backup, ...]
    pending: tuple[str, ...]
    last_drill: Restore | None
    warnings: tuple[str, ...]


def read_status(
    contents: Contents,
    schedules: Sequence[Schedule],
    pending: Sequence[str],
    policy: Policy,
    now: datetime,
) -> Status:
    """Judge what the catalogue knows; pending: names of objects that lie beside the book."""
    waiting = tuple(b.backup_id for b in contents.backups if b.object in pending)
    drills = [restore for restore in contents.restores if restore.kind == "drill"]
    last = drills[-1] if drills else None
    warnings = [
        *_schedule_warnings(contents, schedules, now),
        *_copy_warnings(contents, policy, now),
        *_drill_warnings(contents, last, now),
    ]
    warnings += [f"{name} was not sent to every vault: --repair sends it" for name in waiting]
    return Status(
        latest=contents.latest(),
        held=tuple(b for b in contents.backups if b.removed_at is None),
        pending=waiting,
        last_drill=last,
        warnings=tuple(warnings),
    )


def _schedule_warnings(
    contents: Contents, schedules: Sequence[Schedule], now: datetime
) -> Iterator[str]:
    if contents.latest(frozenset({"full"})) is None:
        yield "there is no full backup: 'pnlbook backup create' makes one"
    for schedule in schedules:
        if schedule.enabled and schedule.last_run_at is not None and overdue(schedule, now):
            yield (
                f"schedule {schedule.name} ({schedule.cron}) last ran "
                f"{age(schedule.last_run_at, now)} ago: see that a timer runs "
                "'pnlbook backup run-due'"
            )


def _copy_warnings(contents: Contents, policy: Policy, now: datetime) -> Iterator[str]:
    needed = set(latest.needs) if (latest := contents.latest()) else set()
    for backup in contents.backups:
        if backup.backup_id not in needed:
            continue
        held = [copy for copy in backup.copies if copy.state in HELD]
        if len(held) < policy.minimum_copies:
            yield f"{backup.backup_id} has {len(held)} of at least {policy.minimum_copies} copies"
        checked = [copy.verified_at for copy in held if copy.verified_at is not None]
        if not checked:
            yield f"no copy of {backup.backup_id} was ever verified: 'pnlbook backup verify'"
        elif now - max(checked) > VERIFIED_AGE:
            yield (
                f"{backup.backup_id} was last verified {age(max(checked), now)} ago: "
                "'pnlbook backup verify'"
            )
        for copy in backup.copies:
            if copy.state in {"missing", "damaged"}:
                yield f"the copy of {backup.backup_id} in {copy.vault} is {copy.state}: --repair"


def _drill_warnings(contents: Contents, last: Restore | None, now: datetime) -> Iterator[str]:
    if contents.latest() is None:
        return
    if last is None:
        yield "never drilled: 'pnlbook backup drill' shows that a restore works"
    elif not last.success:
        yield f"the last drill failed ({last.error}): run 'pnlbook backup drill' again"
    elif now - last.started_at > DRILL_AGE:
        yield f"the last drill was {age(last.started_at, now)} ago: 'pnlbook backup drill'"


def age(then: datetime, now: datetime) -> str:
    """Return how long ago something was, in one unit."""
    seconds = max((now - then).total_seconds(), 0)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "moments"
