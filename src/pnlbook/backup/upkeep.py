"""Keeping backups well: verifying and repairing copies, making what is due, letting old ones go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from pnlbook.backup import copies
from pnlbook.backup.catalogue import HELD
from pnlbook.backup.create import TooFewCopies, create, deliver
from pnlbook.backup.errors import VaultError
from pnlbook.backup.retention import Held, plan
from pnlbook.backup.schedule import DEFAULTS, Schedule, due
from pnlbook.book import open_book, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from pnlbook.backup.catalogue import Backup, Contents
    from pnlbook.backup.create import Made, Policy
    from pnlbook.backup.retention import Plan, Rules
    from pnlbook.backup.schedule import Kind
    from pnlbook.backup.vaults.vault import Vault
    from pnlbook.backup.work import Work

_SCHEDULES = """
SELECT schedule_name, backup_type, cron, enabled, epoch_us(last_run_at), last_backup_id
FROM backup_schedules ORDER BY schedule_name
"""
_RAN = """
UPDATE backup_schedules SET last_run_at = $2::TIMESTAMPTZ, last_backup_id = $3
WHERE schedule_name = $1
"""
_ADD = """
INSERT INTO backup_schedules (schedule_name, backup_type, cron, enabled) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
_SET = """
INSERT INTO backup_schedules (schedule_name, backup_type, cron, enabled) VALUES ($1, $2, $3, $4)
ON CONFLICT DO UPDATE SET
    backup_type = excluded.backup_type, cron = excluded.cron, enabled = excluded.enabled
"""


def verify(work: Work, backups: Sequence[Backup]) -> list[Backup]:
    """Fetch every copy of the backups back, compare it, and record what was found."""
    checked = []
    with work.catalogue.locked(), work.catalogue.workspace() as space:
        for backup in backups:
            for vault in work.vaults:
                copy = backup.copy(vault.name)
                if copy is not None and copy.state not in {"pending", "removed"}:
                    backup = backup.with_copy(copies.verify(work, backup, vault, space))  # noqa: PLW2901 - grows by its copies
            _keep(work, backup)
            checked.append(backup)
    return checked


def repair(work: Work, policy: Policy) -> list[Backup]:
    """Send what vaults lack: from beside the book, else from any good copy; return what changed."""
    changed = []
    with work.catalogue.locked(), work.catalogue.workspace() as space:
        for backup in work.catalogue.read().backups:
            lacking = _lacking(work, backup, policy)
            unverified = any(copy.state == "posted" for copy in backup.copies)
            if backup.removed_at is not None or not (lacking or unverified):
                continue
            path = work.catalogue.pending / backup.object
            if lacking and not path.exists():
                path, _ = copies.fetch(work, backup, space)
            changed.append(_sent_again(work, backup, path, policy))
    return changed


def _lacking(work: Work, backup: Backup, policy: Policy) -> bool:
    """Whether a vault should hold a copy and does not."""
    held = sum(copy.state in HELD for copy in backup.copies)
    return held < policy.wanted(len(work.vaults))


def _sent_again(work: Work, backup: Backup, path: Path, policy: Policy) -> Backup:
    for vault in work.vaults:
        copy = backup.copy(vault.name)
        if copy is not None and copy.state == "damaged":
            vault.delete(backup.object)
    try:
        return deliver(work, backup, path, policy)
    except TooFewCopies:
        return work.catalogue.read().find(backup.backup_id)


def prune(work: Work, rules: Rules, *, dry_run: bool) -> Plan:
    """Mark what the rules do not keep, and remove what was marked long enough ago."""
    with work.catalogue.locked():
        contents = work.catalogue.read()
        chosen = plan(_held(work, contents), rules, work.now(), listing_ok=_listed(work))
        if not dry_run:
            for backup in contents.backups:
                _apply(work, backup, chosen)
    return chosen


def _held(work: Work, contents: Contents) -> list[Held]:
    permanent = {vault.name for vault in work.vaults if vault.permanent}
    return [
        Held(
            backup_id=backup.backup_id,
            kind=cast("Kind", backup.kind),
            created_at=backup.created_at,
            needs=frozenset(backup.needs),
            verified_copies=backup.verified,
            marked_at=backup.marked_at,
            permanent=any(copy.vault in permanent for copy in backup.copies),
        )
        for backup in contents.backups
        if backup.restorable
    ]


def _listed(work: Work) -> bool:
    """Whether every vault can say what it holds."""
    try:
        for vault in work.vaults:
            for _ in vault.list():
                pass
    except VaultError:
        return False
    return True


def _apply(work: Work, backup: Backup, chosen: Plan) -> None:
    if backup.backup_id in chosen.mark:
        _keep(work, replace(backup, marked_at=work.now()))
    elif backup.backup_id in chosen.unmark:
        _keep(work, replace(backup, marked_at=None))
    elif backup.backup_id in chosen.sweep:
        for vault in work.vaults:
            backup = _removed(backup, vault)
        _keep(work, replace(backup, removed_at=work.now()))


def _removed(backup: Backup, vault: Vault) -> Backup:
    copy = backup.copy(vault.name)
    if copy is None:
        return backup
    if vault.permanent:
        return backup.with_copy(replace(copy, error="kept for ever by the vault; forgotten here"))
    try:
        vault.delete(backup.object)
    except VaultError as error:
        return backup.with_copy(replace(copy, error=error.problem))
    return backup.with_copy(replace(copy, state="removed", error=None))


def _keep(work: Work, backup: Backup) -> None:
    contents = work.catalogue.read().with_backup(backup)
    work.catalogue.write(replace(contents, checks=contents.checks + work.checks()))


def read_schedules(connection: duckdb.DuckDBPyConnection) -> list[Schedule]:
    """Return the schedules of a book, the default ones where it has none."""
    found = [
        Schedule(
            name,
            kind,
            cron,
            enabled,
            None if ran is None else datetime.fromtimestamp(ran / 1e6, UTC),
            last,
        )
        for name, kind, cron, enabled, ran, last in run(connection, _SCHEDULES)
    ]
    return found or list(DEFAULTS)


def set_schedule(work: Work, schedule: Schedule) -> None:
    """Add a schedule to the book or change it; the default ones are written beside it."""
    with open_book(
        work.book, write=True, timeout=work.lock_timeout, on_wait=work.on_wait
    ) as connection:
        for default in DEFAULTS:
            run(connection, _ADD, [default.name, default.kind, default.cron, default.enabled])
        run(connection, _SET, [schedule.name, schedule.kind, schedule.cron, schedule.enabled])


def run_due(work: Work, policy: Policy) -> list[tuple[tuple[str, ...], Made]]:
    """Make the backups that are due, each once, and return them with the schedules they serve."""
    made = []
    with work.catalogue.locked("due"):
        with open_book(work.book, timeout=work.lock_timeout, on_wait=work.on_wait) as connection:
            schedules = read_schedules(connection)
        for one in due(schedules, work.now()):
            served, begun = (one.schedule, *one.covers), work.now()
            try:
                done = create(work, one.schedule.kind, policy)
            except TooFewCopies as error:
                _ran(work, served, begun, error.backup.backup_id)  # it is made, and will be sent
                raise
            _ran(work, served, begun, done.backup.backup_id)
            made.append((tuple(schedule.name for schedule in served), done))
    return made


def _ran(work: Work, served: Sequence[Schedule], begun: datetime, backup_id: str) -> None:
    with open_book(
        work.book, write=True, timeout=work.lock_timeout, on_wait=work.on_wait
    ) as connection:
        for default in DEFAULTS:
            run(connection, _ADD, [default.name, default.kind, default.cron, default.enabled])
        for schedule in served:
            run(connection, _RAN, [schedule.name, begun.isoformat(), backup_id])
