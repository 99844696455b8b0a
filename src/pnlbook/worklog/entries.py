"""Entries of the spool: JSON objects, one a line; instants are microseconds since 1970, UTC."""

from __future__ import annotations

import os
import time
from itertools import count
from json import JSONEncoder
from operator import index
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_RANDOM = 74  # bits of an id that are not its time


class _Numbers:
    """Counts up from a random number; the child of a fork does so from one of its own."""

    def __init__(self) -> None:
        self.seed()
        os.register_at_fork(after_in_child=self.seed)

    def seed(self) -> None:
        self._count = count(int.from_bytes(os.urandom(10), "big"))

    def next(self) -> int:
        return next(self._count)


_numbers = _Numbers()


def now() -> int:
    """Return the present instant."""
    return time.time_ns() // 1000


def new_id(at: int | None = None) -> str:
    """Return an id that no other process makes: a UUID of version 7, which sorts by its time.

    Its random part counts up from a random number (RFC 9562, section 6.2).
    """
    time_part = f"{(at or now()) // 1000 & 0xFFFF_FFFF_FFFF:012x}"
    random = f"{_numbers.next() % (1 << _RANDOM):019x}"
    tail = f"7{random[1:4]}-{'89ab'[int(random[0])]}{random[4:7]}-{random[7:]}"
    return f"{time_part[:8]}-{time_part[8:]}-{tail}"


def encode(entry: Mapping[str, object], text_limit: int) -> bytes:
    """Return an entry as a line; what JSON does not know becomes its text, and long texts are cut.

    text_limit: characters of one text that are kept.
    """
    try:
        line = _json(entry).encode()
        if len(line) > text_limit:
            line = _json({name: _cut(value, text_limit) for name, value in entry.items()}).encode()
    except (ValueError, TypeError, RecursionError):  # UnicodeEncodeError is a ValueError
        line = _json({name: _plain(value, text_limit) for name, value in entry.items()}).encode()
    return line + b"\n"


def text_of(value: object) -> str:
    """Return `str(value)`, or the name of its type where that fails."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - whatever a foreign __str__ raises
        return f"<{type(value).__name__}>"


def _known(value: Any) -> object:  # noqa: ANN401 - whatever a program logs
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, set | frozenset):
        return sorted(map(text_of, value))
    try:
        return index(value)  # integers of other libraries
    except Exception:  # noqa: BLE001 - it is no integer, or says so in its own way
        return text_of(value)


_json = JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_known
).encode


def _plain(value: object, text_limit: int) -> object:
    """Return what certainly is JSON; a text that is no Unicode keeps its bytes as escapes."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple):
        return [_plain(text_of(item), text_limit) for item in value]
    return _cut(text_of(value).encode(errors="backslashreplace").decode(), text_limit)


def _cut(value: object, text_limit: int) -> object:
    if isinstance(value, str) and len(value) > text_limit:
        return f"{value[:text_limit]}… [cut: {len(value)} characters]"
    return value
