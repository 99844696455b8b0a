"""`pnlbook doctor`: what is wrong with the installation or the book, and what to do about it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pnlbook.cli.run import Run, print_json
from pnlbook.errors import ExitCode, PnlbookError

if TYPE_CHECKING:
    import duckdb

MINIMUM_PYTHON = (3, 11)
_GIGABYTE = 1_000_000_000
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;]*?>=\s*([0-9.]+)")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: state is ok, warn or fail; `remedy` says what to do unless it is ok."""

    state: str
    subject: str
    finding: str
    remedy: str = ""


def doctor(run: Run) -> None:
    """Look at the installation, the settings and the book; exit code 1 when something is wrong.

    Examples:

      pnlbook doctor
      pnlbook doctor --book team.duckdb --json
    """
    findings = [
        finding
        for look in (_python, _packages, _settings, _book, _keys, _vaults)
        for finding in _guarded(run, look)
    ]
    if run.as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(run, findings)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _guarded(run: Run, look: Callable[[Run], Iterator[Finding]]) -> Iterator[Finding]:
    """Turn the error that ends a look into its last finding."""
    try:
        yield from look(run)
    except PnlbookError as error:
        state = "warn" if error.exit_code is ExitCode.LOCKED else "fail"
        yield Finding(state, look.__name__.strip("_"), str(error))


def _python(_run: Run) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= MINIMUM_PYTHON:
        yield Finding("ok", "python", version)
    else:
        wanted = ".".join(map(str, MINIMUM_PYTHON))
        yield Finding("fail", "python", f"{version} is too old", f"Install Python {wanted}.")


def _packages(_run: Run) -> Iterator[Finding]:
    try:
        requirements = metadata.requires("pnlbook") or []
    except metadata.PackageNotFoundError:
        remedy = "Install it, e.g. with 'pip install -e .' in its folder."
        yield Finding("warn", "packages", "pnlbook runs without being installed", remedy)
        return
    found = [_package(line) for line in requirements if "extra ==" not in line]
    wrong = [finding for finding in found if finding.state != "ok"]
    yield from wrong
    if not wrong:
        yield Finding("ok", "packages", f"all {len(found)} are there and new enough")
    yield Finding("ok", "duckdb", metadata.version("duckdb"))


def _package(requirement: str) -> Finding:
    match = _REQUIREMENT.match(requirement)
    name, minimum = match.groups() if match else (requirement.partition(";")[0].strip(), "0")
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding("fail", name, "is not installed", f"pip install '{name}>={minimum}'")
    if _numbers(version) < _numbers(minimum):
        problem = f"{version} is older than {minimum}"
        return Finding("fail", name, problem, f"pip install --upgrade '{name}>={minimum}'")
    return Finding("ok", name, version)


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in match.group().split(".")) if match else ()


def _settings(run: Run) -> Iterator[Finding]:
    from pnlbook.config import find_file

    start = run.settings_folder or Path.cwd()
    found = find_file(start)
    _ = run.settings
    yield Finding("ok", "settings", str(found) if found else "no pnlbook.toml; defaults are used")


def _book(run: Run) -> Iterator[Finding]:
    path = run.path
    if path.is_file():
        yield from _disk(path)
        yield from _log(path)
        yield from _lock(path)
    with run.open_book() as connection:
        yield Finding(
            "ok", "book", f"{path} is readable and up to date (schema {_schema(connection)})"
        )
        yield from _checks(connection)


def _disk(path: Path) -> Iterator[Finding]:
    size, free = path.stat().st_size, shutil.disk_usage(path.resolve().parent).free
    text = f"the book takes {_megabytes(size)}; {_megabytes(free)} are free beside it"
    if free < max(2 * size, _GIGABYTE):
        yield Finding(
            "warn", "disk", text, "Free some space: a load may need twice the book's size."
        )
    else:
        yield Finding("ok", "disk", text)


def _log(path: Path) -> Iterator[Finding]:
    from pnlbook.checkpoint import LOG, beside

    log = beside(path, LOG)
    if log.exists() and (size := log.stat().st_size):
        yield Finding(
            "warn",
            "log",
            f"{size:,} bytes of the book stand in {log.name}, not folded in",
            "The next command that writes folds them in, if the disk has room.",
        )


def _lock(path: Path) -> Iterator[Finding]:
    from pnlbook.book import lock_holder

    holder = lock_holder(path)
    if holder is not None:
        yield Finding("warn", "lock", f"{holder} holds the book", "Loads wait until it lets go.")


def _schema(connection: duckdb.DuckDBPyConnection) -> int | None:
    from pnlbook.book import schema_version

    return schema_version(connection)


def _checks(connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    from pnlbook import sql
    from pnlbook.cli.checks import run_check

    outcomes = [run_check(connection, check, 0) for check in sql.checks()]
    bad = [outcome for outcome in outcomes if outcome.offending]
    for outcome in bad:
        text = f"{outcome.check.description}: {outcome.offending} rows"
        yield Finding(outcome.state, "checks", text, "See 'pnlbook checks'.")
    if not bad:
        yield Finding("ok", "checks", f"all {len(outcomes)} hold")


def _keys(run: Run) -> Iterator[Finding]:
    from pnlbook.backup.keyring import NoKeys, load_keyring

    try:
        ring = load_keyring(run.settings.keyring)
    except NoKeys:
        remedy = "Make one with 'pnlbook keys new' before the first backup."
        yield Finding("warn", "keys", "there is no backup key", remedy)
        return
    number = len(ring.keys)
    text = f"{number} backup key{'' if number == 1 else 's'}; new backups use {ring.active.id}"
    yield Finding("ok", "keys", text)


def _vaults(run: Run) -> Iterator[Finding]:
    from pnlbook.backup.errors import VaultError
    from pnlbook.backup.vaults.settings import open_vaults
    from pnlbook.cli.backup import catalogue

    vaults = open_vaults(run.settings.model_copy(update={"book": run.path}))
    latest = catalogue(run).latest()
    if latest is None:  # a vault may not be there before its first use
        yield Finding("warn", "backup", "no backup yet", "Make one: 'pnlbook backup create'.")
        return
    yield Finding("ok", "backup", f"the newest is {latest.backup_id}")
    for vault in vaults:
        try:
            held = sum(1 for _ in vault.list())
        except VaultError as error:
            yield Finding("fail", f"vault {vault.name}", error.problem)
        else:
            yield Finding("ok", f"vault {vault.name}", f"{vault.kind} with {held} objects")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def _print(run: Run, findings: list[Finding]) -> None:
    from pnlbook.cli.output import print_table

    rows = [
        [f.state, f.subject, f"{f.finding}. {f.remedy}".strip() if f.remedy else f.finding]
        for f in findings
    ]
    print_table(["state", "what", "finding"], rows)
    wrong = sum(finding.state == "fail" for finding in findings)
    run.note("Nothing is wrong." if wrong == 0 else f"Wrong: {wrong}.")
