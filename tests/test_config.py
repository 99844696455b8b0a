"""Settings: where they come from, and what is said of wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pnlbook.config import ConfigError, Settings, find_file, load_settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("PNLBOOK_"):
            monkeypatch.delenv(name)


def write(folder: Path, text: str) -> None:
    (folder / "pnlbook.toml").write_text(text, encoding="utf-8")


def test_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings == Settings()
    assert (settings.book, settings.lock_timeout) == (Path("book.duckdb"), 30.0)


def test_book_is_relative_to_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'book = "data/team.duckdb"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_file(below) == tmp_path / "pnlbook.toml"
    assert load_settings(below).book == tmp_path / "data/team.duckdb"


def test_nearest_file_counts(tmp_path: Path) -> None:
    write(tmp_path, "lock_timeout = 1\n")
    below = tmp_path / "below"
    below.mkdir()
    write(below, "lock_timeout = 2\n")
    assert load_settings(below).lock_timeout == 2


def test_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'book = "file.duckdb"\nlock_timeout = 1\n')
    monkeypatch.setenv("PNLBOOK_BOOK", "env.duckdb")
    settings = load_settings(tmp_path)
    assert (settings.book, settings.lock_timeout) == (Path("env.duckdb"), 1)


def test_vaults_and_keyring_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "pnlbook.toml").write_text(
        'keyring = "keys.json"\n'
        '[vaults.local]\nkind = "folder"\npath = "backups"\n'
        '[vaults.s3]\nkind = "s3"\nbucket = "b"\n'
    )
    settings = load_settings(tmp_path)
    assert settings.keyring == tmp_path / "keys.json"
    assert settings.vaults == {
        "local": {"kind": "folder", "path": tmp_path / "backups"},
        "s3": {"kind": "s3", "bucket": "b"},
    }


@pytest.mark.parametrize(
    "line", ["minimum_copies = 0", "keep_last = 0", "grace_days = -1", "keep_hourly = 3"]
)
def test_wrong_settings_of_backups_are_told(line: str, tmp_path: Path) -> None:
    (tmp_path / "pnlbook.toml").write_text(f"[backup]\n{line}\n")
    with pytest.raises(ConfigError, match=line.split(maxsplit=1)[0]):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("bok = 1\n", "setting 'bok'", "not permitted"),
        ("lock_timeout = -1\n", "setting 'lock_timeout'", "greater than or equal to 0"),
        ("lock_timeout = 'soon'\n", "setting 'lock_timeout'", "valid number"),
        ("memory_limit = 'much'\n", "setting 'memory_limit'", "match"),
        ("book = 5\n", "setting 'book'", "path"),
        ("book = \n", "pnlbook.toml", "Invalid value"),
        ("vaults = 3\n", "setting 'vaults'", "dictionary"),
    ],
)
def test_wrong_file(tmp_path: Path, text: str, where: str, problem: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load_settings(tmp_path)
    sentence = str(raised.value)
    assert str(tmp_path / "pnlbook.toml") in sentence
    assert where in sentence
    assert problem in sentence
    assert raised.value.exit_code == 2


def test_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pnlbook.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"pnlbook\.toml"):
        load_settings(tmp_path)


def test_wrong_variable_names_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PNLBOOK_LOCK_TIMEOUT", "soon")
    with pytest.raises(ConfigError, match="PNLBOOK_LOCK_TIMEOUT"):
        load_settings(tmp_path)
