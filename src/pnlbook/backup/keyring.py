"""Backup keys: 32 random bytes each, from `BACKUP_ENCRYPTION_KEY` and from a keyring file.

The file is JSON of mode 0600. Under `BACKUP_KEYRING_PASSPHRASE` each key in it is encrypted by
AES-256-GCM, with its id as associated data, and scrypt of the passphrase as the encryption key.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import re
import shlex
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from pnlbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

KEY_VARIABLE = "BACKUP_ENCRYPTION_KEY"
PASSPHRASE_VARIABLE = "BACKUP_KEYRING_PASSPHRASE"  # noqa: S105 - the name, not the passphrase
KEY_BYTES = 32

_ID_MESSAGE = b"pnlbook backup key id"
_ID_DIGITS = 16
_NONCE_BYTES = 12
_SALT_BYTES = 16
_HEX_KEY = re.compile(r"[0-9a-fA-F]{64}")


class NoKeys(UsageError):
    """There is no backup key at all; `path` is the keyring file that was looked at."""

    def __init__(self, path: Path | None = None) -> None:
        where = f"in {path} or {KEY_VARIABLE}" if path else "at hand"
        super().__init__(
            f"there is no backup key {where}. Make one with "
            "'pnlbook keys new', or bring one in from its sheet with 'pnlbook keys import'."
        )


class KeyMalformed(UsageError):
    """A key is not written as one; `where` is where it stands."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"{where} is not a key: a key is 64 hexadecimal digits. "
            "Take it from its recovery sheet, or from 'pnlbook keys export'."
        )


class KeyringExposed(UsageError):
    """Others may read or write the keyring file."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(
            f"others have access to the keys in {path} (mode {mode:03o}). "
            f"Run 'chmod 600 {shlex.quote(str(path))}', and consider who has read it by now."
        )


class KeyringUnreadable(UsageError):
    """The keyring file is no keyring, or has been changed."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"cannot use the keyring {path}: {problem}. Put its backup in its place, or move it "
            "away and bring its keys in from their recovery sheets with 'pnlbook keys import'."
        )


class PassphraseMissing(UsageError):
    """The keyring is under a passphrase that was not given."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the keyring {path} is under a passphrase. Set {PASSPHRASE_VARIABLE}.")


class PassphraseWrong(UsageError):
    """The passphrase does not open the keyring."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the passphrase does not open the keyring {path}. Correct {PASSPHRASE_VARIABLE}, or "
            "move the file away and bring its keys in from their recovery sheets with "
            "'pnlbook keys import'."
        )


@dataclass(frozen=True)
class Key:
    """A key of 32 bytes, its public id of 16 hex digits, and when it was made, where known."""

    id: str
    secret: bytes = field(repr=False)
    created_at: datetime | None = None

    @classmethod
    def of(cls, secret: bytes, created_at: datetime | None = None) -> Key:
        """Return the key of that secret, under the id that follows from it."""
        digest = hmac.digest(secret, _ID_MESSAGE, "sha256")
        return cls(digest.hex()[:_ID_DIGITS], secret, created_at)


class Keyring:
    """Keys by id, newest first: all open objects, and the active one makes them.

    `active` is the newest unless it is given; a key of unknown age counts as the oldest.
    """

    def __init__(self, keys: Sequence[Key], active: Key | None = None) -> None:
        by_id = {key.id: key for key in (*([active] if active else []), *keys)}
        self.keys = tuple(sorted(by_id.values(), key=_age, reverse=True))
        self._active = active

    @property
    def active(self) -> Key:
        """The key that makes objects. Raises NoKeys when the ring is empty."""
        if not self.keys:
            raise NoKeys
        return self._active or self.keys[0]

    def find(self, key_id: str) -> Key | None:
        """Return the key of that id, or None when it is not at hand."""
        return next((key for key in self.keys if key.id == key_id), None)


class _Entry(BaseModel):
    """A key in the file: `secret` in hex, bare or as nonce and ciphertext."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: str = Field(pattern=r"^[0-9a-f]{16}$")
    created_at: AwareDatetime | None = None
    secret: str = Field(pattern=r"^([0-9a-f]{64}|[0-9a-f]{120})$")


class _Protection(BaseModel):
    """How the passphrase becomes the encryption key; limits keep a changed file harmless."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kdf: Literal["scrypt"] = "scrypt"
    n: Literal[32768] = 32768
    r: Literal[8] = 8
    p: Literal[1] = 1
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")

    def cipher(self, passphrase: str) -> AESGCM:
        """Return the cipher that the passphrase leads to."""
        kdf = Scrypt(salt=bytes.fromhex(self.salt), length=KEY_BYTES, n=self.n, r=self.r, p=self.p)
        return AESGCM(kdf.derive(passphrase.encode()))


class _File(BaseModel):
    """What the keyring file holds."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    format: Literal[1] = 1
    protection: _Protection | None = None
    keys: list[_Entry] = []


def load_keyring(path: Path, environment: Mapping[str, str] = os.environ) -> Keyring:
    """Return the keys of the environment and of the file at `path`.

    The key of the environment is the active one. Raises NoKeys, KeyMalformed, KeyringExposed,
    KeyringUnreadable, PassphraseMissing, PassphraseWrong.
    """
    given = environment_key(environment)
    kept = file_keys(path, environment)
    if not kept and given is None:
        raise NoKeys(path)
    same = next((key for key in kept if given and key.id == given.id), given)
    return Keyring(kept, active=same)


def environment_key(environment: Mapping[str, str] = os.environ) -> Key | None:
    """Return the key in `BACKUP_ENCRYPTION_KEY`, or None when it is unset or empty."""
    text = environment.get(KEY_VARIABLE, "").strip()
    return Key.of(parse_key(text, f"the value of {KEY_VARIABLE}")) if text else None


def file_keys(path: Path, environment: Mapping[str, str] = os.environ) -> list[Key]:
    """Return the keys of the keyring file, oldest first; none when there is no file."""
    stored = _read(path)
    if not stored.keys:
        return []
    return sorted(_opened(path, stored, environment), key=_age)


def parse_key(text: str, where: str) -> bytes:
    """Return the 32 bytes that 64 hex digits stand for; raise KeyMalformed without the value."""
    if not _HEX_KEY.fullmatch(text):
        raise KeyMalformed(where)
    return bytes.fromhex(text)


def new_key(path: Path, environment: Mapping[str, str] = os.environ) -> Key:
    """Make a key and add it to the keyring file, which is made where there is none.

    With `BACKUP_KEYRING_PASSPHRASE` set, all keys of the file are under that passphrase from then
    on. Raises what `load_keyring` raises, but for NoKeys.
    """
    key = Key.of(os.urandom(KEY_BYTES), datetime.now(UTC).replace(microsecond=0))
    add_key(path, key, environment)
    return key


def add_key(path: Path, key: Key, environment: Mapping[str, str] = os.environ) -> bool:
    """Add a key to the keyring file, as `new_key` does; return False when it is there already."""
    path = path.resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path.parent):
        kept = file_keys(path, environment)
        if any(other.id == key.id for other in kept):
            return False
        _replace(path, _closed([*kept, key], environment).model_dump_json(indent=2) + "\n")
    return True


def _age(key: Key) -> datetime:
    return key.created_at or datetime.min.replace(tzinfo=UTC)


def _read(path: Path) -> _File:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyringExposed(path, mode)
            return _File.model_validate_json(file.read())
    except FileNotFoundError:
        return _File()
    except OSError as error:
        raise KeyringUnreadable(path, str(error.strerror)) from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise KeyringUnreadable(path, f"{place}: {first['msg']}".lstrip(": ")) from None


def _opened(path: Path, stored: _File, environment: Mapping[str, str]) -> Iterator[Key]:
    """Yield the keys of the file; each must have the id that follows from it."""
    cipher = None
    if stored.protection:
        passphrase = environment.get(PASSPHRASE_VARIABLE)
        if not passphrase:
            raise PassphraseMissing(path)
        cipher = stored.protection.cipher(passphrase)
    for entry in stored.keys:
        secret = bytes.fromhex(entry.secret)
        if cipher:
            secret = _decrypted(path, cipher, secret, entry.id)
        key = Key.of(secret, entry.created_at)
        if not hmac.compare_digest(key.id, entry.id):
            raise KeyringUnreadable(path, f"key {entry.id} is not the one that was stored")
        yield key


def _decrypted(path: Path, cipher: AESGCM, sealed: bytes, key_id: str) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], key_id.encode())
    except InvalidTag:
        raise PassphraseWrong(path) from None


def _closed(keys: Sequence[Key], environment: Mapping[str, str]) -> _File:
    """Return the file of these keys, under the passphrase when one is set."""
    passphrase = environment.get(PASSPHRASE_VARIABLE)
    protection = _Protection(salt=os.urandom(_SALT_BYTES).hex()) if passphrase else None
    cipher = protection.cipher(passphrase) if protection and passphrase else None

    def entry(key: Key) -> _Entry:
        secret = key.secret
        if cipher:
            nonce = os.urandom(_NONCE_BYTES)
            secret = nonce + cipher.encrypt(nonce, secret, key.id.encode())
        return _Entry(id=key.id, created_at=key.created_at, secret=secret.hex())

    return _File(protection=protection, keys=[entry(key) for key in keys])


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time change what is in the folder."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    """Put a whole new file of mode 0600 in the place of `path`."""
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
