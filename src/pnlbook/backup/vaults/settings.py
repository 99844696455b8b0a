"""Vaults from the settings: a table `[vaults.<name>]` each, with its `kind`."""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pnlbook.backup.vaults.credentials import find_credentials
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.vaults.vault import ZERO, Price
from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pnlbook.backup.vaults.vault import Vault
    from pnlbook.config import Settings

DEFAULT_NAME, DEFAULT_FOLDER = "local", "backups"
_SECRET = re.compile(r"access_?key|secret|token|password|credential|private_?key", re.IGNORECASE)
_NO_MONTHS = "'usd_per_gb_month' needs 'months': how long objects are kept"
_NO_ADDRESS = "write it as https://host or https://host:port"
_NOT_HOST_ALONE = "it must name a host alone, without user, password or query"
_IN_CLEAR = "'endpoint' must begin with https:// unless 'allow_http' is true"
_FAR = "'allow_http' is for an 'endpoint' on this machine alone"

_Charge = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class VaultSettingsError(UsageError):
    """The settings of a vault are wrong."""

    def __init__(self, vault: str, problem: str) -> None:
        super().__init__(f"vault {vault}: {problem}")


class SecretInSettings(UsageError):
    """A key that holds a secret stands in the settings; its value is not repeated."""

    def __init__(self, vault: str, key: str) -> None:
        super().__init__(
            f"vault {vault}: {key!r} must not stand in the settings. Remove it and replace the "
            "secret, for it was readable there; give it in the environment (AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), or name a 'profile'."
        )


class UnknownVault(UsageError):
    """No vault of that name is in the settings."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no vault {name!r} in the settings. There are: {', '.join(known)}.")


class ExtraMissing(UsageError):
    """The vault needs a package that is not installed."""

    def __init__(self, vault: str, extra: str) -> None:
        super().__init__(f"vault {vault}: install what it needs: pip install 'pnlbook[{extra}]'.")


class _Table(BaseModel):
    """What every vault may say: its charges, in US dollars for 1e9 bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    usd_per_gb: _Charge | None = None
    usd_per_gb_month: _Charge | None = None
    months: _Charge | None = None

    @model_validator(mode="after")
    def _months_of_a_charge(self) -> _Table:
        if self.usd_per_gb_month is not None and self.months is None:
            raise ValueError(_NO_MONTHS)
        return self

    def price(self) -> Price:
        """Return the charges as a price."""
        return Price(self.usd_per_gb, self.usd_per_gb_month, self.months or ZERO)


class _Folder(_Table):
    kind: Literal["folder"]
    path: Path
    usd_per_gb: _Charge | None = ZERO

    def open(self, name: str) -> Vault:
        """Return the vault."""
        return FolderVault(name, self.path, self.price())


class _S3(_Table):
    kind: Literal["s3"]
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: str = Field(default="", pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*/?)*$")
    region: str | None = Field(default=None, pattern=r"^[a-z0-9-]+$")
    endpoint: str | None = None
    allow_http: bool = False
    profile: str | None = Field(default=None, min_length=1)
    object_lock_days: int | None = Field(default=None, ge=1, le=36_500)
    object_lock_mode: Literal["governance", "compliance"] = "governance"
    timeout_seconds: float = Field(default=120, gt=0, allow_inf_nan=False)

    @field_validator("endpoint")
    @classmethod
    def _address(cls, endpoint: str | None) -> str | None:
        """Refuse an address that is none, or that carries a secret."""
        parts = urlsplit(endpoint or "https://default")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(_NO_ADDRESS)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(_NOT_HOST_ALONE)
        return endpoint

    @model_validator(mode="after")
    def _encrypted_way(self) -> _S3:
        """Refuse to send in clear, except to this machine."""
        plain = urlsplit(self.endpoint or "").scheme == "http"
        if plain and not self.allow_http:
            raise ValueError(_IN_CLEAR)
        if self.allow_http and not _is_loopback(self.endpoint):
            raise ValueError(_FAR)
        return self

    def open(self, name: str) -> Vault:
        """Return the vault. Raises ExtraMissing and CredentialsMissing."""
        try:
            from pnlbook.backup.vaults import s3, s3_lock, s3_store  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            raise ExtraMissing(name, "s3") from error
        days = self.object_lock_days
        return s3.S3Vault(
            name,
            s3_store.Place(
                self.bucket, self.prefix.strip("/"), self.region, self.endpoint, self.allow_http
            ),
            find_credentials(name, self.profile),
            self.price(),
            s3_lock.Lock(days, self.object_lock_mode) if days else None,
            s3_store.Patience(answer=self.timeout_seconds),
        )


_KINDS: dict[str, type[_Folder | _S3]] = {"folder": _Folder, "s3": _S3}


def open_vaults(settings: Settings, names: Sequence[str] | None = None) -> tuple[Vault, ...]:
    """Return the vaults of the settings, or those of them that `names` names, in that order.

    Without any in the settings, there is one: the folder `backups` beside the book.
    Raises UsageError: UnknownVault, VaultSettingsError, SecretInSettings, ExtraMissing.
    """
    tables = settings.vaults or {
        DEFAULT_NAME: {"kind": "folder", "path": settings.book.parent / DEFAULT_FOLDER}
    }
    wanted = tuple(dict.fromkeys(tables if names is None else names))
    for name in wanted:
        if name not in tables:
            raise UnknownVault(name, tuple(tables))
    return tuple(_parse(name, tables[name]).open(name) for name in wanted)


def _parse(name: str, table: dict[str, Any]) -> _Folder | _S3:
    for key in table:
        if _SECRET.search(key):
            raise SecretInSettings(name, key)
    model = _KINDS.get(str(table.get("kind")))
    if model is None:
        problem = "kind {kind!r} is unknown" if "kind" in table else "the key 'kind' is missing"
        known = " or ".join(map(repr, _KINDS))
        raise VaultSettingsError(name, f"{problem.format(kind=table.get('kind'))}. It is {known}.")
    try:
        return model(**table)
    except ValidationError as error:
        # Its own text may quote the values.
        raise VaultSettingsError(name, _problem(error, model)) from None


def _problem(error: ValidationError, model: type[_Folder | _S3]) -> str:
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    allowed = ", ".join(model.model_fields)
    if first["type"] == "extra_forbidden":
        return f"key {key!r} is unknown. Allowed are: {allowed}."
    if first["type"] == "missing":
        return f"the key {key!r} is missing. Allowed are: {allowed}."
    message = first["msg"].removeprefix("Value error, ")
    return f"key {key!r}: {message}." if key else f"{message}."


def _is_loopback(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
