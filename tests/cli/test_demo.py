"""`pnlbook demo`."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from tests.cli.running import Outcome, Pnlbook

from pnlbook.cli import places
from pnlbook.load import SourceError

pytestmark = pytest.mark.core


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small sample: making the whole one takes a second or two each time."""
    folder = tmp_path_factory.mktemp("sample")
    for name in ("nodes.csv", "projects.csv", "node_earnings.csv"):
        (folder / name).write_bytes((places.sample() / name).read_bytes())
    return folder


@pytest.fixture(autouse=True)
def _small_sample(monkeypatch: pytest.MonkeyPatch, sample: Path) -> None:
    monkeypatch.setattr(places, "sample", lambda: sample)


def test_makes_a_full_book(pnlbook: Pnlbook) -> None:
    assert pnlbook("demo") == Outcome(0, "Made demo.duckdb, the sample book.\n", "")
    rows = pnlbook("sql", "FROM node_profit()", "--book", "demo.duckdb", "--json").out
    assert "alex-architect-ai" in {row["node_id"] for row in json.loads(rows)}
    assert [path.name for path in Path().iterdir()] == ["demo.duckdb"]


def test_one_that_is_there_stays(pnlbook: Pnlbook) -> None:
    pnlbook("demo", "mine.duckdb")
    with duckdb.connect("mine.duckdb") as connection:
        connection.execute("DELETE FROM node_earnings")
    again = pnlbook("demo", "mine.duckdb")
    assert again == Outcome(0, "Already there: mine.duckdb, the sample book.\n", "")
    with duckdb.connect("mine.duckdb") as connection:
        assert connection.execute("SELECT count(*) FROM node_earnings").fetchall() == [(0,)]


def test_an_older_one_is_brought_up_to_date(pnlbook: Pnlbook) -> None:
    pnlbook("demo")
    with duckdb.connect("demo.duckdb") as connection:
        connection.execute("UPDATE book_settings SET value = 'x' WHERE name = 'definitions_sha256'")
    assert pnlbook("loads", "--book", "demo.duckdb").code == 1
    assert pnlbook("demo").code == 0
    assert pnlbook("loads", "--book", "demo.duckdb").code == 0


def test_another_file_is_left_alone(pnlbook: Pnlbook) -> None:
    Path("demo.duckdb").write_text("Dear Ann,", encoding="utf-8")
    assert pnlbook("demo").code == 1
    assert Path("demo.duckdb").read_text(encoding="utf-8") == "Dear Ann,"


def test_half_a_demo_is_none(pnlbook: Pnlbook, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        msg = "sample"
        raise SourceError(msg, "it is gone.")

    monkeypatch.setattr("pnlbook.load.load", fail)
    outcome = pnlbook("demo")
    assert (outcome.code, outcome.out) == (1, "")
    assert list(Path().iterdir()) == []


def test_sample_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(places, "_CHECKOUT", tmp_path / "none")
    monkeypatch.setattr(places, "_PACKAGE", tmp_path)
    with pytest.raises(places.NotInstalled, match="sample data"):
        places.sample()
    (tmp_path / "_sample").mkdir()
    assert places.sample() == tmp_path / "_sample"
