"""Sessions, tasks and tools as `with` blocks: what is logged within one belongs to it.

A block whose body raises is recorded as failed, with the traceback once, and the exception goes on.
Blocks are known to what they call, in asyncio tasks too; another thread is told by `bind`.
"""

from __future__ import annotations

import functools
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from pnlbook.worklog.entries import now, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Token
    from types import TracebackType
    from typing import ParamSpec, Self, Unpack

    from pnlbook.worklog.logger import WorkHistoryLogger
    from pnlbook.worklog.told import (
        ChangeFields,
        ErrorFields,
        MessageFields,
        Role,
        TaskFields,
        ToolFields,
    )

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

_F = TypeVar("_F", bound="Callable[..., Any]")
_CURRENT: ContextVar[Scope | None] = ContextVar("pnlbook_work", default=None)
_MARK = "__pnlbook_error__"
_CLASSES = {"CalledProcessError": "exit_code", "TimeoutExpired": "timeout"}


class Scope(ABC):
    """Something that is being done: a `with` or `async with` block, or every call of a function."""

    def __init__(self, logger: WorkHistoryLogger, told: dict[str, Any]) -> None:
        self.logger = logger
        self.id = ""
        self.parent: Scope | None = None
        self.recorded: str | None = None  # the error that was recorded within last
        self._told = told
        self._token: Token[Scope | None] | None = None
        self._failure: str | None = None
        self._class: str | None = None

    @property
    def session_id(self) -> str | None:
        """The session that this is, or is part of."""
        return self.parent.session_id if self.parent else None

    @property
    def task_id(self) -> str | None:
        """The task that this is, or is part of."""
        return self.parent.task_id if self.parent else None

    def file_change(self, file_path: str, **told: Unpack[ChangeFields]) -> str:
        """Record a change of a file, and return the id of the record."""
        return self.logger.log_file_change(**self._placed(told), file_path=file_path)

    def tool(self, tool_name: str, **told: Unpack[ToolFields]) -> ToolScope:
        """Record the invocation of a tool; as a `with` block, its duration and success as well."""
        placed = {"invocation_count": 1, "used_at": now(), **self._placed(told)}
        scope = ToolScope(self.logger, {**placed, "tool_name": tool_name})
        scope.parent = self
        return scope.called()

    def message(self, role: Role, content: str | None = None, **told: Unpack[MessageFields]) -> str:
        """Record a message, and return its id."""
        return self.logger.log_message(**self._placed(told), role=role, content=content)

    def error(
        self, error_type: str, error_message: str | None = None, **told: Unpack[ErrorFields]
    ) -> str:
        """Record an error, and return the id of the record."""
        return self.logger.log_error(
            **self._placed(told), error_type=error_type, error_message=error_message
        )

    def fail(self, error_message: str) -> None:
        """Let this end as failed, though its body raises nothing."""
        self._failure = error_message

    def described(self) -> dict[str, Any]:
        """Return what an error met here says of where it was met."""
        return {}

    def begin(self) -> None:
        """Record the beginning."""
        self.parent = self.parent or current(self.logger)
        self.recorded = self._failure = self._class = None
        self._open()

    def end(self, error: BaseException | None) -> None:
        """Record the end; an exception that is no failure (an exit with 0) is taken as none."""
        if error is not None and _is_failure(error):
            self._failure, self._class = said(error), error_class(error)
            self._record(error)
        self._close()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Let what is logged meanwhile belong to this."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def __enter__(self) -> Self:
        self.begin()
        self._token = _CURRENT.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            with suppress(ValueError):  # a generator that another context closes
                _CURRENT.reset(self._token)
        self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: _F) -> _F:
        """Return the function so that every call of it is one of these.

        A generator's lasts until it is exhausted, fails or is closed.
        """
        from pnlbook.worklog.wrapping import wrap  # noqa: PLC0415 - imports inspect

        return wrap(functools.partial(self._anew, function), function)

    def _anew(self, function: Callable[..., Any]) -> Scope:
        """Return another one like this, for a call of the function."""
        scope = type(self)(self.logger, {**self._told, **self._named(function)})
        scope.parent = self.parent
        return scope

    def _named(self, _function: Callable[..., Any]) -> dict[str, Any]:
        return {}

    @abstractmethod
    def _open(self) -> None:
        """Record the beginning."""

    @abstractmethod
    def _close(self) -> None:
        """Record the end."""

    def _record(self, error: BaseException) -> None:
        """Record an exception, unless that was done within."""
        known = getattr(error, _MARK, None)
        if known is None or known != self.recorded:
            known = self.logger.log_exception(error, **self._placed(self.described()))
            self.recorded = known
        if self.parent:
            self.parent.recorded = known

    def _placed(self, told: Any) -> dict[str, Any]:  # noqa: ANN401 - the fields of any kind
        return {"session_id": self.session_id, "task_id": self.task_id, **told}


class SessionScope(Scope):
    """A session; what it led to may be told by its `final_deliverable`."""

    final_deliverable: str | None = None

    @property
    def session_id(self) -> str | None:
        """The session that this is."""
        return self.id

    @property
    def task_id(self) -> str | None:
        """No task: sessions are above them."""
        return None

    def task(self, task_name: str | None = None, **told: Unpack[TaskFields]) -> TaskScope:
        """Return a task of this session for a `with` block."""
        scope = TaskScope(self.logger, {"task_name": task_name, **told})
        scope.parent = self
        return scope

    def _open(self) -> None:
        self.id = self.logger.start_work_session(**self._told)

    def _close(self) -> None:
        status = "completed" if self._failure is None else "failed"
        self.logger.complete_work_session(self.id, status, self.final_deliverable)


class TaskScope(Scope):
    """A task; what it led to may be told by its `output_summary`."""

    output_summary: str | None = None

    @property
    def task_id(self) -> str | None:
        """The task that this is."""
        return self.id

    def _named(self, function: Callable[..., Any]) -> dict[str, Any]:
        name = self._told.get("task_name") or getattr(function, "__qualname__", None)
        return {"task_name": name}

    def _open(self) -> None:
        told = {"session_id": self.session_id, **self._told}
        self.id = self.logger.start_task(**told)

    def _close(self) -> None:
        self.logger.complete_task(
            self.id,
            status="completed" if self._failure is None else "failed",
            output_summary=self.output_summary,
            error_message=self._failure,
        )


class ToolScope(Scope):
    """An invocation of a tool, recorded already; a `with` block adds its duration and success."""

    _clock = 0

    def called(self) -> Self:
        """Record the call."""
        self.id = self.logger.log_tool_usage(**self._told)
        return self

    def described(self) -> dict[str, Any]:
        """Return the tool that an error met here is of."""
        return {name: self._told.get(name) for name in ("tool_name", "subject")}

    def _open(self) -> None:
        self._clock = time.monotonic_ns()

    def _close(self) -> None:
        duration = (time.monotonic_ns() - self._clock) // 1000
        result = {"success_count": self._told["invocation_count"], **self._told}
        if self._failure is not None:
            result["success_count"] = 0
            result["error_class"] = result.get("error_class") or self._class or "tool"
        self.logger.repeat_tool(self.id, {**result, "total_duration_ms": duration / 1000})


def current(logger: WorkHistoryLogger) -> Scope | None:
    """Return the innermost block that a call is made in, of those of this logger."""
    scope = _CURRENT.get()
    while scope is not None and scope.logger is not logger:
        scope = scope.parent
    return scope


def here(logger: WorkHistoryLogger) -> tuple[str | None, str | None]:
    """Return the session and the task that a call is made in."""
    scope = current(logger)
    return (scope.session_id, scope.task_id) if scope else (None, None)


def described(logger: WorkHistoryLogger, told: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of an error, with the tool that it is met in."""
    scope = current(logger)
    return {**scope.described(), **told} if scope else told


def bind(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Return the function with the block of now as its block, whoever calls it."""
    scope = _CURRENT.get()

    @functools.wraps(function)
    def bound(*arguments: _P.args, **named: _P.kwargs) -> _R:
        token = _CURRENT.set(scope)
        try:
            return function(*arguments, **named)
        finally:
            _CURRENT.reset(token)

    return bound


def mark(logger: WorkHistoryLogger, error: BaseException, identity: str) -> None:
    """Remember that an exception is recorded, so that the blocks it passes do not do it again."""
    with suppress(Exception):  # an exception may refuse further attributes
        setattr(error, _MARK, identity)
    scope = current(logger)
    if scope is not None:
        scope.recorded = identity


def told_of(error: BaseException) -> dict[str, Any]:
    """Return the fields of an error that an exception tells."""
    import traceback  # noqa: PLC0415 - most runs have no error

    told = {"error_type": type(error).__name__, "error_message": said(error)}
    with suppress(Exception):  # an exception whose text cannot be had
        told["error_stack_trace"] = "".join(traceback.format_exception(error))
    kind = error_class(error)
    return told | {"error_class": kind} if kind else told


def error_class(error: BaseException) -> str | None:
    """Return the class of an exception as the book has it; None where its type does not say."""
    if isinstance(error, TimeoutError):
        return "timeout"
    return _CLASSES.get(type(error).__name__)


def said(error: BaseException) -> str:
    """Return the text of an exception, or its type where it has none."""
    return text_of(error) or type(error).__name__


def _is_failure(error: BaseException) -> bool:
    if isinstance(error, SystemExit):
        return error.code not in {None, 0}
    return not isinstance(error, GeneratorExit)
