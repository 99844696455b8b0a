"""`pnlbook backup schedule`: when which backup is due, and the timer that makes it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from pnlbook.cli.backup import working
from pnlbook.cli.run import Run, print_json
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from pnlbook.backup.schedule import Kind, Schedule


def schedule(
    run: Run,
    name: Annotated[str | None, typer.Argument(help="A schedule to add or change.")] = None,
    cron: Annotated[
        str | None,
        typer.Option(metavar="EXPRESSION", help="When, five fields in UTC: '0 2 * * *'."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="full, incremental, schema or data.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Do not run it any more.")] = False,
    emit: Annotated[
        str | None,
        typer.Option(metavar="systemd|cron|github", help="Print the timer that calls run-due."),
    ] = None,
) -> None:
    """Show, change or install the schedules: when which backup is due.

    Without anything, the schedules are listed with their next run. --emit prints what a timer
    needs to call 'pnlbook backup run-due'.

    Examples:

      pnlbook backup schedule
      pnlbook backup schedule daily --cron '30 1 * * *'
      pnlbook backup schedule hourly --cron '@hourly' --kind incremental
      pnlbook backup schedule --emit systemd
    """
    from pnlbook.backup import upkeep

    if emit is not None:
        _emit(run, emit)
        return
    with run.open_book() as connection:
        known = upkeep.read_schedules(connection)
    if name is not None:
        with working(run, [], keys=False) as work:
            upkeep.set_schedule(work, _changed(known, name, cron, kind, off=off))
        with run.open_book() as connection:
            known = upkeep.read_schedules(connection)
    _show(run, known)


def _changed(
    known: Sequence[Schedule], name: str, cron: str | None, kind: str | None, *, off: bool
) -> Schedule:
    """Return the schedule of that name with what is asked of it, or a new one."""
    from pnlbook.backup.schedule import Schedule

    found = [schedule for schedule in known if schedule.name == name]
    wanted = cast("Kind | None", kind)
    if found:
        base = found[0]
        return replace(base, cron=cron or base.cron, kind=wanted or base.kind, enabled=not off)
    if cron is None:
        message = f"there is no schedule {name}. Give --cron and --kind to add it."
        raise UsageError(message)
    return Schedule(name, wanted or "incremental", cron, not off)


def _show(run: Run, known: Sequence[Schedule]) -> None:
    from pnlbook.backup.schedule import next_run
    from pnlbook.backup.work import utc_now
    from pnlbook.cli.output import print_table

    next_runs = [next_run(s.cron, utc_now()) if s.enabled else None for s in known]
    if run.as_json:
        print_json(
            [
                {
                    "name": s.name,
                    "kind": s.kind,
                    "cron": s.cron,
                    "enabled": s.enabled,
                    "last_run_at": s.last_run_at,
                    "next_run_at": soon,
                }
                for s, soon in zip(known, next_runs, strict=True)
            ]
        )
        return
    rows = [
        [
            s.name,
            s.kind,
            s.cron,
            f"{s.last_run_at:%Y-%m-%d %H:%M}" if s.last_run_at else "never",
            f"{soon:%Y-%m-%d %H:%M}" if soon else "off",
        ]
        for s, soon in zip(known, next_runs, strict=True)
    ]
    print_table(["schedule", "kind", "cron", "last run (UTC)", "next run (UTC)"], rows)


def _emit(run: Run, kind: str) -> None:
    from pnlbook.backup import units

    book = run.path.resolve()
    command = [str(Path(sys.argv[0]).resolve()), "backup", "run-due", "--book", str(book)]
    if kind == "systemd":
        for name, text in units.systemd(command, book.parent, user=True).items():
            sys.stdout.write(f"# {name}\n{text}\n")
    elif kind == "cron":
        sys.stdout.write(units.cron(command, book.parent))
    elif kind == "github":
        command = ["pnlbook", "backup", "run-due", "--book", str(book)]
        sys.stdout.write(units.github(command, book=str(book)))
    else:
        message = f"{kind!r} cannot be printed. Name systemd, cron or github."
        raise UsageError(message)
