"""The copies of a backup: sending them, looking for them, fetching them back and comparing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pnlbook.backup.catalogue import HELD, Copy
from pnlbook.backup.container import checksum
from pnlbook.backup.errors import IntegrityFailure, VaultError
from pnlbook.backup.vaults.vault import ObjectMissing

if TYPE_CHECKING:
    from pathlib import Path

    from pnlbook.backup.catalogue import Backup
    from pnlbook.backup.vaults.vault import Vault
    from pnlbook.backup.work import Work


class NoGoodCopy(IntegrityFailure):
    """No vault gave an object back as it was sent."""

    def __init__(self, backup_id: str, problems: list[str]) -> None:
        said = "; ".join(problems) or "no vault is known to hold it"
        super().__init__(
            f"backup {backup_id} could not be fetched from any vault: {said}. "
            "Restore an earlier one, or mend the vault and try again."
        )


def send(work: Work, backup: Backup, path: Path, most: int | None) -> Backup:
    """Send an object to the vaults that lack it, to at most `most` in all, and verify each copy.

    A vault that fails leaves its error in its copy; the others are sent to all the same.
    """
    for vault in work.vaults:
        held = sum(copy.state in HELD for copy in backup.copies)
        copy = backup.copy(vault.name)
        if (copy and copy.state in HELD) or (most is not None and held >= most):
            continue
        backup = backup.with_copy(_sent(work, backup, vault, path))
    return backup


def _sent(work: Work, backup: Backup, vault: Vault, path: Path) -> Copy:
    copy = backup.copy(vault.name) or Copy(vault.name, vault.kind)
    count = work.bytes("sending", vault.name, backup.object_size)
    try:
        vault.put(backup.object, path, count)
    except VaultError as error:
        return replace(copy, state="pending", checked_at=work.now(), error=error.problem)
    return replace(
        copy,
        state="posted",
        posted_at=copy.posted_at or work.now(),
        cost_usd=copy.cost_usd if copy.posted_at else vault.price.cost(backup.object_size),
        error=None,
    )


def verify(work: Work, backup: Backup, vault: Vault, folder: Path) -> Copy:
    """Fetch a copy back, compare it, and return what is known of it now."""
    copy = backup.copy(vault.name) or Copy(vault.name, vault.kind)
    path = folder / f"{backup.object}.{vault.name}"
    now = work.now()
    try:
        _fetch(work, backup, vault, path)
    except ObjectMissing as error:
        # Not seen is not gone: a store may take its time. What was seen once is missed.
        state = "missing" if copy.seen_at else copy.state
        return replace(copy, state=state, checked_at=now, error=error.problem)
    except VaultError as error:
        return replace(copy, checked_at=now, error=error.problem)
    except IntegrityFailure as error:
        return replace(copy, state="damaged", checked_at=now, error=str(error))
    finally:
        path.unlink(missing_ok=True)
    state = "permanent" if vault.permanent and copy.state == "permanent" else "verified"
    return replace(
        copy,
        state=state,
        posted_at=copy.posted_at or now,
        seen_at=copy.seen_at or now,
        verified_at=now,
        checked_at=now,
        error=None,
    )


class CopyDamaged(IntegrityFailure):
    """A vault gave other bytes than were sent."""

    def __init__(self, vault: str, backup_id: str) -> None:
        super().__init__(f"the copy of {backup_id} in vault {vault} is damaged")


def _fetch(work: Work, backup: Backup, vault: Vault, path: Path) -> None:
    count = work.bytes("fetching", vault.name, backup.object_size)
    vault.get(backup.object, path, count)
    if checksum(path) != backup.object:
        raise CopyDamaged(vault.name, backup.backup_id)


def fetch(work: Work, backup: Backup, folder: Path) -> tuple[Path, str]:
    """Fetch an object from the first vault that gives it back whole; return its path and vault.

    Raises NoGoodCopy.
    """
    problems: list[str] = []
    for vault in _best_first(work, backup):
        path = folder / f"{backup.object}.{vault.name}"
        try:
            _fetch(work, backup, vault, path)
        except (VaultError, IntegrityFailure) as error:
            path.unlink(missing_ok=True)
            problems.append(str(error))
        else:
            return path, vault.name
    raise NoGoodCopy(backup.backup_id, problems)


def _best_first(work: Work, backup: Backup) -> list[Vault]:
    """Return the vaults, those that are known to hold the object before the others."""
    states = {copy.vault: copy.state for copy in backup.copies}
    return sorted(work.vaults, key=lambda vault: states.get(vault.name) not in HELD)
