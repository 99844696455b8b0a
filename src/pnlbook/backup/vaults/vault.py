"""What every vault can do; sizes are in bytes, times in UTC, prices in US dollars.

An object's name is the 64 lower-case hexadecimal digits of the SHA-256 of its bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Protocol

from pnlbook.backup.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

ZERO = Decimal(0)
_GIGABYTE = Decimal(10**9)
_COST_STEP = Decimal("1e-12")
_NAME = re.compile(r"[0-9a-f]{64}")


class NotAName(VaultError):
    """What was asked for cannot be the name of an object."""

    def __init__(self, vault: str, name: str) -> None:
        super().__init__(
            vault, f"{name!r} names no object. A name is 64 lower-case hexadecimal digits."
        )


class ObjectMissing(VaultError):
    """The vault does not show an object of that name."""

    def __init__(self, vault: str, name: str) -> None:
        super().__init__(
            vault,
            f"object {name} is not to be seen there. Fetch it from another vault, or try later.",
        )


class DamagedThere(VaultError):
    """Another object stands under the name: `found` bytes of it, where there must be `size`."""

    def __init__(self, vault: str, name: str, found: int, size: int) -> None:
        super().__init__(
            vault,
            f"object {name} is damaged there: it has {found} bytes instead of {size}. "
            "Move it away there, then send it again.",
        )


class WrongLength(VaultError):
    """An answer was shorter or longer than the vault had said."""

    def __init__(self, vault: str, name: str, received: int, size: int) -> None:
        super().__init__(
            vault,
            f"object {name} came with {received} bytes instead of {size}. "
            "Try again, or fetch it from another vault.",
        )


class CannotDelete(VaultError):
    """The vault keeps the object, for `reason`."""

    def __init__(self, vault: str, name: str, reason: str) -> None:
        super().__init__(vault, f"object {name} cannot be deleted: {reason}.")


@dataclass(frozen=True)
class Price:
    """What keeping a gigabyte (1e9 bytes) costs: once, and a month for `months` months.

    A charge that is None is not levied, or not known; when both are None, no price is known.
    """

    usd_per_gb: Decimal | None
    usd_per_gb_month: Decimal | None
    months: Decimal

    def cost(self, size_bytes: int) -> Decimal | None:
        """Return the US dollars for an object of that size, or None when no price is known."""
        if self.usd_per_gb is None and self.usd_per_gb_month is None:
            return None
        for_a_gigabyte = (self.usd_per_gb or ZERO) + (self.usd_per_gb_month or ZERO) * self.months
        return (size_bytes * for_a_gigabyte / _GIGABYTE).quantize(_COST_STEP, ROUND_HALF_UP)


FREE = Price(ZERO, None, ZERO)
UNKNOWN_PRICE = Price(None, None, ZERO)


@dataclass(frozen=True)
class StoredObject:
    """An object as a vault lists it; `modified_at` is when the vault received it."""

    name: str
    size: int
    modified_at: datetime


def ignore(count: int) -> None:
    """Take note of no progress."""
    _ = count


class Vault(Protocol):
    """A place for objects; each method raises VaultError when the vault fails.

    `on_bytes` is called with the number of bytes that have gone over since its last call.
    """

    @property
    def name(self) -> str:
        """What the settings call it."""

    @property
    def kind(self) -> str:
        """Its kind, as in the settings."""

    @property
    def price(self) -> Price:
        """What it charges."""

    @property
    def permanent(self) -> bool:
        """Whether what is in it stays for ever."""

    def put(self, name: str, path: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        """Store the file at `path`; an equal object that is there already is left alone.

        Nothing is visible under the name before all of it is there, and nothing is replaced.
        Raises DamagedThere when an object of another size has the name.
        """

    def get(self, name: str, target: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        """Write the object to a new file of mode 0600; its hash is for the caller to verify.

        Raises ObjectMissing, and WrongLength; no file is left then.
        """

    def head(self, name: str) -> int | None:
        """Return the object's size, or None when it is not seen: unknown, not gone."""

    def list(self) -> Iterator[StoredObject]:
        """Yield every object once; what has no object's name is left out."""

    def delete(self, name: str) -> None:
        """Delete the object, if it is there. Raises CannotDelete where that is not possible."""


def is_name(text: str) -> bool:
    """Return whether `text` can be the name of an object."""
    return _NAME.fullmatch(text) is not None


def check_name(vault: str, name: str) -> None:
    """Raise NotAName unless `name` can be the name of an object."""
    if not is_name(name):
        raise NotAName(vault, name)


def holds(vault: Vault, name: str, size: int) -> bool:
    """Return whether the vault shows the object. Raises DamagedThere when its size is another."""
    found = vault.head(name)
    if found is not None and found != size:
        raise DamagedThere(vault.name, name, found, size)
    return found is not None


def exactly(
    vault: str, name: str, pieces: Iterable[bytes], size: int, on_bytes: Callable[[int], None]
) -> Iterator[bytes]:
    """Pass the pieces on. Raises WrongLength unless they have `size` bytes together."""
    received = 0
    for piece in pieces:
        received += len(piece)
        if received > size:
            break
        yield piece
        on_bytes(len(piece))
    if received != size:
        raise WrongLength(vault, name, received, size)
