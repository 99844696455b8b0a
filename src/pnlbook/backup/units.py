"""Units that call `pnlbook backup run-due` every 15 minutes: systemd, cron, GitHub Actions.

What is due is decided by run-due itself, so that no unit changes when a schedule does. No unit
holds a secret: each names the place where the key is read from.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from pnlbook.backup.keyring import KEY_VARIABLE
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "pnlbook-backup"
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_SHARED_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  what PrivateTmp hides from a service


class UnitError(UsageError):
    """A value cannot stand in a unit of that format."""

    def __init__(self, value: str, problem: str) -> None:
        super().__init__(f"{value!r} cannot stand in a unit: {problem}")


class SecretNameInvalid(UsageError):
    """What should name a secret does not; it is not shown, for it may be the secret."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"secret {number} is no name. Give the name of its variable, in capitals, digits and "
            "underscores, and keep its value out of units."
        )


def systemd(
    command: Sequence[str], working_directory: Path, *, user: bool, account: str | None = None
) -> dict[str, str]:
    """Return the service and the timer of systemd (244 or later) by file name.

    user: for the user's own manager, else for the system's, where the service runs as `account`
    (None: root, which then owns what the command writes). Raises UnitError.
    """
    _check(command, working_directory)
    if any(mark in command[0] for mark in "\"'\\"):
        raise UnitError(
            command[0], "systemd starts no program with a quote or backslash in its path."
        )
    if account is not None and not _ACCOUNT.fullmatch(account):
        raise UnitError(account, "it is no name of an account.")
    parts = [_USER_SERVICE] if user else [_SYSTEM_SERVICE, _confinement(working_directory)]
    if account is not None and not user:
        parts.append(f"User={account}\n")
    # Without the slash, a space at the end would be dropped and a backslash join the next line.
    folder = _specifiers(f"{working_directory}/")
    line = " ".join(_word(argument) for argument in command)
    parts.append(f"WorkingDirectory={folder}\nExecStart=:{line}\n")
    return {f"{NAME}.service": "".join(parts), f"{NAME}.timer": _TIMER}


def cron(command: Sequence[str], working_directory: Path) -> str:
    """Return one line of a user's crontab, ended by a line break; UnitError.

    cron gives a job no key: it must be in the keyring file.
    """
    _check(command, working_directory)
    shell = f"cd {shlex.quote(str(working_directory))} && exec {shlex.join(command)}"
    # A backslash before the one that escapes a percent sign would undo it: quotes stand between.
    escaped = shell.replace("\\%", "\\''%").replace("%", "\\%")
    return f"*/15 * * * * {escaped}\n"


def github(
    command: Sequence[str],
    *,
    book: str,
    requirement: str = "pnlbook",
    runs_on: str = "self-hosted",
    secrets: Sequence[str] = (KEY_VARIABLE,),
) -> str:
    """Return a workflow of GitHub Actions.

    book: path of the book on the runner. requirement: what pip installs. secrets: names of the
    repository's secrets that the command finds as variables. Raises UnitError, SecretNameInvalid.
    """
    for value in (*command, book, requirement, runs_on):
        _check_text(value)
        if "${{" in value:
            raise UnitError(value, "GitHub would evaluate the '${{' in it.")
    for number, name in enumerate(secrets, start=1):
        if not _VARIABLE.fullmatch(name):
            raise SecretNameInvalid(number)
    variables = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in secrets)
    return _WORKFLOW.format(
        runs_on=_scalar(runs_on),
        install=_scalar(shlex.join(["python", "-m", "pip", "install", requirement])),
        command=_scalar(shlex.join(command)),
        book=_scalar(book),
        variables=variables,
    )


def _check(command: Sequence[str], working_directory: Path) -> None:
    """Raise UnitError for what cannot be written, or not be found without the user's PATH."""
    for value in (*command, str(working_directory)):
        _check_text(value)
    for path in (command[0], str(working_directory)):
        if not path.startswith("/"):
            raise UnitError(path, "the path must be absolute.")


def _check_text(value: str) -> None:
    if not value.isprintable():
        raise UnitError(value, "it has a character that cannot be printed.")


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """Quote a word for a setting of systemd; the colon before a command keeps `$` as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_specifiers(escaped)}"'


def _scalar(text: str) -> str:
    """Quote a value for YAML, whose double-quoted scalars have the escapes of JSON."""
    return json.dumps(text, ensure_ascii=False)


def _confinement(working_directory: Path) -> str:
    """Return what confines a service of the system; only its system manager can do it."""
    shared = any(working_directory.is_relative_to(folder) for folder in _SHARED_TEMPORARY)
    return (
        "ProtectSystem=full\n"
        f"ReadWritePaths={_word(str(working_directory))}\n"
        f"PrivateTmp={'false' if shared else 'true'}\n"
        "PrivateDevices=true\n"
        "ProtectKernelTunables=true\n"
        "ProtectKernelModules=true\n"
        "ProtectControlGroups=true\n"
    )


_SERVICE = f"""Type=oneshot
# One line {KEY_VARIABLE}=... in this file, mode 0600. Without the file, the keyring file is used.
EnvironmentFile=-%E/pnlbook/backup.env
Nice=10
IOSchedulingClass=idle
UMask=0077
NoNewPrivileges=true
LockPersonality=true
RestrictRealtime=true
RestrictSUIDSGID=true
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
"""

_USER_SERVICE = f"""# Put {NAME}.service and {NAME}.timer into ~/.config/systemd/user, then:
#   systemctl --user daemon-reload
#   systemctl --user enable --now {NAME}.timer
#   loginctl enable-linger     (runs while you are not logged in)
[Unit]
Description=Backups of a pnlbook that are due

[Service]
{_SERVICE}"""

_SYSTEM_SERVICE = f"""# Put {NAME}.service and {NAME}.timer into /etc/systemd/system, then:
#   systemctl daemon-reload
#   systemctl enable --now {NAME}.timer
# Vaults below /usr, /boot, /etc, /tmp and /var/tmp need ReadWritePaths or PrivateTmp changed.
[Unit]
Description=Backups of a pnlbook that are due
Wants=network-online.target
After=network-online.target

[Service]
{_SERVICE}"""

_TIMER = f"""[Unit]
Description=Look every 15 minutes whether a backup of a pnlbook is due

[Timer]
OnCalendar=*:0/15
Persistent=true
RandomizedDelaySec=30
Unit={NAME}.service

[Install]
WantedBy=timers.target
"""

_WORKFLOW = """# Put this into .github/workflows/backup.yml.
# The runner must reach the book: one on your own machine is reached by a self-hosted runner there,
# and by none of GitHub's. The book also remembers when each schedule ran: a job that gets a fresh
# copy of the book every time makes a backup every time. Secrets stand in the settings of the
# repository, never here. `clean: false` leaves what is not in the repository, such as a book.
name: backup

on:
  schedule:
    - cron: "*/15 * * * *"
  workflow_dispatch:

permissions:
  contents: read

concurrency:
  group: pnlbook-backup
  cancel-in-progress: false

jobs:
  backup:
    runs-on: {runs_on}
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v5
        with:
          clean: false
          persist-credentials: false
      - uses: actions/setup-python@v6
        with:
          python-version: "3.13"
      - name: Install pnlbook
        run: {install}
      - name: Make the backups that are due
        run: {command}
        env:
          PNLBOOK_BOOK: {book}
{variables}"""
