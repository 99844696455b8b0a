"""The SQL files of pnlbook as values: migrations, macros, views and data checks.

A migration holds `-- up` and `-- down`; a macro or view file holds a why-comment, its definition
and, below `-- tests`, what must hold of it; a check begins with `-- fail: …` or `-- warn: …`.
Files run whole.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Migration:
    """One numbered step of the schema, with its way back."""

    number: int
    name: str
    up: str
    down: str


@dataclass(frozen=True)
class Definition:
    """One macro or view: `area` is its folder, `sql` creates it, `tests` proves it."""

    area: str
    name: str
    sql: str
    tests: str
    path: Path


@dataclass(frozen=True)
class Check:
    """A data check: `sql` returns the offending rows; `severity` is fail or warn."""

    name: str
    severity: str
    description: str
    sql: str


def migrations_folder() -> Path:
    """Return the folder that holds the migrations."""
    return _ROOT / "migrations"


@cache
def migrations() -> tuple[Migration, ...]:
    """Return every migration by ascending number."""
    found = [_migration(path) for path in sorted(migrations_folder().glob("[0-9]*.sql"))]
    return tuple(found)


def _migration(path: Path) -> Migration:
    number, name = path.stem.split("_", 1)
    text = path.read_text(encoding="utf-8")
    _, up, down = re.split(r"^-- (?:up|down)$", text, maxsplit=2, flags=re.MULTILINE)
    return Migration(int(number), name, up, down)


@cache
def definitions() -> tuple[Definition, ...]:
    """Return every macro, then every view, each after those that it uses."""
    macros = [_definition(path) for path in sorted((_ROOT / "macros").glob("*/*.sql"))]
    views = [_definition(path) for path in sorted((_ROOT / "views").glob("*.sql"))]
    return (*_by_use(macros), *views)


def _definition(path: Path) -> Definition:
    sql, _, tests = path.read_text(encoding="utf-8").partition("\n-- tests\n")
    return Definition(path.parent.name, path.stem, sql, tests, path)


def _by_use(macros: list[Definition]) -> list[Definition]:
    names = {macro.name for macro in macros}
    calls = {
        macro.name: names.intersection(re.findall(r"\b(\w+)\(", macro.sql)) - {macro.name}
        for macro in macros
    }
    ordered: list[Definition] = []
    placed: set[str] = set()
    while len(ordered) < len(macros):
        ready = [m for m in macros if m.name not in placed and calls[m.name] <= placed]
        if not ready:
            cycle = sorted(set(calls) - placed)
            message = f"macros use one another in a circle: {', '.join(cycle)}"
            raise ValueError(message)
        ordered += ready
        placed |= {macro.name for macro in ready}
    return ordered


@cache
def definitions_digest() -> str:
    """Return the SHA-256 over all definitions: it tells whether a book's macros are these."""
    text = "\0".join(definition.sql for definition in definitions())
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def checks() -> tuple[Check, ...]:
    """Return every data check by name."""
    return tuple(_check(path) for path in sorted((_ROOT / "checks").glob("*.sql")))


def _check(path: Path) -> Check:
    text = path.read_text(encoding="utf-8")
    head = re.match(r"-- (fail|warn): (.+)", text)
    if head is None:
        message = f"{path.name} must begin with '-- fail: …' or '-- warn: …'"
        raise ValueError(message)
    return Check(path.stem, head.group(1), head.group(2), text)
