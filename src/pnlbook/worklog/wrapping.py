"""Functions whose every call is a session or a task: plain ones, coroutines and generators."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from pnlbook.worklog.scopes import Scope

_F = TypeVar("_F", bound="Callable[..., Any]")


def wrap(make: Callable[[], Scope], function: _F) -> _F:
    """Return the function with a scope of its own around every call."""
    wrapper: Callable[[Callable[[], Scope], Callable[..., Any]], Callable[..., Any]]
    if inspect.isasyncgenfunction(function):
        wrapper = _async_generator
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator
    else:
        wrapper = _plain
    return cast("_F", functools.wraps(function)(wrapper(make, function)))


def _plain(make: Callable[[], Scope], function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the function's own
        with make():
            return function(*arguments, **named)

    return run


def _coroutine(make: Callable[[], Scope], function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the function's own
        with make():
            return await function(*arguments, **named)

    return run


def _generator(make: Callable[[], Scope], function: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Generator[Any, Any, Any]:  # noqa: ANN401 - as above
        scope = make()
        scope.begin()
        try:
            result = yield from _driven(scope, function(*arguments, **named))
        except BaseException as error:
            scope.end(error)
            raise
        scope.end(None)
        return result

    return run


def _driven(scope: Scope, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run a generator whose scope is current only while its own code runs."""
    step: Callable[[], Any] = functools.partial(next, generator)
    while True:
        try:
            with scope.current():
                item = step()
        except StopIteration as stop:
            return stop.value
        try:
            step = functools.partial(generator.send, (yield item))
        except GeneratorExit:
            with scope.current():
                generator.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown in for the generator to handle
            step = functools.partial(generator.throw, error)


def _async_generator(make: Callable[[], Scope], function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*arguments: Any, **named: Any) -> AsyncGenerator[Any, Any]:  # noqa: ANN401 - as above
        scope = make()
        scope.begin()
        generator = function(*arguments, **named)
        step = generator.__anext__
        try:
            while True:
                try:
                    with scope.current():
                        item = await step()
                except StopAsyncIteration:
                    break
                try:
                    step = functools.partial(generator.asend, (yield item))
                except GeneratorExit:
                    with scope.current():
                        await generator.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown in, as above
                    step = functools.partial(generator.athrow, error)
        except BaseException as error:
            scope.end(error)
            raise
        scope.end(None)

    return run
