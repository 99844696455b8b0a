"""How vaults fare: each operation is recorded with its time, duration and outcome."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pnlbook.backup.vaults.vault import ignore
from pnlbook.errors import PnlbookError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pnlbook.backup.vaults.vault import Price, StoredObject, Vault


@dataclass(frozen=True)
class Observation:
    """One operation on a vault: `operation` is put, get, head, list or delete.

    size_bytes: of the object, where the operation tells; error: the sentence, None when it worked.
    """

    vault: str
    operation: str
    started_at: datetime
    seconds: float
    size_bytes: int | None
    error: str | None


def _utc_now() -> datetime:
    return datetime.now(UTC)


def observed(
    vault: Vault, observations: list[Observation], *, clock: Callable[[], datetime] = _utc_now
) -> Vault:
    """Return the vault such that each of its operations is appended to `observations`."""
    return _Observed(vault, observations, clock)


@dataclass
class _Outcome:
    size_bytes: int | None = None


@dataclass(frozen=True)
class _Observed:
    inner: Vault
    observations: list[Observation]
    clock: Callable[[], datetime]

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def kind(self) -> str:
        return self.inner.kind

    @property
    def price(self) -> Price:
        return self.inner.price

    @property
    def permanent(self) -> bool:
        return self.inner.permanent

    def put(self, name: str, path: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        with self._recorded("put") as outcome:
            self.inner.put(name, path, on_bytes)
            outcome.size_bytes = path.stat().st_size

    def get(self, name: str, target: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        with self._recorded("get") as outcome:
            self.inner.get(name, target, on_bytes)
            outcome.size_bytes = target.stat().st_size

    def head(self, name: str) -> int | None:
        with self._recorded("head") as outcome:
            outcome.size_bytes = self.inner.head(name)
            return outcome.size_bytes

    def list(self) -> Iterator[StoredObject]:
        with self._recorded("list"):
            yield from self.inner.list()

    def delete(self, name: str) -> None:
        with self._recorded("delete"):
            self.inner.delete(name)

    @contextmanager
    def _recorded(self, operation: str) -> Iterator[_Outcome]:
        started_at, began = self.clock(), time.monotonic()
        outcome, error = _Outcome(), None
        try:
            yield outcome
        except GeneratorExit:  # a caller has seen enough of a list
            raise
        except BaseException as raised:
            error = _sentence(raised)
            raise
        finally:
            seconds = time.monotonic() - began
            self.observations.append(
                Observation(self.name, operation, started_at, seconds, outcome.size_bytes, error)
            )


def _sentence(error: BaseException) -> str:
    return str(error) if isinstance(error, PnlbookError) else type(error).__name__
