"""`pnlbook backup restore` and its like: bringing backups back, and seeing that it works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli import backup as shared
from pnlbook.cli.backup import Vaults, find, record, working
from pnlbook.cli.run import Run, print_json
from pnlbook.errors import ExitCode, IntegrityError, PnlbookError

if TYPE_CHECKING:
    from pnlbook.backup.catalogue import Contents
    from pnlbook.backup.restore import Restored
    from pnlbook.backup.work import Work

BackupId = Annotated[
    str | None,
    typer.Argument(
        metavar="[ID]", help="Which backup, or the beginning of its id; else the newest."
    ),
]


class CopiesBad(IntegrityError):
    """Copies were not what was sent."""

    def __init__(self, bad: list[str]) -> None:
        super().__init__(
            f"{'; '.join(bad)}. 'pnlbook backup status --repair' sends them again from a good copy."
        )


def restore(
    run: Run,
    backup_id: BackupId = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The new book; else named after the backup, here."),
    ] = None,
    vault: Vaults = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only the rows of this table; repeatable."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            metavar="DAY", formats=["%Y-%m-%d"], help="Only rows of this day (UTC) and later."
        ),
    ] = None,
    replace_: Annotated[
        bool, typer.Option("--replace", help="Replace a file at --to, once all has been compared.")
    ] = False,
) -> None:
    """Bring a backup back into a new book, and compare every row with what was backed up.

    With a catalogue beside the book, any backup of it; without one (the machine was lost), name the
    vault and the newest backup in it is found. The key must be in the keyring or in
    BACKUP_ENCRYPTION_KEY.

    Examples:

      pnlbook backup restore
      pnlbook backup restore full-20261120 --to old.duckdb
      pnlbook backup restore --vault offsite --to book.duckdb
      pnlbook backup restore --table node_earnings --since 2026-01-01 --to part.duckdb
    """
    from pnlbook.backup.rebuild import Selection
    from pnlbook.backup.restore import Target
    from pnlbook.backup.restore import restore as bring_back

    selection = Selection(frozenset(table) if table else None, since.date() if since else None)
    with working(run, vault) as work:
        contents = _contents(run, work)
        chosen = find(contents, backup_id, run.path)
        path = to or Path(f"{run.path.stem}-{chosen.backup_id}.duckdb")
        target = Target(path, replace_)
        done = _logged(
            work,
            "restore",
            chosen.backup_id,
            lambda: bring_back(work, contents, chosen, target, selection),
        )
    _tell(run, done, f"{done.target}")


def drill(run: Run, backup_id: BackupId = None, vault: Vaults = None) -> None:
    """Restore the newest backup into a scratch book, compare every row, and record the result.

    Nothing of the book changes but the record. Run it once a month, from a timer.

    Examples:

      pnlbook backup drill
      pnlbook backup drill --vault offsite
    """
    from pnlbook.backup.restore import drill as practise

    with working(run, vault) as work:
        contents = work.catalogue.read()
        chosen = find(contents, backup_id, run.path)
        try:
            with work.catalogue.locked():
                done = _logged(
                    work,
                    "drill",
                    chosen.backup_id,
                    lambda: practise(work, contents, chosen),
                )
        finally:
            record(run, work)
    _tell(run, done, "a scratch book, which is gone again")


def verify(run: Run, backup_id: BackupId = None, vault: Vaults = None) -> None:
    """Fetch every copy back from the vaults and compare it with what was sent.

    Without an id, every backup that is kept. Exit code 5 when a copy is damaged or missing.

    Examples:

      pnlbook backup verify
      pnlbook backup verify full-20261120 --vault offsite
    """
    from pnlbook.backup import upkeep

    with working(run, vault, keys=False) as work:
        contents = work.catalogue.read()
        kept = [b for b in contents.backups if b.removed_at is None]
        chosen = kept if backup_id is None else [contents.find(backup_id)]
        checked = upkeep.verify(work, chosen)
        record(run, work)
    named = {v.name for v in work.vaults}
    copies = [(b, c) for b in checked for c in b.copies if c.vault in named]
    if run.as_json:
        print_json([shared.facts(backup) for backup in checked])
    else:
        for backup, copy in copies:
            problem = f": {copy.error}" if copy.error else ""
            sys.stdout.write(f"{backup.backup_id} in {copy.vault}: {copy.state}{problem}\n")
        if not copies:
            run.note("There is no copy to verify. 'pnlbook backup create' makes one.")
    bad = [f"{b.backup_id} in {c.vault} is {c.state}" for b, c in copies if c.state in _BAD]
    if bad:
        raise CopiesBad(bad)
    if any(copy.error for _, copy in copies):
        raise typer.Exit(ExitCode.REMOTE)


_BAD = frozenset({"damaged", "missing"})


def catalog(
    run: Run,
    vault: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="VAULT", help="The vault to read; repeatable; else all."),
    ] = None,
) -> None:
    """Make the catalogue anew from the vaults alone, with nothing but the key.

    Every object is fetched, checked and opened. What the old catalogue knew is kept where the
    vaults show the same backup; the book's own record is filled from it at the next backup.

    Examples:

      pnlbook backup catalog --from offsite
      pnlbook backup catalog
    """
    from pnlbook.backup.restore import scan

    with working(run, vault) as work, work.catalogue.locked():
        found, notes = scan(work)
        contents = _merged(work.catalogue.read(), found)
        work.catalogue.write(replace(contents, checks=contents.checks + work.checks()))
    for note in notes:
        run.note(note)
    number = len(found.backups)
    run.say(
        f"Found {number} backup{'' if number == 1 else 's'} in {_names(work)}. "
        "'pnlbook backup list' shows them.",
        backups=[backup.backup_id for backup in found.backups],
        notes=notes,
    )


def _merged(known: Contents, found: Contents) -> Contents:
    """Return what was known, with what the vaults showed added to it."""
    for backup in found.backups:
        same = [b for b in known.backups if b.object == backup.object]
        merged = same[0] if same else backup
        for copy in backup.copies:
            cost = (merged.copy(copy.vault) or copy).cost_usd
            merged = merged.with_copy(replace(copy, cost_usd=cost))
        known = known.with_backup(merged)
    return known


def _contents(run: Run, work: Work) -> Contents:
    """Return what the catalogue knows, or where there is none, what the vaults show."""
    from pnlbook.backup.restore import scan

    contents = work.catalogue.read()
    if contents.backups:
        return contents
    run.note(
        f"No catalogue beside {run.path}; looking into {', '.join(v.name for v in work.vaults)}."
    )
    with work.catalogue.locked():
        found, notes = scan(work)
        work.catalogue.write(replace(contents, backups=found.backups))
    for note in notes:
        run.note(note)
    return found


def _names(work: Work) -> str:
    return ", ".join(vault.name for vault in work.vaults)


def _logged(work: Work, kind: str, backup_id: str, act: Callable[[], Restored]) -> Restored:
    """Do a restore or drill and log how it ended, well or not."""
    from pnlbook.backup.restore import remember

    started = work.now()
    try:
        done = act()
    except PnlbookError as error:
        remember(work, kind, backup_id, started, error)
        raise
    remember(work, kind, backup_id, started, done)
    return done


def _tell(run: Run, done: Restored, where: str) -> None:
    made = f"{done.created_at:%Y-%m-%d %H:%M} UTC"
    run.say(
        f"Restored {done.backup_id} of {made} from {', '.join(done.vaults)} into {where}: "
        f"{done.rows:,} rows of {done.tables} tables, all compared and equal.",
        backup_id=done.backup_id,
        target=done.target,
        rows=done.rows,
        tables=done.tables,
        vaults=done.vaults,
        problems=done.problems,
    )
    for problem in done.problems:
        run.note(f"As in the book that was backed up, {problem}. See 'pnlbook checks'.")
