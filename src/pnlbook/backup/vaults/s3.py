"""A bucket of S3, or of a store that speaks its language, as a vault; one key an object.

Requests that fail in passing (429, 500, 503, a broken connection) are sent again, ever slower.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from pnlbook.backup.errors import VaultError
from pnlbook.backup.vaults import files, s3_lock
from pnlbook.backup.vaults.s3_errors import S3Failed, is_broken, is_no_bucket
from pnlbook.backup.vaults.s3_store import Patience, Place, open_store
from pnlbook.backup.vaults.vault import (
    UNKNOWN_PRICE,
    CannotDelete,
    ObjectMissing,
    Price,
    StoredObject,
    check_name,
    exactly,
    holds,
    ignore,
    is_name,
)
from pnlbook.backup.vaults.waiting import wait_for, wait_for_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from obstore import GetResult, ObjectMeta
    from obstore.store import S3Store

    from pnlbook.backup.vaults.credentials import Credentials

T = TypeVar("T")

MULTIPART_FROM = 8 << 20  # bytes; less goes in one request, which S3 can make conditional
_PART = 5 << 20  # the least that S3 takes
_MOST_PARTS = 9_000  # S3 takes 10,000
_AT_ONCE = 4
_SOME_REPEATS = 1_000


class ListingGoesRound(VaultError):
    """The vault lists the same objects again and again."""

    def __init__(self, vault: str) -> None:
        super().__init__(vault, "its listing repeats itself without end. Try again later.")


class PutUnseen(VaultError):
    """What was sent, and accepted, is not to be seen."""

    def __init__(self, vault: str, name: str) -> None:
        super().__init__(vault, f"object {name} was sent but is not to be seen. Send it again.")


@dataclass(frozen=True)
class S3Vault:
    """Objects in a bucket; with a lock, each is kept for its days from when it was put."""

    name: str
    place: Place
    credentials: Credentials | None = None
    price: Price = UNKNOWN_PRICE
    lock: s3_lock.Lock | None = None
    patience: Patience = field(default_factory=Patience)
    kind: ClassVar[str] = "s3"
    permanent: ClassVar[bool] = False

    def put(self, name: str, path: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        """Store the file at `path`; S3 shows an object when all of it is there."""
        size = files.size_of(path)
        if size >= MULTIPART_FROM:
            self._send_in_parts(name, path, size, on_bytes)
        elif not holds(self, name, size):
            self._send_at_once(name, path, size, on_bytes)
        if self.lock is not None:
            s3_lock.check(self.name, name, self.lock, self._lock_state(name))

    def get(self, name: str, target: Path, on_bytes: Callable[[int], None] = ignore) -> None:
        """Fetch the object into a new file."""
        answer = self._ask(name, obstore.get)
        if answer is None:
            raise ObjectMissing(self.name, name)
        size = answer.meta["size"]
        files.save(target, exactly(self.name, name, self._body(answer), size, on_bytes))

    def head(self, name: str) -> int | None:
        """Return the object's size, or None when S3 does not show it."""
        meta = self._ask(name, obstore.head)
        return None if meta is None else meta["size"]

    def list(self) -> Iterator[StoredObject]:
        """Yield the objects as S3 lists them, each once."""
        seen: set[str] = set()
        repeats = 0
        for meta in self._listed():
            path = meta["path"]
            repeats += path in seen
            if repeats > len(seen) + _SOME_REPEATS:
                raise ListingGoesRound(self.name)
            if is_name(path) and path not in seen:
                yield StoredObject(path, meta["size"], meta["last_modified"])
            seen.add(path)

    def delete(self, name: str) -> None:
        """Delete the object; where the bucket keeps versions, that hides it."""
        if self.lock is not None:
            if self.head(name) is None:
                return
            until = self._lock_state(name).until
            if until is not None and until > datetime.now(UTC):
                raise CannotDelete(self.name, name, f"it is locked until {until:%Y-%m-%d}")
        check_name(self.name, name)
        with self._translated():
            self._persist(lambda: obstore.delete(self._store, name))

    def _send_at_once(
        self, name: str, path: Path, size: int, on_bytes: Callable[[int], None]
    ) -> None:
        data = b"".join(files.read(path, size, ignore))
        with self._translated():
            try:
                self._persist(lambda: obstore.put(self._writer(), name, data, mode="create"))
            except AlreadyExistsError:  # by another put, or by ours whose answer was lost
                if not holds(self, name, size):
                    raise
        on_bytes(size)

    def _send_in_parts(
        self, name: str, path: Path, size: int, on_bytes: Callable[[int], None]
    ) -> None:
        # Not conditional: two that meet here bring the same bytes.
        part = max(_PART, -(-size // _MOST_PARTS))
        tell = _Furthest(on_bytes)

        def send() -> None:
            if not holds(self, name, size):
                pieces = files.read(path, size, tell.start(), piece=part)
                obstore.put(
                    self._writer(),
                    name,
                    pieces,
                    use_multipart=True,
                    chunk_size=part,
                    max_concurrency=_AT_ONCE,
                )

        with self._translated():
            self._persist(send)
        if not holds(self, name, size):
            raise PutUnseen(self.name, name)

    def _ask(self, name: str, question: Callable[[S3Store, str], T]) -> T | None:
        """Return the answer, or None when S3 does not show the object."""
        check_name(self.name, name)
        with self._translated():
            try:
                return wait_for(lambda: question(self._store, name))
            except FileNotFoundError as error:
                if is_no_bucket(error):
                    raise
                return None

    def _body(self, answer: GetResult) -> Iterator[bytes]:
        with self._translated():
            for piece in wait_for_each(answer.stream(min_chunk_size=files.PIECE)):
                yield bytes(piece)

    def _listed(self) -> Iterator[ObjectMeta]:
        with self._translated():
            for page in wait_for_each(obstore.list(self._store)):
                yield from page

    def _lock_state(self, name: str) -> s3_lock.LockState:
        with self._translated():
            url = obstore.sign(self._store, "HEAD", name, s3_lock.URL_LIFE)
        return s3_lock.read_state(self.name, url, self.patience.answer, self.patience.retries)

    def _persist(self, action: Callable[[], object]) -> None:
        """Repeat what got no answer: obstore cannot know that these requests bear it."""
        began, pause = time.monotonic(), self.patience.first_pause
        for left in reversed(range(self.patience.retries + 1)):
            try:
                wait_for(action)
            except (BaseError, FileNotFoundError) as error:
                late = time.monotonic() - began > self.patience.altogether
                if not left or late or not is_broken(error):
                    raise
            else:
                return
            time.sleep(pause)
            pause = min(pause * 2, self.patience.longest_pause)

    @cached_property
    def _store(self) -> S3Store:
        return open_store(self.place, self.patience, self.credentials)

    def _writer(self) -> S3Store:
        if self.lock is None:
            return self._store
        return open_store(self.place, self.patience, self.credentials, self.lock.headers())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise S3Failed(self.name, self.place.bucket, error) from error


class _Furthest:
    """Tells of bytes once, though a transfer may begin again."""

    def __init__(self, on_bytes: Callable[[int], None]) -> None:
        self._on_bytes = on_bytes
        self._furthest = 0

    def start(self) -> Callable[[int], None]:
        """Return what a transfer from the first byte on is to call."""
        position = 0

        def moved(count: int) -> None:
            nonlocal position
            position += count
            if position > self._furthest:
                self._on_bytes(position - self._furthest)
                self._furthest = position

        return moved
