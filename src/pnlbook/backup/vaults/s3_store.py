"""How a bucket is reached: where it is, and how long to wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

    from pnlbook.backup.vaults.credentials import Credentials

_LONGEST_REQUEST = timedelta(days=1)  # a large object may come slowly, as long as it comes


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, how often and how long to try; times in seconds."""

    answer: float = 120.0
    retries: int = 6
    first_pause: float = 0.25
    longest_pause: float = 15.0
    altogether: float = 180.0

    def as_config(self) -> RetryConfig:
        """Return what obstore takes."""
        return {
            "max_retries": self.retries,
            "retry_timeout": timedelta(seconds=self.altogether),
            "backoff": {
                "init_backoff": timedelta(seconds=self.first_pause),
                "max_backoff": timedelta(seconds=self.longest_pause),
                "base": 2,
            },
        }


@dataclass(frozen=True)
class Place:
    """Where objects are: keys are `<prefix>/<name>`; without an endpoint, at Amazon's."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    allow_http: bool = False


def open_store(
    place: Place,
    patience: Patience,
    credentials: Credentials | None,
    headers: dict[str, str] | None = None,
) -> S3Store:
    """Return the store at the place; `headers` go with each request, signed."""
    config: S3Config = {"skip_signature": False}
    if place.region is not None:
        config["region"] = place.region
    if place.endpoint is not None:
        config["endpoint"] = place.endpoint
    options: ClientConfig = {
        "allow_http": place.allow_http,
        "allow_invalid_certificates": False,
        "timeout": _LONGEST_REQUEST,
        "read_timeout": timedelta(seconds=patience.answer),
    }
    if headers:
        config["checksum_algorithm"] = "SHA256"
        options["default_headers"] = headers
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        config=config,
        client_options=options,
        retry_config=patience.as_config(),
        credential_provider=credentials,
    )
