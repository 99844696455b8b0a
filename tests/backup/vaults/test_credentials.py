"""Credentials: where they are looked for, and that they are not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pnlbook.backup.vaults.credentials import Credentials, CredentialsMissing, find_credentials

if TYPE_CHECKING:
    from pathlib import Path


KEYS = {"AWS_ACCESS_KEY_ID": "env-key", "AWS_SECRET_ACCESS_KEY": "env-secret"}
CREDENTIALS = """\
[default]
aws_access_key_id = default-key
aws_secret_access_key = default%secret
[team]
aws_access_key_id = team-key
aws_secret_access_key = team-secret
aws_session_token = team-token
[half]
aws_access_key_id = half-key
"""
CONFIG = """\
[default]
region = eu-central-1
[profile half]
aws_secret_access_key = half-secret
[profile team]
aws_access_key_id = hidden-by-the-other-file
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Return the environment that names the two shared files."""
    (tmp_path / "credentials").write_text(CREDENTIALS)
    (tmp_path / "config").write_text(CONFIG)
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }


@pytest.mark.parametrize(
    ("profile", "more", "key", "secret", "token"),
    [
        (None, {}, "default-key", "default%secret", None),
        (None, KEYS, "env-key", "env-secret", None),
        (None, KEYS | {"AWS_SESSION_TOKEN": "t"}, "env-key", "env-secret", "t"),
        (None, {"AWS_ACCESS_KEY_ID": "alone"}, "default-key", "default%secret", None),
        (None, {"AWS_PROFILE": "team"}, "team-key", "team-secret", "team-token"),
        (None, KEYS | {"AWS_PROFILE": "team"}, "env-key", "env-secret", None),
        ("team", KEYS | {"AWS_SESSION_TOKEN": "t"}, "team-key", "team-secret", "team-token"),
        ("default", KEYS, "default-key", "default%secret", None),
        ("half", {}, "half-key", "half-secret", None),
    ],
)
def test_where_they_come_from(  # noqa: PLR0913, PLR0917 - one row a case
    files: dict[str, str],
    profile: str | None,
    more: dict[str, str],
    key: str,
    secret: str,
    token: str | None,
) -> None:
    found = find_credentials("cloud", profile, files | more)
    assert found == Credentials(key, secret, token)
    assert found() == {
        "access_key_id": key,
        "secret_access_key": secret,
        "token": token,
        "expires_at": None,
    }


@pytest.mark.parametrize(
    "name", ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"]
)
def test_a_role_of_the_machine(files: dict[str, str], name: str) -> None:
    assert find_credentials("cloud", None, files | {name: "x"}) is None
    assert find_credentials("cloud", "team", files | {name: "x"}) is not None


def test_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CredentialsMissing, match="Set AWS_ACCESS_KEY_ID"):
        find_credentials("cloud", None, {})
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(CREDENTIALS)
    assert find_credentials("cloud", None, {}) == Credentials("default-key", "default%secret")


def test_an_unknown_profile(files: dict[str, str]) -> None:
    with pytest.raises(CredentialsMissing, match=r"vault cloud: .*for profile 'none'") as raised:
        find_credentials("cloud", "none", files | KEYS)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("text", [b"aws_secret_access_key = s3cr3t\n", b"[default]\n\xff\n"])
def test_a_file_that_cannot_be_read(files: dict[str, str], tmp_path: Path, text: bytes) -> None:
    (tmp_path / "credentials").write_bytes(text)
    with pytest.raises(CredentialsMissing, match="credentials, which cannot be read") as raised:
        find_credentials("cloud", None, files)
    assert "s3cr3t" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_they_are_not_shown() -> None:
    assert repr(Credentials("k3y", "s3cr3t", "t0k3n")) == "Credentials()"
