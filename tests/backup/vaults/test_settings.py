"""Vaults from settings: what is taken, and what is said of what is not."""

from __future__ import annotations

import os
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pnlbook.backup.vaults.credentials import CredentialsMissing
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.vaults.s3 import S3Vault
from pnlbook.backup.vaults.s3_lock import Lock
from pnlbook.backup.vaults.settings import (
    _S3,
    ExtraMissing,
    SecretInSettings,
    UnknownVault,
    VaultSettingsError,
    _Folder,
    open_vaults,
)
from pnlbook.backup.vaults.vault import FREE, UNKNOWN_PRICE, Price
from pnlbook.config import Settings, load_settings
from pnlbook.errors import UsageError

pytestmark = pytest.mark.core

SECRET = "wJalr-not-a-real-secret"  # noqa: S105 - that it is shown nowhere is what is tested
FOLDER = {"kind": "folder", "path": "backups"}
BUCKET = {"kind": "s3", "bucket": "pnlbook-backups"}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("AWS_", "PNLBOOK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


def opened(**table: object) -> FolderVault | S3Vault:
    (vault,) = open_vaults(Settings(vaults={"here": table}))
    assert isinstance(vault, FolderVault | S3Vault)
    return vault


def test_without_settings_there_is_a_folder_beside_the_book() -> None:
    (vault,) = open_vaults(Settings(book=Path("data/team.duckdb")))
    assert vault == FolderVault("local", Path("data/backups"), FREE)


def test_a_folder_from_a_file(tmp_path: Path) -> None:
    text = '[vaults.disk]\nkind = "folder"\npath = "deep/backups"\nusd_per_gb = 0.1\n'
    (tmp_path / "pnlbook.toml").write_text(text)
    (vault,) = open_vaults(load_settings(tmp_path))
    price = Price(Decimal("0.1"), None, Decimal(0))
    assert vault == FolderVault("disk", tmp_path / "deep/backups", price)


def test_a_bucket() -> None:
    vault = opened(
        **BUCKET,
        prefix="team/books/",
        region="eu-central-1",
        endpoint="https://s3.example.com",
        object_lock_days=30,
        object_lock_mode="compliance",
        timeout_seconds=5,
        usd_per_gb_month=0.023,
        months=12,
    )
    assert isinstance(vault, S3Vault)
    assert (vault.name, vault.kind, vault.permanent) == ("here", "s3", False)
    assert (vault.place.prefix, vault.place.region) == ("team/books", "eu-central-1")
    assert vault.place.endpoint == "https://s3.example.com"
    assert (vault.lock, vault.patience.answer) == (Lock(30, "compliance"), 5)
    assert vault.price.cost(10**9) == Decimal("0.276")
    assert SECRET not in repr(vault)


def test_the_price_of_a_bucket_is_unknown() -> None:
    assert opened(**BUCKET).price == UNKNOWN_PRICE


def test_names_choose_and_order() -> None:
    settings = Settings(vaults={"a": FOLDER, "b": FOLDER, "c": FOLDER})
    assert [vault.name for vault in open_vaults(settings)] == ["a", "b", "c"]
    assert [vault.name for vault in open_vaults(settings, ["c", "a", "c"])] == ["c", "a"]
    assert open_vaults(settings, []) == ()
    with pytest.raises(UnknownVault, match=r"no vault 'd' in the settings\. There are: a, b, c\."):
        open_vaults(settings, ["a", "d"])


def test_a_vault_not_asked_for_may_be_wrong() -> None:
    settings = Settings(vaults={"a": FOLDER, "b": {"kind": "carrier pigeon"}})
    assert [vault.name for vault in open_vaults(settings, ["a"])] == ["a"]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "the key 'kind' is missing. It is 'folder' or 's3'."),
        ({"kind": "arweave"}, "kind 'arweave' is unknown. It is 'folder' or 's3'."),
        ({"kind": ["s3"]}, "kind ['s3'] is unknown."),
        ({"kind": "folder"}, "the key 'path' is missing. Allowed are: "),
        (FOLDER | {"pth": "x"}, "key 'pth' is unknown. Allowed are: "),
        (FOLDER | {"path": 5}, "key 'path': "),
        (FOLDER | {"usd_per_gb": -1}, "key 'usd_per_gb': "),
        (FOLDER | {"usd_per_gb": "nan"}, "key 'usd_per_gb': "),
        (FOLDER | {"usd_per_gb_month": 1}, "'usd_per_gb_month' needs 'months'"),
        (FOLDER | {"bucket": "b"}, "key 'bucket' is unknown."),
        ({"kind": "s3"}, "the key 'bucket' is missing. Allowed are: "),
        (BUCKET | {"bucket": "Not A Bucket"}, "key 'bucket': "),
        (BUCKET | {"prefix": "a/../b"}, "key 'prefix': "),
        (BUCKET | {"prefix": "/a"}, "key 'prefix': "),
        (BUCKET | {"region": "eu central"}, "key 'region': "),
        (BUCKET | {"endpoint": "s3.example.com"}, "key 'endpoint': write it as https://host"),
        (BUCKET | {"endpoint": "ftp://example.com"}, "key 'endpoint': write it as https://host"),
        (BUCKET | {"endpoint": f"https://me:{SECRET}@example.com"}, "it must name a host alone"),
        (BUCKET | {"endpoint": f"https://example.com/?k={SECRET}"}, "it must name a host alone"),
        (BUCKET | {"endpoint": "http://127.0.0.1:9000"}, "unless 'allow_http' is true"),
        (BUCKET | {"endpoint": "HTTP://127.0.0.1:9000"}, "unless 'allow_http' is true"),
        (BUCKET | {"allow_http": True}, "on this machine alone"),
        (BUCKET | {"allow_http": True, "endpoint": "http://example.com"}, "this machine alone"),
        (BUCKET | {"allow_http": True, "endpoint": "http://10.0.0.1"}, "this machine alone"),
        (BUCKET | {"object_lock_days": 0}, "key 'object_lock_days': "),
        (BUCKET | {"object_lock_mode": "strict"}, "key 'object_lock_mode': "),
        (BUCKET | {"timeout_seconds": 0}, "key 'timeout_seconds': "),
    ],
)
def test_wrong_settings(table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(VaultSettingsError) as raised:
        opened(**table)
    said = str(raised.value)
    assert said.startswith("vault here: ")
    assert sentence in said
    assert said.endswith(".")
    assert raised.value.exit_code == 2
    assert SECRET not in said + repr(raised.value.__cause__) + repr(raised.value.__context__)


@pytest.mark.parametrize(
    "key",
    ["access_key_id", "secret_access_key", "aws_secret_access_key", "session_token", "password"],
)
@pytest.mark.parametrize("table", [FOLDER, BUCKET, {"kind": "arweave"}])
def test_secrets_do_not_stand_in_settings(table: dict[str, Any], key: str) -> None:
    with pytest.raises(SecretInSettings, match="AWS_SECRET_ACCESS_KEY") as raised:
        opened(**table, **{key: SECRET})
    assert f"vault here: {key!r} must not stand in the settings" in str(raised.value)
    assert SECRET not in repr(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost", "[::1]:9000"])
def test_plain_http_on_this_machine(host: str) -> None:
    vault = opened(**BUCKET, endpoint=f"http://{host}", allow_http=True)
    assert isinstance(vault, S3Vault)
    assert vault.place.allow_http


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CredentialsMissing, match="vault here: no credentials in the environment"):
        opened(**BUCKET)


def test_the_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("pnlbook.backup.vaults.s3")]:
        monkeypatch.delitem(sys.modules, name)
    import pnlbook.backup.vaults as package  # noqa: PLC0415 - the package forgets its part, too

    monkeypatch.delattr(package, "s3", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    assert isinstance(opened(**FOLDER), FolderVault)
    with pytest.raises(ExtraMissing, match=r"vault here: .*pip install 'pnlbook\[s3\]'") as raised:
        opened(**BUCKET)
    assert isinstance(raised.value, UsageError)


def test_the_examples_of_the_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[3] / "docs" / "vaults.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "pnlbook.toml").write_text("".join(examples))
    (tmp_path / "credentials").write_text(
        "[garage]\naws_access_key_id=k\naws_secret_access_key=s\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    vaults = {vault.name: vault for vault in open_vaults(load_settings(tmp_path))}
    assert list(vaults) == ["usb", "cloud", "garage", "locked", "priced"]
    assert vaults["priced"].price.cost(250_000_000) == Decimal("0.07025")
    assert vaults["usb"].price.cost(250_000_000) == 0
    assert vaults["cloud"].price.cost(250_000_000) is None


def test_every_key_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "vaults.md").read_text(encoding="utf-8")
    for table in (_Folder, _S3):
        for key in table.model_fields:
            assert f"`{key}`" in text or f"{key} = " in text
