"""Credentials for S3, from the environment or the shared files of the AWS tools, nowhere else.

https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import S3Credential

_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_OF_THE_MACHINE = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


class CredentialsMissing(UsageError):
    """No credentials were found where they may be."""

    def __init__(self, vault: str, where: str) -> None:
        super().__init__(
            f"vault {vault}: no credentials in {where}. Set {_KEY} and {_SECRET} in the "
            "environment, or name a profile of ~/.aws/credentials with the key 'profile'."
        )


@dataclass(frozen=True)
class Credentials:
    """An access key, its secret, and the token of a session; called, as obstore takes them."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def __call__(self) -> S3Credential:
        """Return them as obstore takes them: valid until further notice."""
        return {
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
            "token": self.token,
            "expires_at": None,
        }


def find_credentials(
    vault: str, profile: str | None, environment: Mapping[str, str] = os.environ
) -> Credentials | None:
    """Return the credentials for the vault; None leaves them to the machine it runs on.

    A profile that is named comes first, then the environment's keys, then a container's or a web
    identity's role, then the profile AWS_PROFILE or `default`. Raises CredentialsMissing.
    """
    if profile is None:
        found = _in_environment(environment)
        if found or any(name in environment for name in _OF_THE_MACHINE):
            return found
    return _in_files(vault, profile or environment.get("AWS_PROFILE") or "default", environment)


def _in_environment(environment: Mapping[str, str]) -> Credentials | None:
    key, secret = environment.get(_KEY), environment.get(_SECRET)
    return Credentials(key, secret, environment.get(_TOKEN) or None) if key and secret else None


def _in_files(vault: str, profile: str, environment: Mapping[str, str]) -> Credentials:
    places = (
        ("AWS_CONFIG_FILE", "config", f"profile {profile}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials", profile),
    )
    values: dict[str, str] = {}
    for variable, default, section in places:
        path = Path(environment.get(variable) or Path.home() / ".aws" / default).expanduser()
        values |= _section(vault, path, section if profile != "default" else "default")
    key, secret = values.get("aws_access_key_id"), values.get("aws_secret_access_key")
    if not (key and secret):
        raise CredentialsMissing(vault, f"the environment or for profile {profile!r}")
    return Credentials(key, secret, values.get("aws_session_token") or None)


def _section(vault: str, path: Path, section: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError):
        # What the parser says quotes lines of the file, secrets among them.
        raise CredentialsMissing(vault, f"{path}, which cannot be read") from None
    return dict(parser[section]) if parser.has_section(section) else {}
