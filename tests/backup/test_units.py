"""Units: what each scheduler makes of the text is what was put in."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnlbook.backup import units
from pnlbook.backup.units import SecretNameInvalid, UnitError

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.core

RUN_DUE = ("/opt/pnlbook/bin/pnlbook", "backup", "run-due", "--quiet")
NASTY = (
    "a b",
    "",
    "$HOME ${HOME} $$ $(id) `id`",
    "100% %h %% %n",
    "it's",
    'say "yes"',
    "back\\slash\\",
    "\\% \\\\% %\\",
    ";",
    "#",
    "!x *?[a] ~ & | < > (y)",
    "\\x41\\n",
    "grün € 😀",
    " edge ",
    "{name} {{x}}",
    "- : @x",
)
TEXTS = st.text(
    st.sampled_from("ab \\\\\\%%%$$\"\"''`;#{}!~*?&|<>-:@=ü€😀") | st.characters(codec="utf-8"),
    max_size=12,
).filter(lambda text: text.isprintable() and "${{" not in text)  # GitHub would read that
COMMANDS = st.lists(TEXTS, max_size=6)
FOLDERS = TEXTS.filter(lambda text: "/" not in text).map(lambda text: Path("/srv/" + text))
SYSTEMD_ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """Return a program, in a folder with an odd name, that prints where it is and its arguments."""
    folder = tmp_path / "bin $x 50% ü"
    folder.mkdir()
    path = folder / "pnl book"
    path.write_text('#!/bin/sh\nprintf "%s\\0" "$(pwd)" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def shown(output: bytes) -> list[str]:
    return output.decode().split("\0")[:-1]


# systemd


def setting(unit: str, name: str) -> str:
    (value,) = re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)
    return str(value)


def systemd_words(value: str) -> list[str]:
    """Read a line of quoted words as systemd.syntax(7) and systemd.unit(5) say; strictly."""
    words = re.findall(r'"((?:[^"\\]|\\["\\])*)"(?: |$)', value)
    assert " ".join(f'"{word}"' for word in words) == value
    assert not any(re.search("%", word.replace("%%", "")) for word in words)
    return [re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in words]


def read_command(unit: str) -> list[str]:
    line = setting(unit, "ExecStart")
    assert line.startswith(":")
    return systemd_words(line[1:])


def loaded_by_systemd(folder: Path, made: dict[str, str], *, user: bool, level: str) -> str:
    """Return what systemd says of the units at a level of logging: what it loaded, at `debug`."""
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    scope = "--user" if user else "--system"
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "SYSTEMD_LOG_LEVEL": level}
    arguments = [SYSTEMD_ANALYZE or "", scope, "verify", *(str(folder / name) for name in made)]
    done = subprocess.run(arguments, env=environment, capture_output=True, check=True)
    return (done.stdout + done.stderr).decode()


def loaded(dump: str, name: str) -> str:
    (value,) = re.findall(rf"^\t+{name}: (.*)$", dump, re.MULTILINE)
    return str(value)


def loaded_words(dump: str) -> list[str]:
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', loaded(dump, "Command Line"))
    return [re.sub(r"\\(.)", r"\1", quoted) or bare for quoted, bare in found]


@pytest.mark.parametrize("user", [False, True])
def test_systemd_reads_the_command_as_it_is(tmp_path: Path, stub: Path, user: bool) -> None:
    command, folder = [str(stub), *NASTY], tmp_path / "50% it's \"b\\"
    made = units.systemd(command, folder, user=user, account="root")
    service = made["pnlbook-backup.service"]
    assert read_command(service) == command
    if SYSTEMD_ANALYZE:
        assert units.NAME not in loaded_by_systemd(tmp_path, made, user=user, level="warning")
        dump = loaded_by_systemd(tmp_path, made, user=user, level="debug")
        assert loaded_words(dump) == command
        assert Path(loaded(dump, "WorkingDirectory")) == folder
        assert user or f"RequiresMountsFor: {folder} (" in dump


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(COMMANDS, FOLDERS)
def test_systemd_reads_any_command(
    tmp_path: Path, stub: Path, arguments: list[str], folder: Path
) -> None:
    command = [str(stub), *arguments]
    made = units.systemd(command, folder, user=False)
    service = made["pnlbook-backup.service"]
    assert read_command(service) == command
    assert systemd_words(setting(service, "ReadWritePaths")) == [str(folder)]
    assert setting(service, "WorkingDirectory").replace("%%", "%") == f"{folder}/"
    if SYSTEMD_ANALYZE:
        dump = loaded_by_systemd(tmp_path, made, user=False, level="debug")
        assert loaded_words(dump) == command
        assert Path(loaded(dump, "WorkingDirectory")) == folder


def test_systemd_service_is_confined(tmp_path: Path) -> None:
    system = units.systemd(RUN_DUE, Path("/srv/books"), user=False, account="books")
    service = system["pnlbook-backup.service"]
    assert setting(service, "User") == "books"
    assert setting(service, "ProtectSystem") == "full"
    assert setting(service, "PrivateTmp") == "true"
    personal = units.systemd(RUN_DUE, Path("/home/me/books"), user=True, account="books")
    own = personal["pnlbook-backup.service"]
    assert "ProtectSystem" not in own
    assert "PrivateTmp" not in own
    assert "User=" not in own
    for text in (service, own):
        assert setting(text, "Type") == "oneshot"
        assert setting(text, "NoNewPrivileges") == "true"
        assert setting(text, "UMask") == "0077"
        assert setting(text, "IOSchedulingClass") == "idle"
        assert setting(text, "EnvironmentFile") == "-%E/pnlbook/backup.env"
        assert "mode 0600" in text
    in_tmp = units.systemd(RUN_DUE, tmp_path.parent / "x", user=False)["pnlbook-backup.service"]
    shared = tmp_path.is_relative_to("/tmp") or tmp_path.is_relative_to("/var/tmp")  # noqa: S108
    assert setting(in_tmp, "PrivateTmp") == ("false" if shared else "true")


def test_systemd_timer() -> None:
    timer = units.systemd(RUN_DUE, Path("/srv/books"), user=True)["pnlbook-backup.timer"]
    assert setting(timer, "OnCalendar") == "*:0/15"
    assert setting(timer, "Persistent") == "true"
    assert setting(timer, "Unit") == "pnlbook-backup.service"
    assert setting(timer, "WantedBy") == "timers.target"


@pytest.mark.parametrize("mark", ['"', "'", "\\"])
def test_systemd_refuses_a_program_that_it_would_not_start(mark: str) -> None:
    with pytest.raises(UnitError, match="quote or backslash"):
        units.systemd([f"/opt/a{mark}b"], Path("/srv"), user=True)


@pytest.mark.parametrize("account", ["", "a b", "%u", "x\nExecStart=y", "-x"])
def test_systemd_refuses_what_is_no_account(account: str) -> None:
    with pytest.raises(UnitError, match="account"):
        units.systemd(RUN_DUE, Path("/srv"), user=False, account=account)


# cron


def given_to_shell(line: str) -> str:
    """Return the command that cron runs: an escaped percent sign is one, a bare one would end it.

    A backslash escapes the next character, a second backslash included (crontab(5)).
    """
    *times, text = line.removesuffix("\n").split(" ", 5)
    assert times == ["*/15", "*", "*", "*", "*"]
    shell, escaped = "", False
    for character in text:
        if character == "%":
            assert escaped, f"cron ends the command after {shell}"
            shell = shell[:-1]
        shell += character
        escaped = character == "\\" and not escaped
    return shell


def ran(line: str) -> list[str]:
    shell = ["sh", "-c", given_to_shell(line)]
    done = subprocess.run(shell, capture_output=True, check=True)
    assert done.stderr == b""
    return shown(done.stdout)


def test_cron_runs_the_command_as_it_is(tmp_path: Path, stub: Path) -> None:
    folder = tmp_path / "50% it's \"b\\% $x"
    folder.mkdir()
    line = units.cron([str(stub), *NASTY], folder)
    assert line.count("\n") == 1
    assert ran(line) == [str(folder), *NASTY]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(COMMANDS)
def test_cron_runs_any_command(tmp_path: Path, stub: Path, arguments: list[str]) -> None:
    assert ran(units.cron([str(stub), *arguments], tmp_path)) == [str(tmp_path), *arguments]


def test_cron_runs_nothing_where_the_folder_is_gone(tmp_path: Path, stub: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        ran(units.cron([str(stub)], tmp_path / "gone"))


def test_cron_line_of_a_plain_command() -> None:
    assert units.cron(RUN_DUE, Path("/srv/books")) == (
        "*/15 * * * * cd /srv/books && exec /opt/pnlbook/bin/pnlbook backup run-due --quiet\n"
    )


# GitHub Actions


def github_steps(text: str) -> list[dict[str, object]]:
    workflow = yaml.safe_load(text)
    steps: list[dict[str, object]] = workflow["jobs"]["backup"]["steps"]
    return steps


def run_step(step: dict[str, object], program: Path) -> list[str]:
    """Run a step as the runner does, with a folder on the PATH that has the program."""
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    shell = ["bash", "-e", "-c", str(step["run"])]
    return shown(subprocess.run(shell, env=environment, capture_output=True, check=True).stdout)


def test_github_workflow() -> None:
    text = units.github(
        ["pnlbook", "backup", "run-due"],
        book='/srv/my books/50%\'s "b".duckdb',
        requirement="pnlbook[s3]>=0.1",
        secrets=["BACKUP_ENCRYPTION_KEY", "BACKUP_WALLET"],
    )
    workflow = yaml.safe_load(text)
    assert workflow[True]["schedule"] == [{"cron": "*/15 * * * *"}]  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["backup"]["runs-on"] == "self-hosted"
    checkout, python, install, run = github_steps(text)
    assert str(checkout["uses"]).startswith("actions/checkout@")
    assert str(python["uses"]).startswith("actions/setup-python@")
    assert shlex.split(str(install["run"])) == [
        "python",
        "-m",
        "pip",
        "install",
        "pnlbook[s3]>=0.1",
    ]
    assert run["run"] == "pnlbook backup run-due"
    assert run["env"] == {
        "PNLBOOK_BOOK": '/srv/my books/50%\'s "b".duckdb',
        "BACKUP_ENCRYPTION_KEY": "${{ secrets.BACKUP_ENCRYPTION_KEY }}",
        "BACKUP_WALLET": "${{ secrets.BACKUP_WALLET }}",
    }
    assert "must reach the book" in text


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(COMMANDS, TEXTS, TEXTS)
def test_github_runs_any_command(stub: Path, arguments: list[str], book: str, runs_on: str) -> None:
    text = units.github([stub.name, *arguments], book=book, runs_on=runs_on)
    run = github_steps(text)[-1]
    assert run["env"] == {
        "PNLBOOK_BOOK": book,
        "BACKUP_ENCRYPTION_KEY": "${{ secrets.BACKUP_ENCRYPTION_KEY }}",
    }
    assert yaml.safe_load(text)["jobs"]["backup"]["runs-on"] == runs_on
    assert run_step(run, stub)[1:] == arguments


def test_github_refuses_what_it_would_evaluate() -> None:
    with pytest.raises(UnitError, match="evaluate"):
        units.github(["pnlbook"], book="${{ secrets.BACKUP_ENCRYPTION_KEY }}")


def test_a_secret_in_place_of_its_name_is_not_shown() -> None:
    secret = "0123456789abcdef" * 4
    with pytest.raises(SecretNameInvalid) as raised:
        units.github(["pnlbook"], book="book.duckdb", secrets=["BACKUP_WALLET", secret])
    assert "secret 2" in str(raised.value)
    assert secret not in str(raised.value)
    assert raised.value.exit_code == 2


# all


@pytest.mark.parametrize(
    ("command", "folder", "problem"),
    [
        (("pnlbook", "backup"), Path("/srv"), "'pnlbook'"),
        (RUN_DUE, Path("books"), "'books'"),
        (("/opt/pnlbook", "a\nb"), Path("/srv"), "cannot be printed"),
        (("/opt/pnlbook", "a\0b"), Path("/srv"), "cannot be printed"),
        (("/opt/pnlbook", "\udcff"), Path("/srv"), "cannot be printed"),
        (("/opt/pnlbook",), Path("/srv/a\rb"), "cannot be printed"),
    ],
)
def test_values_that_no_unit_can_hold(command: Sequence[str], folder: Path, problem: str) -> None:
    with pytest.raises(UnitError, match=problem):
        units.systemd(command, folder, user=True)
    with pytest.raises(UnitError, match=problem):
        units.cron(command, folder)


def test_no_unit_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "fedcba9876543210" * 4
    monkeypatch.setenv("BACKUP_ENCRYPTION_KEY", secret)
    folder = Path("/srv/books")
    made = [
        *units.systemd(RUN_DUE, folder, user=True).values(),
        *units.systemd(RUN_DUE, folder, user=False).values(),
        units.cron(RUN_DUE, folder),
        units.github(RUN_DUE, book="/srv/books/book.duckdb"),
    ]
    assert not any(secret in text for text in made)
