"""What all commands have in common: options, errors, exit codes, help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from tests.cli.running import Outcome, Pnlbook, write

from pnlbook import __version__
from pnlbook.cli import app
from pnlbook.errors import ExitCode

COMMANDS = (
    *("init", "demo", "load", "loads", "rejects", "checks", "sql", "report", "doctor"),
    *("migrate up", "migrate down", "migrate status", "migrate new"),
)


def test_version(pnlbook: Pnlbook) -> None:
    assert pnlbook("--version") == Outcome(0, f"pnlbook {__version__}\n", "")


def test_installed_program() -> None:
    found = metadata.entry_points(group="console_scripts", name="pnlbook")
    if not found:
        pytest.skip("pnlbook runs from its folder")
    assert {entry.value for entry in found} == {"pnlbook.cli:main"}


def test_top_level_help_names_commands_and_exit_codes(pnlbook: Pnlbook) -> None:
    help_ = pnlbook("--help")
    assert (help_.code, help_.err) == (0, "")
    for command in COMMANDS:
        assert f" {command.split()[0]} " in help_.out
    for code in ("0  done", "1  failed", "3  data was rejected", "4  the book is locked"):
        assert code in help_.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(pnlbook: Pnlbook, command: str) -> None:
    help_ = pnlbook(*command.split(), "--help")
    assert (help_.code, help_.err) == (0, "")
    assert "Example" in help_.out
    assert f"pnlbook {command}" in help_.out.split("Example")[1]
    for option in ("--book", "--json", "--lock-timeout", "--quiet", "--debug"):
        assert option in help_.out


def test_no_command_is_a_usage_error_with_help(pnlbook: Pnlbook) -> None:
    outcome = pnlbook()
    assert (outcome.code, outcome.out) == (2, "")
    assert "Usage: pnlbook" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bogus"], "error: No such command 'bogus'. See 'pnlbook --help'.\n"),
        (["migrate"], "error: Missing command. See 'pnlbook migrate --help'.\n"),
        (["sql"], "error: Missing argument 'query'. See 'pnlbook sql --help'.\n"),
        (["init", "--xyzzy"], "error: No such option: --xyzzy. See 'pnlbook init --help'.\n"),
    ],
)
def test_usage_errors(pnlbook: Pnlbook, arguments: list[str], sentence: str) -> None:
    assert pnlbook(*arguments) == Outcome(2, "", sentence)


def test_no_book(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("sql", "SELECT 1")
    assert outcome == Outcome(
        1,
        "",
        "error: no book at book.duckdb. Make one with 'pnlbook init book.duckdb', "
        "or name another with --book.\n",
    )


@pytest.mark.parametrize("size", [100, 100_000, 500_000])
def test_damaged_book_is_a_sentence(pnlbook: Pnlbook, book: Path, size: int) -> None:
    content = book.read_bytes()
    book.write_bytes(content[:size] + b"\xff" * (len(content) - size))
    for command in (["loads"], ["migrate", "status"], ["doctor"]):
        outcome = pnlbook(*command)
        assert "Traceback" not in outcome.err
        assert "defect of pnlbook" not in outcome.err


def test_errors_for_machines(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("loads", "--json")
    assert (outcome.code, outcome.out) == (1, "")
    error = json.loads(outcome.err)["error"]
    assert error["kind"] == "BookMissing"
    assert error["exit_code"] == 1
    assert error["message"].startswith("no book at book.duckdb.")


def test_traceback_only_when_asked_for(pnlbook: Pnlbook) -> None:
    assert "Traceback" not in pnlbook("loads").err
    shown = pnlbook("loads", "--debug").err
    assert shown.startswith("Traceback")
    assert shown.splitlines()[-1].startswith("error: no book")


@pytest.mark.usefixtures("book")
def test_unexpected_error_is_one_sentence(
    pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        _ = 1 // 0

    monkeypatch.setattr("pnlbook.sql.checks", broken)
    assert pnlbook("checks") == Outcome(
        1,
        "",
        "error: unexpected ZeroDivisionError: integer division or modulo by zero\n"
        "This is a defect of pnlbook; run again with --debug to see where.\n",
    )


class TestWhichBook:
    """--book, then PNLBOOK_BOOK, then pnlbook.toml, then ./book.duckdb."""

    @pytest.fixture(autouse=True)
    def _books(self, pnlbook: Pnlbook, tmp_path: Path) -> None:
        for name in ("option", "environment", "file", "book"):
            pnlbook("init", f"{name}.duckdb")
            write(tmp_path / f"{name}.duckdb", f"CREATE TABLE this_is_{name} (a INTEGER)")

    def used(self, pnlbook: Pnlbook, *arguments: str) -> str:
        query = "SELECT table_name[9:] FROM duckdb_tables() WHERE table_name LIKE 'this_is_%'"
        return pnlbook("sql", query, "--format", "csv", *arguments).out.splitlines()[1]

    def test_order(self, pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.used(pnlbook) == "book"
        Path("pnlbook.toml").write_text('book = "file.duckdb"\n', encoding="utf-8")
        assert self.used(pnlbook) == "file"
        monkeypatch.setenv("PNLBOOK_BOOK", "environment.duckdb")
        assert self.used(pnlbook) == "environment"
        assert self.used(pnlbook, "--book", "option.duckdb") == "option"

    def test_file_of_a_folder_above(
        self, pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("pnlbook.toml").write_text('book = "file.duckdb"\n', encoding="utf-8")
        Path("below").mkdir()
        monkeypatch.chdir("below")
        assert self.used(pnlbook) == "file"


def test_settings_stand_beside_the_named_book(pnlbook: Pnlbook) -> None:
    pnlbook("init", "team/book.duckdb")
    Path("team/pnlbook.toml").write_text("lock_timeout = 'soon'\n", encoding="utf-8")
    assert pnlbook("loads", "--book", "team/book.duckdb").code == 2


@pytest.mark.usefixtures("book")
def test_wrong_setting(pnlbook: Pnlbook) -> None:
    Path("pnlbook.toml").write_text("bok = 1\n", encoding="utf-8")
    outcome = pnlbook("loads")
    assert outcome.code == 2
    assert "pnlbook.toml, setting 'bok'" in outcome.err


class TestInit:
    def test_makes_a_book_once(self, pnlbook: Pnlbook) -> None:
        assert pnlbook("init").out == "Made book.duckdb, reporting in UTC.\n"
        before = Path("book.duckdb").read_bytes()
        assert pnlbook("init") == Outcome(0, "Already there: book.duckdb, reporting in UTC.\n", "")
        assert Path("book.duckdb").read_bytes() == before

    def test_makes_folders(self, pnlbook: Pnlbook) -> None:
        assert pnlbook("init", "a/b/c.duckdb", "--quiet") == Outcome(0, "", "")
        assert Path("a/b/c.duckdb").is_file()

    def test_time_zone(self, pnlbook: Pnlbook) -> None:
        out = pnlbook("init", "--timezone", "Europe/Berlin").out
        assert out == "Made book.duckdb, reporting in Europe/Berlin.\n"
        assert "Europe/Berlin" in pnlbook("init").out
        assert "Asia/Kolkata" in pnlbook("init", "--timezone", "Asia/Kolkata").out
        shown = pnlbook("sql", "SELECT TIMESTAMPTZ '2025-01-01 00:00:00Z' AS t", "-f", "csv").out
        assert shown == "t\n2025-01-01T05:30:00+05:30\n"

    def test_unknown_time_zone_makes_nothing(self, pnlbook: Pnlbook, tmp_path: Path) -> None:
        outcome = pnlbook("init", "--timezone", "Mars/Olympus")
        assert outcome.code == 2
        assert "unknown time zone 'Mars/Olympus'" in outcome.err
        assert list(tmp_path.iterdir()) == []

    def test_json(self, pnlbook: Pnlbook) -> None:
        assert json.loads(pnlbook("init", "--json").out) == {
            "book": "book.duckdb",
            "created": True,
            "timezone": "UTC",
        }

    def test_leaves_another_file_alone(self, pnlbook: Pnlbook) -> None:
        Path("letter.txt").write_text("Dear Ann,", encoding="utf-8")
        outcome = pnlbook("init", "letter.txt")
        assert outcome == Outcome(
            1, "", "error: letter.txt exists already and is not a book. Choose another path.\n"
        )
        assert Path("letter.txt").read_text(encoding="utf-8") == "Dear Ann,"

    def test_folder_that_cannot_be_made(self, pnlbook: Pnlbook) -> None:
        Path("file").touch()
        outcome = pnlbook("init", "file/book.duckdb")
        assert outcome.code == 1
        assert outcome.err.startswith("error: cannot make file/book.duckdb: ")


def test_help_needs_none_of_the_heavy_packages() -> None:
    code = (
        "import sys\n"
        "from pnlbook.cli.app import run\n"
        "run(['--help'])\n"
        "heavy = {'duckdb', 'polars', 'pyarrow', 'marimo', 'altair', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stderr == b"[]\n"


def test_completion_of_the_shell() -> None:
    environment = os.environ | {
        "_PNLBOOK_COMPLETE": "complete_bash",
        "COMP_WORDS": "pnlbook mig",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pnlbook"], check=False, capture_output=True, env=environment
    )
    assert done.stdout.decode().split() == ["migrate"]


def test_exit_codes_of_the_help_are_those_of_the_program() -> None:
    listed = [int(line.split()[0]) for line in app.EPILOG.splitlines() if line.startswith("  ")]
    assert listed == [code.value for code in ExitCode]
