"""Answers kept while their book stays as it was; who asks for one being read waits for it.

A book is as it was while its files are: DuckDB writes to one of them with every commit.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import Future
from functools import update_wrapper
from threading import Lock
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeAlias, TypeVar

from pnlbook.checkpoint import LOG, beside

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pnlbook.reports.query import Source

P = ParamSpec("P")
T = TypeVar("T")

# What tells one state of a file from another; None of a file that is not there.
Stamp: TypeAlias = tuple[int, int, int, int] | None

MOST_KEPT = 8  # answers of each kind: as many pages may be open with filters of their own
SETTLED = 2.0  # seconds; a file system may give two changes closer than that the same time


def remembered(
    read: Callable[Concatenate[Source, P], T],
) -> Callable[Concatenate[Source, P], T]:
    """Let `read` ask the same question of an unchanged book once; its errors are not kept."""
    kept: OrderedDict[object, Future[T]] = OrderedDict()
    lock = Lock()

    def recall(source: Source, /, *args: P.args, **kwargs: P.kwargs) -> T:
        state = _state(source.path)
        question = (source, state, args, tuple(kwargs.items()))
        mine: Future[T] = Future()
        with lock:
            answer = kept.setdefault(question, mine)
            kept.move_to_end(question)
            if len(kept) > MOST_KEPT:
                kept.popitem(last=False)
        if answer is not mine:
            return answer.result()
        try:
            mine.set_result(read(source, *args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - raised again below, and to who waits
            mine.set_exception(error)
        if mine.exception() or not _is_settled(state):
            with lock:
                kept.pop(question, None)
        return mine.result()

    return update_wrapper(recall, read)


def _state(book: Path) -> tuple[Stamp, Stamp]:
    return _stamp(book), _stamp(beside(book, LOG))


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _is_settled(state: tuple[Stamp, Stamp]) -> bool:
    """Whether a change of the files after this state would be seen in their times."""
    newest = max((stamp[-1] for stamp in state if stamp is not None), default=0)
    return time.time_ns() - newest > SETTLED * 1e9
