"""The Makefile's targets, and the lock file that they install from."""

from __future__ import annotations

import re
import subprocess
import tomllib
from os import environ
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a fresh shell, not as a child of the make that runs the tests."""
    shell = {
        name: value for name, value in environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
    )


def declared() -> list[Requirement]:
    """Everything that pyproject.toml asks for, extras and build backend included."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *pyproject["dependency-groups"].values(),
        pyproject["build-system"]["requires"],
    ]
    return [Requirement(text) for texts in lists for text in texts]


def locked() -> dict[str, Version]:
    """Version of each locked package, by canonical name."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", LOCK, re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_make_alone_prints_every_target_that_has_a_comment() -> None:
    commented = re.findall(r"^([a-z-]+):.*## (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    printed = [line.split(maxsplit=2)[1:] for line in make().stdout.splitlines()]

    assert printed == [list(target) for target in commented]
    assert {"run", "test", "lab", "load", "bench", "check", "format", "lock", "clean"} <= dict(
        commented
    ).keys()


def test_every_target_with_a_comment_is_phony() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)

    assert phony is not None
    assert set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) == set(phony[1].split())


@pytest.mark.parametrize("target", ["run", "lab"])
def test_servers_stay_on_this_machine(target: str) -> None:
    commands = make("--dry-run", target).stdout

    assert "pnlbook demo demo.duckdb" in commands
    assert "0.0.0.0" not in commands  # noqa: S104 - looked for, not bound to
    assert ("--ServerApp.ip=127.0.0.1" in commands) == (target == "lab")


@pytest.mark.parametrize(("given", "passed"), [("1", True), ("0", False), ("", False)])
def test_run_has_a_headless_form(given: str, passed: bool) -> None:
    commands = make("--dry-run", "run", f"HEADLESS={given}").stdout

    assert ("--headless" in commands) == passed


def test_load_without_a_source_says_what_to_type() -> None:
    result = make("load", "SRC=")

    assert result.returncode == 2
    assert "make load SRC=" in result.stderr


@pytest.mark.parametrize("requirement", declared(), ids=str)
def test_the_lock_holds_what_is_declared(requirement: Requirement) -> None:
    assert requirement.specifier.contains(locked()[canonicalize_name(requirement.name)])


def test_every_locked_package_has_hashes_and_none_an_address() -> None:
    pins = re.findall(r"^[A-Za-z0-9._-]+==[^\\]*\\\n((?:    --hash=.*\n)+)", LOCK, re.MULTILINE)

    assert len(pins) == len(re.findall(r"^[A-Za-z0-9]", LOCK, re.MULTILINE))
    assert "://" not in LOCK
    assert not re.search(r"^--?(?!hash)", LOCK, re.MULTILINE)
