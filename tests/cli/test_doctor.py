"""`pnlbook doctor`."""

from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.cli.running import Pnlbook, check_golden, write

from pnlbook import sql
from pnlbook.sql import Check

pytestmark = pytest.mark.core


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every machine be the same: two packages, much room."""
    versions = {"duckdb": "2.0.0", "rich": "15.0.0"}

    def version(name: str) -> str:
        try:
            return versions[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(metadata, "version", version)
    requirements = ["duckdb<3,>=1.5.5", "rich>=14", "obstore>=0.8; extra == 's3'"]
    monkeypatch.setattr(metadata, "requires", lambda _: requirements)
    usage = type("Usage", (), {"free": 10**11})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr("pnlbook.cli.doctor.MINIMUM_PYTHON", (3, 11))


def findings(pnlbook: Pnlbook, *arguments: str) -> dict[str, dict[str, Any]]:
    outcome = pnlbook("doctor", "--json", *arguments)
    return {finding["subject"]: finding for finding in json.loads(outcome.out)}


def test_all_is_well(pnlbook: Pnlbook, book: Path) -> None:
    assert pnlbook("keys", "new").code == 0
    assert pnlbook("backup", "create").code == 0
    outcome = pnlbook("doctor")
    assert (outcome.code, outcome.err) == (0, "Nothing is wrong.\n")
    states = {line.split()[0] for line in outcome.out.splitlines()[2:]}
    assert states == {"ok"}
    found = findings(pnlbook)
    assert found["packages"]["finding"] == "all 2 are there and new enough"
    assert found["book"]["finding"] == "book.duckdb is readable and up to date (schema 3)"
    assert book.exists()


def test_a_vault_that_is_gone_is_told(pnlbook: Pnlbook, book: Path) -> None:
    pnlbook("keys", "new")
    pnlbook("backup", "create")
    shutil.rmtree(book.parent / "backups")
    assert pnlbook("doctor").code == 1
    assert "there is no folder" in findings(pnlbook)["vault local"]["finding"]


@pytest.mark.usefixtures("book")
def test_what_is_not_backed_up_is_told(pnlbook: Pnlbook) -> None:
    found = findings(pnlbook)
    assert (found["keys"]["state"], found["backup"]["state"]) == ("warn", "warn")


def test_no_book(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("doctor")
    assert outcome.code == 1
    assert outcome.err == "Wrong: 1.\n"
    assert findings(pnlbook)["book"]["state"] == "fail"


@pytest.mark.usefixtures("book")
def test_packages_that_are_missing_or_old(
    pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["duckdb>=2.0.1", "polars>=1.35", "rich"])
    assert pnlbook("doctor").code == 1
    found = findings(pnlbook)
    assert found["duckdb"]["finding"] in {"2.0.0 is older than 2.0.1", "2.0.0"}
    assert found["polars"] == {
        "state": "fail",
        "subject": "polars",
        "finding": "is not installed",
        "remedy": "pip install 'polars>=1.35'",
    }


@pytest.mark.usefixtures("book")
def test_python_that_is_too_old(pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pnlbook.cli.doctor.MINIMUM_PYTHON", (9, 9))
    python = findings(pnlbook)["python"]
    assert python["state"] == "fail"
    assert python["remedy"] == "Install Python 9.9."


@pytest.mark.usefixtures("book")
def test_little_room(pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert findings(pnlbook)["disk"]["state"] == "warn"
    assert pnlbook("doctor").code == 0


def test_a_log_that_could_not_be_folded(pnlbook: Pnlbook, book: Path) -> None:
    kept = book.with_name("book.duckdb.rollback")
    kept.mkdir()
    pnlbook("init", str(book), "--timezone", "Europe/Berlin")
    told = findings(pnlbook)["log"]
    assert told["state"] == "warn"
    assert "bytes of the book stand in book.duckdb.wal, not folded in" in told["finding"]
    kept.rmdir()
    pnlbook("init", str(book), "--timezone", "Europe/Rome")
    assert "log" not in findings(pnlbook)


@pytest.mark.usefixtures("book")
def test_checks_that_fail(pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check("even", "fail", "even numbers", "-- fail: x\nSELECT 2 AS n")
    monkeypatch.setattr(sql, "checks", lambda: (check,))
    assert findings(pnlbook)["checks"] == {
        "state": "fail",
        "subject": "checks",
        "finding": "even numbers: 1 rows",
        "remedy": "See 'pnlbook checks'.",
    }
    assert pnlbook("doctor").code == 1


def test_wrong_settings(pnlbook: Pnlbook) -> None:
    Path("pnlbook.toml").write_text("bok = 1\n", encoding="utf-8")
    outcome = pnlbook("doctor")
    assert outcome.code == 1
    assert "pnlbook.toml, setting 'bok'" in outcome.out


@pytest.mark.usefixtures("book")
def test_settings_found(pnlbook: Pnlbook, tmp_path: Path) -> None:
    Path("pnlbook.toml").write_text("lock_timeout = 1\n", encoding="utf-8")
    assert findings(pnlbook)["settings"]["finding"] == str(tmp_path / "pnlbook.toml")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"Dear Ann,"), "it is not a DuckDB file"),
        (lambda path: path.write_bytes(path.read_bytes()[:9000]), "cannot open"),
        (
            lambda path: write(path, "INSERT INTO migrations VALUES (99, 'x', now(), '9')"),
            "made by a newer pnlbook",
        ),
        (
            lambda path: write(path, "UPDATE book_settings SET value = '' WHERE name LIKE 'def%6'"),
            "Bring it up to date with 'pnlbook migrate up",
        ),
    ],
)
def test_book_that_cannot_be_used(pnlbook: Pnlbook, book: Path, spoil: Any, said: str) -> None:  # noqa: ANN401
    spoil(book)
    outcome = pnlbook("doctor")
    assert outcome.code == 1
    assert said in outcome.out
    assert "Traceback" not in outcome.err


def test_table(pnlbook: Pnlbook) -> None:
    with duckdb.connect("other.duckdb") as connection:
        connection.execute("SELECT 1")
    out = pnlbook("doctor", "--book", "other.duckdb").out
    differing = (" python ", " disk ")
    rows = [line for line in out.splitlines() if not any(word in line for word in differing)]
    check_golden("doctor.table", "\n".join(rows) + "\n")
