"""`pnlbook backup`: making backups and seeing how well the book is protected."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run, print_json
from pnlbook.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pnlbook.backup.catalogue import Backup, Contents
    from pnlbook.backup.create import Made, Policy
    from pnlbook.backup.keyring import Keyring
    from pnlbook.backup.retention import Rules
    from pnlbook.backup.work import Work

group = typer.Typer(
    help="Carry the book, encrypted, to vaults, and bring it back.",
    context_settings={"help_option_names": ["--help", "-h"]},
)
KINDS = ("full", "incremental", "schema", "data")
_WHOLE = frozenset({"full", "incremental"})
Vaults = Annotated[
    list[str] | None,
    typer.Option("--vault", metavar="NAME", help="Only this vault of pnlbook.toml; repeatable."),
]


class UnknownKind(UsageError):
    """There is no backup of that kind."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind!r} is no kind of backup. The kinds are {', '.join(KINDS)}.")


def create(
    run: Run,
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="full, incremental (what changed since the last), schema (no rows) or data.",
        ),
    ] = "incremental",
    vault: Vaults = None,
) -> None:
    """Make a backup: encrypted, checked, sent to every vault, fetched back and compared.

    Reports go on working meanwhile; a load waits until the rows are read. The first backup, and the
    first with another DuckDB, is a full one. Without vaults in pnlbook.toml, backups go to the
    folder 'backups' beside the book.

    Examples:

      pnlbook backup create
      pnlbook backup create --kind full
      pnlbook backup create --vault local --vault offsite
    """
    from pnlbook.backup.create import create as make

    if kind not in KINDS:
        raise UnknownKind(kind)
    with working(run, vault) as work:
        made = make(work, kind, policy(run))
        record(run, work)
    _tell(run, made)


def list_(
    run: Run,
    every: Annotated[bool, typer.Option("--all", help="Those that were removed as well.")] = False,
) -> None:
    """List the backups, newest first, with their copies.

    Examples:

      pnlbook backup list
      pnlbook backup list --json
    """
    from pnlbook.cli.output import print_table

    contents = catalogue(run)
    backups = [b for b in reversed(contents.backups) if every or b.removed_at is None]
    if run.as_json:
        print_json([facts(backup) for backup in backups])
        return
    if not backups:
        run.note("There is no backup of this book yet. 'pnlbook backup create' makes one.")
        return
    rows = [
        [
            b.backup_id,
            f"{b.created_at:%Y-%m-%d %H:%M}",
            f"{b.rows:,}",
            size(b.object_size),
            money(b),
            ", ".join(f"{c.vault} {c.state}" for c in b.copies) or "none",
        ]
        for b in backups
    ]
    names = ["backup", "made (UTC)", "rows", "size", "USD", "copies"]
    print_table(names, rows, right=[False, False, True, True, True, False])


def status(
    run: Run,
    repair: Annotated[
        bool, typer.Option("--repair", help="Send to the vaults what they lack.")
    ] = False,
    vault: Vaults = None,
) -> None:
    """Show how well the book is protected; exit code 1 when there is something to see to.

    Each copy is shown with the age of its last verification. --repair sends again what a vault
    lacks, from any good copy.

    Examples:

      pnlbook backup status
      pnlbook backup status --repair
      pnlbook backup status --json
    """
    from pnlbook.backup import upkeep
    from pnlbook.backup.status import read_status
    from pnlbook.backup.work import utc_now

    if repair:
        with working(run, vault) as work:
            for backup in upkeep.repair(work, policy(run)):
                run.note(f"Repaired {backup.backup_id}: {_states(backup)}.")
            record(run, work)
    contents = catalogue(run)
    with run.open_book() as connection:
        schedules = upkeep.read_schedules(connection)
    pending = _pending(run)
    found = read_status(contents, schedules, pending, policy(run), utc_now())
    _show_status(run, contents, found.warnings)
    if found.warnings:
        raise typer.Exit(ExitCode.FAILED)


def _show_status(run: Run, contents: Contents, warnings: tuple[str, ...]) -> None:
    from pnlbook.backup.status import age
    from pnlbook.backup.work import utc_now
    from pnlbook.cli.output import print_table

    now = utc_now()
    held = [b for b in contents.backups if b.removed_at is None]
    if run.as_json:
        backups = [facts(backup) for backup in held]
        print_json({"protected": not warnings, "warnings": warnings, "backups": backups})
        return
    rows = [
        [
            backup.backup_id,
            copy.vault,
            copy.state,
            f"{age(copy.verified_at, now)} ago" if copy.verified_at else "never",
            copy.error,
        ]
        for backup in reversed(held)
        for copy in backup.copies
    ]
    if rows:
        print_table(["backup", "vault", "state", "verified", "problem"], _blank(rows))
        sys.stdout.write("\n")
    for warning in warnings:
        sys.stdout.write(f"warning: {warning}\n")
    if not warnings:
        sys.stdout.write("The book is protected: nothing to see to.\n")


def prune(
    run: Run,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")
    ] = False,
    vault: Vaults = None,
) -> None:
    """Mark backups that the rules no longer keep, and remove those marked long enough ago.

    The rules stand in pnlbook.toml under [backup]: keep_last, keep_daily, keep_weekly,
    keep_monthly, keep_yearly and grace_days. What a kept backup needs is kept as well, and nothing
    is removed while a vault cannot be listed or copies are too few.

    Examples:

      pnlbook backup prune --dry-run
      pnlbook backup prune
    """
    from pnlbook.backup import upkeep

    with working(run, vault) as work:
        chosen = upkeep.prune(work, _rules(run), dry_run=dry_run)
        if not dry_run:
            record(run, work)
    if run.as_json:
        print_json(
            {
                "keep": chosen.keep,
                "mark": chosen.mark,
                "unmark": chosen.unmark,
                "remove": chosen.sweep,
                "forget": sorted(chosen.forget),
                "held_back": chosen.held_back,
            }
        )
        return
    _show_plan(chosen.keep, "keep")
    for name, ids in (("mark", chosen.mark), ("unmark", chosen.unmark), ("remove", chosen.sweep)):
        for backup_id in ids:
            note = " (its permanent copy stays; only this book forgets it)"
            sys.stdout.write(f"{name} {backup_id}{note if backup_id in chosen.forget else ''}\n")
    _show_plan({key: (why,) for key, why in chosen.held_back.items()}, "not yet")


def _show_plan(found: dict[str, tuple[str, ...]], word: str) -> None:
    for backup_id, reasons in found.items():
        sys.stdout.write(f"{word} {backup_id}: {', '.join(reasons)}\n")


def run_due(run: Run, vault: Vaults = None) -> None:
    """Make the backups that are due, each once; a timer calls this every few minutes.

    Called twice at the same moment, the second has nothing to do. 'pnlbook backup schedule' shows
    what is due when.

    Example:

      pnlbook backup run-due
    """
    from pnlbook.backup import upkeep
    from pnlbook.backup.catalogue import CatalogueBusy

    try:
        with working(run, vault) as work:
            done = upkeep.run_due(work, policy(run))
            if done:
                record(run, work)
    except CatalogueBusy as error:
        run.note(str(error))
        return
    if run.as_json:
        print_json([{"schedules": names, **facts(made.backup)} for names, made in done])
        return
    for names, made in done:
        run.note(f"Due: {', '.join(names)}.")
        _tell(run, made)
    if not done:
        run.note("Nothing is due.")


@contextmanager
def working(run: Run, names: list[str] | None, *, keys: bool = True) -> Iterator[Work]:
    """Give what backup work needs, with a progress bar while the block runs."""
    from pnlbook.backup.catalogue import Catalogue
    from pnlbook.backup.keyring import load_keyring
    from pnlbook.backup.vaults.observation import Observation, observed
    from pnlbook.backup.vaults.settings import open_vaults
    from pnlbook.backup.work import Work
    from pnlbook.cli.progress import Bar

    settings = run.settings.model_copy(update={"book": run.path})
    seen: list[Observation] = []
    vaults = [observed(vault, seen) for vault in open_vaults(settings, names)]
    with Bar(enabled=sys.stderr.isatty() and not run.quiet) as bar:
        yield Work(
            book=run.path,
            catalogue=Catalogue.of(run.path),
            keyring=load_keyring(settings.keyring) if keys else _no_keys(),
            vaults=vaults,
            lock_timeout=run.timeout,
            tell=bar.backup,
            on_wait=run.on_wait,
            observations=seen,
        )


def _no_keys() -> Keyring:
    from pnlbook.backup.keyring import Keyring

    return Keyring([])


def policy(run: Run) -> Policy:
    """Return how many copies the settings ask for."""
    from pnlbook.backup.create import Policy

    asked = run.settings.backup
    return Policy(asked.minimum_copies, asked.maximum_copies)


def _rules(run: Run) -> Rules:
    from datetime import timedelta

    from pnlbook.backup.retention import Rules

    asked = run.settings.backup
    return Rules(
        daily=asked.keep_daily,
        weekly=asked.keep_weekly,
        monthly=asked.keep_monthly,
        yearly=asked.keep_yearly,
        last=asked.keep_last,
        minimum_copies=asked.minimum_copies,
        grace=timedelta(days=asked.grace_days),
    )


def catalogue(run: Run) -> Contents:
    """Return what the catalogue beside the book knows."""
    from pnlbook.backup.catalogue import Catalogue

    return Catalogue.of(run.path).read()


def _pending(run: Run) -> list[str]:
    from pnlbook.backup.catalogue import Catalogue

    folder = Catalogue.of(run.path).pending
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def record(run: Run, work: Work) -> None:
    """Write what the catalogue knows into the book; what cannot be now, is the next time."""
    from pnlbook.backup.record import record as write
    from pnlbook.book import BookLocked

    try:
        write(work, work.catalogue.read())
    except BookLocked as error:
        run.note(f"{error} The backup is safe; the book's own record of it is written next time.")


def _tell(run: Run, made: Made) -> None:
    backup = made.backup
    if run.as_json:
        print_json({**facts(backup), "seconds": made.seconds})
        return
    if made.made_full:
        run.note("A full backup: there was none to build on, or another DuckDB made it.")
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in made.seconds.items())
    share = f"{backup.object_size / backup.book_size:.0%}" if backup.book_size else ""
    sys.stdout.write(
        f"Backup {backup.backup_id}: {backup.rows:,} rows.\n"
        f"  book {size(backup.book_size)}, pack {size(backup.pack_size)}, "
        f"object {size(backup.object_size)} ({share} of the book)\n"
        f"  copies: {_states(backup)}; cost {money(backup)} USD\n"
        f"  {times}\n"
    )


def _states(backup: Backup) -> str:
    return ", ".join(f"{copy.vault} {copy.state}" for copy in backup.copies) or "none"


def facts(backup: Backup) -> dict[str, object]:
    """Return a backup as JSON tells it."""
    from dataclasses import asdict

    return asdict(backup) | {"cost_usd": backup.cost_usd, "restorable": backup.restorable}


def money(backup: Backup) -> str:
    """Return what a backup cost, 'unknown' where a price is."""
    cost = backup.cost_usd
    return "unknown" if cost is None else f"{cost:,.4f}"


def size(count: int | None) -> str:
    """Return a number of bytes in a unit that reads well; None: not known."""
    if count is None:
        return "unknown"
    amount, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:  # noqa: PLR2004 - kilo
        amount /= 1000
        units.pop(0)
    return f"{amount:,.0f} {units[0]}" if units[0] == "bytes" else f"{amount:,.1f} {units[0]}"


def _blank(rows: list[list[str | None]]) -> list[list[str]]:
    return [[cell or "" for cell in row] for row in rows]


def find(contents: Contents, backup_id: str | None, book: Path) -> Backup:
    """Return the backup that was named, or the newest; raises UnknownBackup, NothingToRestore."""
    from pnlbook.backup.restore import NothingToRestore

    if backup_id is not None:
        return contents.find(backup_id)
    kept = [b for b in contents.backups if b.kind in _WHOLE and b.removed_at is None]
    latest = contents.latest(_WHOLE) or max(kept, key=lambda b: b.sequence, default=None)
    if latest is None:
        where = f"the catalogue of {book}"
        raise NothingToRestore(where)
    return latest
