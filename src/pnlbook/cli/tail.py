"""`pnlbook worklog tail`: what happens in logs of work, a line each, as it happens."""

from __future__ import annotations

import json
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli import ending
from pnlbook.cli.run import Run
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from pnlbook.worklog.following import Event

SOURCES = ("spool", "claude-code", "codex")
INTERVAL = 0.5  # seconds between looks at the logs
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class NotASpan(UsageError):
    """--since is no span, date or time."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"--since takes a span such as 15m, 2h or 1d, or a date or time, not {text!r}."
        )


def tail(
    run: Run,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LOG]...",
            help="spool, claude-code, codex, or one of them at a place (spool:PATH); "
            "by default all three.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="SPAN", help="Show first what happened since, e.g. 15m or 2025-10-01."
        ),
    ] = None,
    node: Annotated[
        list[str] | None,
        typer.Option(metavar="NODE", help="Only what this node does; may be given again."),
    ] = None,
    with_content: Annotated[
        bool,
        typer.Option("--with-content", help="Show the text of messages; secrets are left out."),
    ] = False,
) -> None:
    """Follow live sessions: who does what, a line each, until Ctrl-C.

    It begins with the sessions that go on. Times are those of this machine. The book is not
    needed: logs are read where programs write them.

    Examples:

      pnlbook worklog tail --since 1h
      pnlbook worklog tail spool --node alex-architect-ai
      pnlbook worklog tail --json | jq .error_message
    """
    from pnlbook.worklog.assignment import Assignments
    from pnlbook.worklog.following import Following
    from pnlbook.worklog.importer import Reading

    reading = Reading(Assignments(run.settings.work), with_content)
    following = Following(sources or SOURCES, reading, _instant(since) if since else None)
    show = _print_json if run.as_json else _print_line
    try:
        while True:
            for event in following.poll():
                if not node or event.record.node_id in node:
                    show(event)
            sys.stdout.flush()
            time.sleep(INTERVAL)
    except KeyboardInterrupt:
        if ending.signalled() not in {0, ending.INTERRUPTED}:
            raise


def _instant(text: str) -> int:
    """Return an instant in microseconds since 1970, of a span back from now or of a local time."""
    if span := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return int((time.time() - int(span[1]) * _UNITS[span[2]]) * 1_000_000)
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotASpan(text) from error
    return (told.astimezone() - _EPOCH) // timedelta(microseconds=1)


def _print_json(event: Event) -> None:
    from pnlbook.cli.events import local_time
    from pnlbook.worklog.records import columns

    record = event.record
    facts: dict[str, object] = {
        "at": local_time(event.at).isoformat(),
        "source": event.source,
        "kind": type(record).__name__.lower(),
        "state": event.state,
        "id": record.key,
    }
    for name in columns(type(record)):
        value = getattr(record, name)
        if value is not None and not name.endswith("_at"):
            facts[name] = str(value) if isinstance(value, Decimal) else value
    sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")


def _print_line(event: Event) -> None:
    from pnlbook.cli.events import line
    from pnlbook.cli.output import console

    console().print(line(event), soft_wrap=True)
