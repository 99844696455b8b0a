"""Object lock: S3 keeps an object for a number of days, whoever asks to delete it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
obstore sets the lock but does not show it; a signed request for the headers does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pnlbook.backup.errors import VaultError

URL_LIFE = timedelta(minutes=15)
_UNTIL = "x-amz-object-lock-retain-until-date"
_PASSING = (429, 500, 502, 503, 504)
_CLOCKS_DIFFER = timedelta(hours=1)  # S3 refuses requests of clocks that differ by more


class NotLocked(VaultError):
    """The object is there, but may be deleted too early."""

    def __init__(self, vault: str, name: str, days: int) -> None:
        super().__init__(
            vault,
            f"object {name} is stored but not locked for {days} days. Give the bucket a default "
            "retention of as many days (docs/vaults.md), and allow s3:GetObjectRetention.",
        )


class LockUnknown(VaultError):
    """S3 did not say whether the object is locked."""

    def __init__(self, vault: str, reason: str) -> None:
        super().__init__(
            vault, f"it does not say how long an object is locked ({reason}). Try again later."
        )


@dataclass(frozen=True)
class Lock:
    """How long each object is kept; mode: governance (a permission lifts it) or compliance."""

    days: int
    mode: str = "governance"

    def headers(self) -> dict[str, str]:
        """Return the headers of a request that stores an object now."""
        until = datetime.now(UTC) + timedelta(days=self.days)
        return {
            "x-amz-object-lock-mode": self.mode.upper(),
            _UNTIL: f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "x-amz-sdk-checksum-algorithm": "SHA256",  # a locked object must come with a checksum
        }


@dataclass(frozen=True)
class LockState:
    """When an object was stored, and until when it is kept: None when S3 names no time."""

    stored_at: datetime
    until: datetime | None


def read_state(vault: str, url: str, timeout: float, retries: int) -> LockState:
    """Ask for the headers of the object at a signed URL. Raises LockUnknown."""
    retry = Retry(retries, status_forcelist=_PASSING, backoff_factor=0.1, raise_on_status=False)
    try:
        with requests.Session() as session:
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(max_retries=retry))
            answer = session.head(url, timeout=timeout)
    except requests.RequestException as error:
        # What it says quotes the URL, and with it the signature.
        raise LockUnknown(vault, type(error).__name__) from None
    if not answer.ok:
        raise LockUnknown(vault, f"HTTP {answer.status_code}")
    return _state(answer.headers.get("Last-Modified"), answer.headers.get(_UNTIL))


def check(vault: str, name: str, lock: Lock, state: LockState) -> None:
    """Raise NotLocked unless the object is kept for the days of the lock since it was stored."""
    due = state.stored_at + timedelta(days=lock.days) - _CLOCKS_DIFFER
    if state.until is None or state.until < due:
        raise NotLocked(vault, name, lock.days)


def _state(modified: str | None, until: str | None) -> LockState:
    stored_at = parsedate_to_datetime(modified) if modified else datetime.now(UTC)
    return LockState(stored_at, datetime.fromisoformat(until) if until else None)
