"""Waiting for what runs outside Python, such that a signal (Ctrl-C) is noticed at once."""

from __future__ import annotations

from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

_BEAT = 0.2  # seconds; a signal that another thread took does not end a wait of this one


def wait_for(action: Callable[[], T]) -> T:
    """Run the action in a thread of its own, which an interruption leaves behind, and return."""
    results: SimpleQueue[T] = SimpleQueue()
    failures: SimpleQueue[BaseException] = SimpleQueue()
    done: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        try:
            results.put(action())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            failures.put(error)
        done.put(None)

    worker = Thread(target=run, daemon=True)
    worker.start()
    while worker.is_alive():
        with suppress(Empty):
            done.get(timeout=_BEAT)
            break
    if not failures.empty():
        raise failures.get()
    return results.get()


def wait_for_each(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, waiting for each."""
    iterator = iter(items)
    while found := wait_for(lambda: tuple(_next(iterator))):
        yield found[0]


def _next(iterator: Iterator[T]) -> Iterator[T]:
    for item in iterator:
        yield item
        return
