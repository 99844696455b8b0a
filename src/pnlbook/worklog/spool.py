"""The spool: a folder outside the book with files of JSON lines, each written by one process.

A file is locked while its writer lives, so that a reader knows whether a torn last line is final.
Nothing here breaks the program that logs: what cannot be written is counted, a warning says so
once, and the next entry that can be written tells the book how many were lost before it.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import os
import sys
import threading
import time
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, NamedTuple

from pnlbook.worklog.entries import encode, new_id, now

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFIX = ".jsonl"
_DAY = 86_400
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_REASON = 1000  # characters


class Policy(NamedTuple):
    """When entries reach the file and the disk, and when another file is begun.

    flush: `record`, each call writes its entry, which then survives the end of the process;
    `batch`, entries are held until `batch_records` or `batch_seconds` are reached or a session is
    completed. fsync, which makes them survive a power failure: `record`, of each; `batch`, when
    `batch_seconds` have passed since the last and when a session is completed; or `never`.
    rotate_bytes: size from which on another file is begun; so is one every day (UTC).
    text_limit: characters of one text that are kept.
    """

    flush: Literal["record", "batch"] = "record"
    fsync: Literal["record", "batch", "never"] = "batch"
    batch_records: int = 256
    batch_seconds: float = 1.0
    rotate_bytes: int = 64 << 20
    text_limit: int = 100_000


def default_folder() -> str:
    """Return PNLBOOK_SPOOL, else the place for the state of programs."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    return os.environ.get("PNLBOOK_SPOOL") or f"{state}/pnlbook/spool"


def is_live(path: str | os.PathLike[str]) -> bool:
    """Whether the writer of a file lives, or may live where locks are not to be had."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


class Spool:
    """Where the entries of this process go.

    header: returns the first entry of each file. A file that vanishes is made anew; after a fork
    the child begins its own.
    """

    def __init__(self, folder: str, policy: Policy, header: Callable[[], bytes]) -> None:
        self.folder = folder
        self.policy = policy
        self._header = header
        self._at_once = policy.flush == "record"
        self._syncs = policy.fsync != "never"
        self._begin()
        with _forking:
            _spools.add(self)

    def _begin(self) -> None:
        self.lost = 0
        self.path: str | None = None
        self.lock = threading.RLock()
        self._file = -1
        self._empty = self._torn = self._named = False
        self._until = 0  # the second at which the file's day ends
        self._pending: list[bytes] = []
        self._pending_since: float | None = None
        self._flushing = False
        self._unsynced_since: float | None = None
        self._untold: tuple[int, int, str] | None = None
        self._warned: set[str] = set()
        self._unsaid: list[str] = []

    def append(self, line: bytes, *, settle: bool = False) -> None:
        """Append an entry. settle: and do what was put off, as the policy allows."""
        try:
            self._pending.append(line)  # one thread may so write the entries of all that wait
            if self._at_once or settle or self._is_due():
                with self.lock:
                    self._flush()
                    if self._syncs:
                        self._sync(settle=settle)
        except Exception as error:  # noqa: BLE001 - the program that logs goes on
            self._warn_of_defect(error)
        if self._unsaid:
            self._say()

    def flush(self) -> None:
        """Write what is held."""
        self._safely(self._flush)

    def close(self) -> None:
        """Write and sync what is held, and end the file; a later entry begins another."""
        self._safely(self._close)

    def lose(self, count: int, reason: str) -> None:
        """Count entries that cannot be written."""
        self._safely(self._lose, count, reason)

    def warn(self, kind: str, sentence: str) -> None:
        """Say something once."""
        self._safely(self._warn, kind, sentence)

    def _safely(self, action: Callable[..., None], *arguments: object) -> None:
        try:
            with self.lock:
                action(*arguments)
        except Exception as error:  # noqa: BLE001 - as above
            self._warn_of_defect(error)
        if self._unsaid:
            self._say()

    def _say(self) -> None:
        """Tell warnings; without the lock, as another thread may log by way of a handler."""
        with self.lock:
            sentences, self._unsaid = self._unsaid, []
        try:
            import logging  # noqa: PLC0415 - most runs have nothing to warn of

            for sentence in sentences:
                logging.getLogger(LOGGER_NAME).warning(sentence)
        except Exception:  # noqa: BLE001, S110 - a program's own handler may raise, or be gone
            pass

    def _warn(self, kind: str, sentence: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            self._unsaid.append(sentence)

    def _warn_of_defect(self, error: Exception) -> None:
        self._warn("defect", f"the work log failed ({type(error).__name__}: {error})")

    def _lose(self, count: int, reason: str) -> None:
        told, since, _ = self._untold or (0, now(), "")
        self._untold = told + count, since, reason[:_REASON]
        self.lost += count
        self._warn(
            "lost",
            f"cannot write to the spool of work logs {self.folder}: {reason}. "
            "Records are lost until it can be written again.",
        )

    def _close(self) -> None:
        self._flush()
        self._sync(settle=True)
        self._end_file()

    def _is_due(self) -> bool:
        """Whether the entries that are held are to be written, which one was just added to."""
        since = self._pending_since  # which another thread may forget meanwhile
        if since is None:
            since = self._pending_since = time.monotonic()
            _close_with_process()
        if len(self._pending) >= self.policy.batch_records:
            return True
        return time.monotonic() - since >= self.policy.batch_seconds

    def _flush(self) -> None:
        # An entry made while another is written (a signal handler's) is written after it. An
        # interrupt between the writing and the forgetting writes entries twice: their ids tell.
        if self._flushing:
            return
        self._flushing = True
        self._pending_since = None  # before: what is added from here on has a beginning of its own
        try:
            while count := len(self._pending):
                data = b"".join(self._pending[:count])
                try:
                    self._put(data)
                except OSError as error:
                    self._lose(count, error.strerror or str(error))
                del self._pending[:count]
        finally:
            self._flushing = False

    def _put(self, data: bytes) -> None:
        """Write lines in one go, in another file if this one cannot take them; raises OSError."""
        for attempt in (1, 2):
            try:
                if self._write(data):
                    return
                problem = OSError(errno.ENOENT, "its file vanishes")
            except OSError as error:
                if error.errno in _FULL or self._file < 0:
                    raise
                problem = error
            self._end_file()
            if attempt == 2:  # noqa: PLR2004 - the last one
                raise problem

    def _write(self, data: bytes) -> bool:
        """Write lines; return whether the file still has its name. Raises OSError."""
        if time.time() >= self._until:
            self._sync(settle=True)
            self._end_file()
        if self._file < 0:
            self._new_file()
        file = self._file
        if self._empty or self._torn or self._untold is not None:
            data = self._before() + data
        done = os.write(file, data)
        while done < len(data):
            try:
                done += os.write(file, data[done:])
            except OSError:
                self._take_back(file, done)
                raise
        status = os.fstat(file)
        if not status.st_nlink:
            return False
        self._empty = self._torn = False
        self._untold = None
        if self._unsynced_since is None and self._syncs:
            self._unsynced_since = time.monotonic()
        if status.st_size >= self.policy.rotate_bytes:
            self._sync(settle=True)
            self._end_file()
        return True

    def _take_back(self, file: int, size: int) -> None:
        """Remove the part of a line that was written."""
        try:
            os.ftruncate(file, os.fstat(file).st_size - size)
        except OSError:
            self._torn = True

    def _before(self) -> bytes:
        """Return what stands before the next entry: the header, and what was lost if anything."""
        lines = [b"\n"] if self._torn else []
        if self._empty:
            lines.append(self._header())
        if self._untold is not None:
            count, since, reason = self._untold
            told = {"kind": "lost", "id": new_id(), "at": now(), "count": count}
            lines.append(encode({**told, "first_at": since, "reason": reason}, _REASON))
        return b"".join(lines)

    def _new_file(self) -> None:
        """Make a file, which gets its name once it is locked."""
        _close_with_process()
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        seconds, rest = divmod(now(), 1_000_000)
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(seconds))
        name = f"{stamp}.{rest:06d}Z-{os.getpid()}-{os.urandom(4).hex()}"
        hidden, path = f"{self.folder}/.{name}", f"{self.folder}/{name}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        file = os.open(hidden, flags, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._warn("lock", f"{self.folder}: files cannot be locked ({error.strerror})")
        try:
            os.rename(hidden, path)
        except OSError:
            os.close(file)
            raise
        self._file, self.path, self._empty, self._torn = file, path, True, False
        self._until = (seconds // _DAY + 1) * _DAY
        self._unsynced_since, self._named = None, False

    def _end_file(self) -> None:
        file, path, self._file, self.path = self._file, self.path, -1, None
        if file < 0:
            return
        if path and not os.fstat(file).st_size:
            with suppress(OSError):  # it is gone already, or stays without harm
                os.unlink(path)
        os.close(file)

    def _sync(self, *, settle: bool) -> None:
        since = self._unsynced_since
        if since is None or self._file < 0:
            return
        due = time.monotonic() - since >= self.policy.batch_seconds
        if not (settle or due or self.policy.fsync == "record"):
            return
        self._unsynced_since = None
        try:
            os.fsync(self._file)
            if not self._named:
                self._named = True
                _sync_folder(self.folder)
        except OSError as error:
            self._warn("fsync", f"{self.path}: the disk does not confirm writing: {error.strerror}")

    def leave(self) -> None:
        """Forget, in the child of a fork, what is the parent's."""
        if self._file >= 0:
            os.close(self._file)
        self._begin()

    def __del__(self) -> None:
        self.close()


LOGGER_NAME = "pnlbook.worklog"
_spools: weakref.WeakSet[Spool] = weakref.WeakSet()
_forking = threading.Lock()
_held: list[Spool] = []
_closes_with: int | None = None  # the process that close_all is arranged for


def close_all() -> None:
    """Write and sync what every spool of this process holds."""
    for spool in list(_spools):
        spool.close()


def _close_with_process() -> None:
    """Let the end of this process close its spools; multiprocessing ends children by itself."""
    global _closes_with
    if _closes_with == os.getpid():
        return
    first, _closes_with = _closes_with is None, os.getpid()
    if first:
        atexit.register(close_all)
    process = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if process and util and process.parent_process() is not None:
        util.Finalize(None, close_all, exitpriority=0)


def _sync_folder(folder: str) -> None:
    """Let the names of files survive a power failure as well."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _hold() -> None:
    """Let no thread be amidst writing while the process is doubled."""
    _forking.acquire()
    _held[:] = sorted(_spools, key=id)
    for spool in _held:
        spool.lock.acquire()


def _release() -> None:
    for spool in reversed(_held):
        spool.lock.release()
    _held.clear()
    _forking.release()


def _leave() -> None:
    for spool in _held:
        spool.leave()
    _held.clear()
    _forking.release()


os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_leave)
