"""`pnlbook keys`: the keys that backups are encrypted with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pnlbook.cli.run import Run, print_json, with_run
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from pnlbook.backup.keyring import Key

group = typer.Typer(
    help="Make, list and carry the keys of backups.",
    context_settings={"help_option_names": ["--help", "-h"]},
)


class UnknownKey(UsageError):
    """No key of that id is at hand."""

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key '{key_id}' at hand. 'pnlbook keys list' shows them.")


class SheetExists(UsageError):
    """A file stands where the sheet was to be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already. Nothing was written; name another file.")


def new(run: Run) -> None:
    """Make a new key, which encrypts all backups from now on; older keys still open theirs.

    It goes into the keyring file (setting 'keyring'). With BACKUP_KEYRING_PASSPHRASE set, all
    keys of that file are under this passphrase from then on.

    Example:

      pnlbook keys new
    """
    from pnlbook.backup import keyring

    key = keyring.new_key(run.settings.keyring)
    run.say(
        f"Made key {key.id} in {run.settings.keyring}.",
        id=key.id,
        created_at=key.created_at,
        keyring=run.settings.keyring,
    )
    run.note(
        "Without this key nobody can read the backups made with it, nor can you. Copy it to "
        f"another place before the first backup: pnlbook keys export {key.id}"
    )
    if keyring.environment_key():
        run.note(f"{keyring.KEY_VARIABLE} is set: its key stays the active one until it is unset.")


def list_keys(run: Run) -> None:
    """List the keys at hand, newest first: never the keys themselves.

    Examples:

      pnlbook keys list
      pnlbook keys list --json
    """
    from pnlbook.backup import keyring
    from pnlbook.cli.output import print_table

    ring = keyring.load_keyring(run.settings.keyring)
    given = {key.id for key in [keyring.environment_key()] if key}
    kept = {key.id for key in keyring.file_keys(run.settings.keyring)}
    rows = []
    for key in ring.keys:
        sources = ["file"] * (key.id in kept) + ["environment"] * (key.id in given)
        rows.append((key.id, _created(key), key.id == ring.active.id, sources))
    if run.as_json:
        names = ("id", "created_at", "active", "sources")
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    print_table(
        ["key", "created", "active", "source"],
        [[i, made or "unknown", "active" if on else "", ", ".join(s)] for i, made, on, s in rows],
    )


def export(
    run: Run,
    key_id: Annotated[
        str | None, typer.Argument(metavar="[KEY_ID]", help="Default: the active key.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write it to a new file that only you can read."
        ),
    ] = None,
) -> None:
    """Print the recovery sheet of a key: the key itself, and how a backup is restored with it.

    Whoever has the sheet can read the backups. Keep it on paper, away from the machine.

    Examples:

      pnlbook keys export | lp
      pnlbook keys export 1f0c5b7a9d3e2468 --output sheet.txt
    """
    from pnlbook.backup import keyring, sheet

    ring = keyring.load_keyring(run.settings.keyring)
    key = ring.find(key_id) if key_id else ring.active
    if key is None:
        raise UnknownKey(key_id or "")
    if output is not None:
        _write(output, sheet.render(key))
        run.say(f"Wrote the recovery sheet of key {key.id} to {output}.", id=key.id, output=output)
    elif run.as_json:
        print_json({"id": key.id, "created_at": _created(key), "sheet": sheet.render(key)})
    else:
        sys.stdout.write(sheet.render(key))


def import_key(
    run: Run,
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Default: standard input.")
    ] = None,
) -> None:
    """Bring a key back into the keyring, from its recovery sheet or from 64 hex digits.

    Of the sheet its four numbered lines are enough; a line that is mistyped is named.

    Examples:

      pnlbook keys import sheet.txt
      pnlbook keys import
    """
    from pnlbook.backup import keyring, sheet

    key = sheet.read(_text(run, source))
    added = keyring.add_key(run.settings.keyring, key)
    place = run.settings.keyring
    run.say(
        f"Key {key.id} is now in {place}." if added else f"Key {key.id} was in {place} already.",
        id=key.id,
        added=added,
        keyring=place,
    )
    if added:
        run.note("Compare its id with that on the recovery sheet.")


def _text(run: Run, source: Path | None) -> str:
    if source is not None:
        return source.read_text(encoding="utf-8", errors="replace")
    if sys.stdin.isatty():
        run.note("Type the four numbered lines of the recovery sheet, then Ctrl-D:")
    return sys.stdin.read()


def _write(path: Path, text: str) -> None:
    """Write a new file that only this user can read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SheetExists(path) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _created(key: Key) -> str | None:
    return key.created_at.isoformat() if key.created_at else None


group.command()(with_run(new))
group.command("list")(with_run(list_keys))
group.command()(with_run(export))
group.command("import")(with_run(import_key))
