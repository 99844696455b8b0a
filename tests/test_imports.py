"""The rooms of pnlbook import in one direction only, and a wrong import would be noticed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from os import environ
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")
ROOMS = [
    "disk",
    "errors",
    "config",
    "sql",
    "checkpoint",
    "book",
    "migrate",
    "load",
    "worklog",
    "collect",
    "settle",
    "backup",
    "reports",
    "serve",
    "cli",
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of `folder`'s pyproject.toml on the pnlbook in its `src`."""
    return subprocess.run(
        [LINT, "--no-cache", "--no-logo"],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Every room, empty, under the real contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "src" / "pnlbook"
    package.mkdir(parents=True)
    for room in ["__init__", *ROOMS]:
        (package / f"{room}.py").touch()
    return tmp_path


def test_the_contracts_are_kept() -> None:
    result = lint(ROOT)

    assert result.returncode == 0, result.stdout


def test_imports_along_the_drawing_are_allowed(house: Path) -> None:
    for room, below in [
        ("config", "errors"),
        ("sql", "errors"),
        ("book", "checkpoint, config, errors, sql"),
        ("load", "book"),
        ("worklog", "load"),
        ("collect", "load"),
        ("settle", "book"),
        ("backup", "book"),
        ("reports", "book"),
        ("serve", "reports"),
        ("cli", ", ".join(ROOMS[:-1])),
    ]:
        (house / f"src/pnlbook/{room}.py").write_text(f"from pnlbook import {below}\n")

    result = lint(house)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "wrong"),
    [
        ("errors", "config"),
        ("sql", "config"),
        ("config", "sql"),
        ("book", "load"),
        ("book", "reports"),
        ("load", "reports"),
        ("load", "worklog"),
        ("reports", "load"),
        ("reports", "worklog"),
        ("reports", "serve"),
        ("serve", "load"),
        ("settle", "load"),
        ("backup", "load"),
        ("worklog", "reports"),
        ("worklog", "collect"),
        ("serve", "cli"),
    ],
)
def test_an_import_against_the_drawing_is_noticed(house: Path, room: str, wrong: str) -> None:
    (house / f"src/pnlbook/{room}.py").write_text(f"from pnlbook import {wrong}\n")

    result = lint(house)

    assert result.returncode == 1, result.stdout
    assert f"pnlbook.{room} -> pnlbook.{wrong}" in result.stdout


def test_a_module_without_a_room_is_noticed(house: Path) -> None:
    (house / "src/pnlbook/attic.py").touch()

    result = lint(house)

    assert result.returncode == 1, result.stdout
    assert "attic" in result.stdout
