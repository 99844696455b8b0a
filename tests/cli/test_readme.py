"""The commands of README.md work, and print what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pnlbook.book import open_book, run

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`([\w.]+\.csv)`:\n\n```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What stands for more than a test can do, or has its own test.
ELSEWHERE = ("make", ". .venv", "pnlbook report", "pnlbook worklog tail")
LOGS = README.parent / "tests" / "data" / "worklog"
PAYOUTS = 'Datum;Betrag;node_id;payment_status;memo\n06.10.2025;"1,50";alex;bezahlt;x\n'


@pytest.fixture
def text() -> str:
    return README.read_text(encoding="utf-8")


@pytest.fixture
def _folder(text: str) -> None:
    """Put the files of the README into the test's folder."""
    for name, content in FILE.findall(text):
        Path(name).write_text(content, encoding="utf-8")
    Path("exports").mkdir()
    [mapping] = [body for kind, body in BLOCK.findall(text) if kind == "toml"]
    Path("exports/load.toml").write_text(mapping, encoding="utf-8")
    Path("exports/payouts-1.csv").write_text(PAYOUTS, encoding="utf-8")
    shutil.copytree(LOGS / "claude-code", "home/.claude/projects/shop")
    shutil.copytree(LOGS / "codex", "home/.codex/sessions/2024/01/01")
    subprocess.run(["git", "init", "--quiet"], check=True)
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "add", "exports"], check=True)
    subprocess.run(["git", *person, "commit", "--quiet", "--message", "Exports"], check=True)


def steps(text: str) -> list[tuple[str, str | None]]:
    """Return each command with what it is said to print; None: nothing is said."""
    found: list[tuple[str, str | None]] = []
    for kind, body in BLOCK.findall(text):
        if kind == "console":
            for part in body.removeprefix("$ ").split("\n$ "):
                command, _, output = part.partition("\n")
                found.append((command, output or None))
        elif kind == "sh":
            found += [(line.partition("  #")[0].strip(), None) for line in body.splitlines()]
    return [step for step in found if not step[0].startswith(ELSEWHERE)]


def shell(command: str) -> subprocess.CompletedProcess[str]:
    function = f'pnlbook() {{ "{sys.executable}" -m pnlbook "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", function + command],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PNLBOOK_LOCK_TIMEOUT": "5", "HOME": str(Path("home").resolve())},
    )


@pytest.mark.usefixtures("_folder")
def test_commands(text: str) -> None:
    commands = steps(text)
    assert len(commands) > 8
    for command, expected in commands:
        done = shell(command)
        assert done.returncode == (3 if "\nerror: " in (expected or "") else 0), done.stdout
        if expected is not None:
            assert done.stdout == expected, command


def test_a_program_logs_its_work(text: str) -> None:
    [program] = [body for kind, body in BLOCK.findall(text) if kind == "python"]
    spool = Path("spool").resolve()
    subprocess.run(
        [sys.executable, "-c", program], check=True, env=os.environ | {"PNLBOOK_SPOOL": str(spool)}
    )
    assert shell(f"pnlbook init && pnlbook load spool:{spool}").returncode == 0
    with open_book(Path("book.duckdb")) as book:
        query = "SELECT node_id, completed_tasks, total_lines_added FROM node_productivity()"
        assert run(book, query) == [("alex-architect-ai", 1, 5)]


def test_targets_are_those_of_the_makefile(text: str) -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE))
    assert named
    assert named <= targets


def test_links_lead_somewhere(text: str) -> None:
    for path in re.findall(r"\]\(((?!http)[^)#]+)", text):
        assert (README.parent / path).exists(), path
