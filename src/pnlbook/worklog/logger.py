"""The live logger: programs tell what they do while they do it.

No call here breaks the program that logs. What is told wrongly is warned of once and recorded as it
was told; loading refuses it then, with its reason. What cannot be written is counted in `lost`.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pnlbook import __version__
from pnlbook.worklog import scopes
from pnlbook.worklog.entries import encode, new_id, now, text_of
from pnlbook.worklog.spool import Policy, Spool, default_folder
from pnlbook.worklog.told import CHOICES, FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import ParamSpec, TypeVar, Unpack

    from pnlbook.worklog.handler import WorkLogHandler
    from pnlbook.worklog.told import (
        FullErrorFields,
        FullMessageFields,
        NamedChangeFields,
        NamedTaskFields,
        NamedToolFields,
        SessionFields,
        TaskFields,
        TaskOutcome,
    )

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

_OPEN_LIMIT = 10_000  # sessions and tasks that are remembered until they are completed
_CHOSEN = {kind: tuple(name for name in CHOICES if name in FIELDS[kind]) for kind in FIELDS}
_PLACE = ("agent", "cwd", "branch")


class _Begun(NamedTuple):
    """A session or task that this process began.

    clock: the monotonic one, in ns. place: what node and project are found by if none is told.
    """

    at: int
    clock: int
    session_id: str | None
    node_id: str | None
    project_id: str | None
    place: Mapping[str, object]


class WorkHistoryLogger:
    """Writes what a program does to the spool, which `pnlbook load spool` takes into the book.

    folder: of the spool; by default PNLBOOK_SPOOL, else `~/.local/state/pnlbook/spool`. node_id,
    project_id: of sessions that name none. agent: the program; by default its file's name.
    policy: when records reach the disk. Any number of threads may share a logger, and any number of
    processes a folder.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        node_id: str | None = None,
        project_id: str | None = None,
        agent: str | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.node_id = node_id
        self.project_id = project_id
        self.agent = agent or os.path.basename(sys.argv[0] if sys.argv else "") or "python"
        self._policy = policy or Policy()
        self._spool = Spool(os.fspath(folder or default_folder()), self._policy, self._header)
        self._open: dict[str, _Begun] = {}

    @property
    def lost(self) -> int:
        """How many records this process could not write."""
        return self._spool.lost

    @property
    def path(self) -> str | None:
        """The file that this process writes to; None before the first record."""
        return self._spool.path

    def start_work_session(self, **told: Unpack[SessionFields]) -> str:
        """Begin a session and return its id."""
        identity = _identity(told.get("session_id"))
        self._begin("session", identity, {"agent": self.agent, "cwd": _folder(), **told})
        return identity

    def start_task(self, **told: Unpack[NamedTaskFields]) -> str:
        """Begin a task, by default of the session that the call is made in; return its id."""
        identity = _identity(told.get("task_id"))
        self._begin("task", identity, {**told})
        return identity

    def log_file_change(self, **told: Unpack[NamedChangeFields]) -> str:
        """Record that a file was created, modified (by default), deleted or renamed."""
        return self._event("change", {"change_type": "modified", **told}, "changed_at")

    def log_tool_usage(self, **told: Unpack[NamedToolFields]) -> str:
        """Record invocations of a tool; return the id of the record."""
        return self._event("tool", {"invocation_count": 1, **told}, "used_at")

    def log_message(self, **told: Unpack[FullMessageFields]) -> str:
        """Record a message; return its id. Loading keeps its text only when asked to."""
        content = told.get("content")
        if isinstance(content, str) and "content_chars" not in told:
            told["content_chars"] = len(content)
        identity = told.pop("message_id", None)
        return self._event("message", told, "sent_at", text_of(identity) if identity else None)

    def log_error(self, **told: Unpack[FullErrorFields]) -> str:
        """Record an error; return the id of the record."""
        return self._event("error", scopes.described(self, {**told}), "occurred_at")

    def log_exception(self, error: BaseException, **told: Unpack[FullErrorFields]) -> str:
        """Record an exception with its traceback; return the id of the record."""
        identity = self.log_error(**{**scopes.told_of(error), **told})
        scopes.mark(self, error, identity)
        return identity

    def complete_task(self, task_id: str, **told: Unpack[TaskOutcome]) -> None:
        """End a task; by default it was completed."""
        status = told.get("status", "completed")
        outcome = {"success": status == "completed", **told, "status": status}
        self._end("task", task_id, outcome)

    def complete_work_session(
        self, session_id: str, status: str = "completed", final_deliverable: str | None = None
    ) -> None:
        """End a session and let what the policy put off be written and synced."""
        outcome = {"status": status, "final_deliverable": final_deliverable}
        self._end("session", session_id, outcome)

    def session(self, **told: Unpack[SessionFields]) -> scopes.SessionScope:
        """Return a session for a `with` block, or to decorate a function with."""
        return scopes.SessionScope(self, {**told})

    def task(self, task_name: str | None = None, **told: Unpack[TaskFields]) -> scopes.TaskScope:
        """Return a task for a `with` block, or to decorate a function with, which names it."""
        return scopes.TaskScope(self, {"task_name": task_name, **told})

    def bind(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Return the function with the session and task of now, to be run by another thread."""
        return scopes.bind(function)

    def handler(self, level: int = 0) -> WorkLogHandler:
        """Return a handler for `logging`: errors become errors, other records messages."""
        from pnlbook.worklog.handler import WorkLogHandler  # noqa: PLC0415 - imports logging

        return WorkLogHandler(self, level)

    def flush(self) -> None:
        """Write the records that are held."""
        self._spool.flush()

    def close(self) -> None:
        """Write and sync all, and end the file; a later record begins another."""
        self._spool.close()

    def repeat_tool(self, identity: str, told: Mapping[str, object]) -> None:
        """Record more of an invocation of a tool, e.g. its result."""
        self._write("tool", identity, now(), self._placed(told))

    def _begin(self, kind: str, identity: str, told: dict[str, Any]) -> None:
        found = self._found(told)
        place = self._place_of(found["session_id"])
        if kind == "session":
            found["session_id"] = found["task_id"] = None
            place = {name: told.get(name) for name in _PLACE}
        at = now()
        begun = _Begun(
            at,
            time.monotonic_ns(),
            identity if kind == "session" else found["session_id"],
            found["node_id"],
            found["project_id"],
            place,
        )
        self._open[identity] = begun
        if len(self._open) > _OPEN_LIMIT:
            self._open.pop(next(iter(self._open)), None)
        entry = {**told, **found, **place, "status": "in_progress", "started_at": at}
        entry.pop(f"{kind}_id", None)
        self._write(kind, identity, at, entry)

    def _end(self, kind: str, identity: str, outcome: dict[str, Any]) -> None:
        begun = self._open.pop(identity, None)
        at = now()
        entry = {**outcome, "completed_at": at}
        if begun is not None:
            entry |= {"node_id": begun.node_id, "project_id": begun.project_id, **begun.place}
            entry["started_at"] = begun.at
            if kind == "session":
                entry["total_duration_seconds"] = _seconds(time.monotonic_ns() - begun.clock)
            else:
                entry["session_id"] = begun.session_id
        self._write(kind, identity, at, entry, settle=kind == "session")

    def _event(
        self, kind: str, told: Mapping[str, Any], instant: str, identity: str | None = None
    ) -> str:
        at = now()
        identity = identity or new_id(at)
        self._write(kind, identity, at, {instant: at, **self._placed(told)})
        return identity

    def _placed(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is told of an event with what it belongs to, or where that is found out."""
        found = self._found(told)
        if found["node_id"] is None or found["project_id"] is None:
            return {**told, **found, **self._place_of(found["session_id"])}
        return {**told, **found}

    def _found(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return session, task, node and project: as told, or else of what the call is made in."""
        get = told.get
        session_id, task_id = get("session_id"), get("task_id")
        if session_id is None or task_id is None:
            here_session, here_task = scopes.here(self)
            if session_id is None and task_id is None:
                session_id, task_id = here_session, here_task
            elif task_id is None and session_id == here_session:
                task_id = here_task
        task = self._begun(task_id)
        session_id = session_id or (task.session_id if task else None)
        node_id, project_id = get("node_id"), get("project_id")
        for begun in (task, self._begun(session_id)):
            if begun is not None:
                node_id = node_id or begun.node_id
                project_id = project_id or begun.project_id
        return {
            "session_id": session_id,
            "task_id": task_id,
            "node_id": node_id or self.node_id,
            "project_id": project_id or self.project_id,
        }

    def _place_of(self, session_id: object) -> Mapping[str, object]:
        session = self._begun(session_id)
        return session.place if session else {}

    def _begun(self, identity: object) -> _Begun | None:
        return self._open.get(identity) if isinstance(identity, str) else None

    def _write(
        self,
        kind: str,
        identity: object,
        at: int,
        told: Mapping[str, object],
        *,
        settle: bool = False,
    ) -> None:
        try:
            self._check(kind, told)
            entry = {"kind": kind, "id": identity, "at": at}
            entry |= {name: value for name, value in told.items() if value is not None}
            line = encode(entry, self._policy.text_limit)
        except Exception as error:  # noqa: BLE001 - the program that logs goes on
            self._spool.lose(1, text_of(error))
        else:
            self._spool.append(line, settle=settle)

    def _check(self, kind: str, told: Mapping[str, object]) -> None:
        """Warn of what loading will refuse."""
        for name in _CHOSEN[kind]:
            value, choices = told.get(name), CHOICES[name]
            if value is not None and value not in choices:
                said = f"{name} {text_of(value)!r} is none of {', '.join(choices)}"
                self._spool.warn(name, f"work log: {said}; loading will refuse the record")
        if not FIELDS[kind].issuperset(told):
            for name in sorted(told.keys() - FIELDS[kind]):
                said = f"{kind} has no field {name!r}; loading will leave it out"
                self._spool.warn(f"{kind} {name}", f"work log: {said}")

    def _header(self) -> bytes:
        about = {
            "kind": "writer",
            "id": new_id(),
            "at": now(),
            "agent": self.agent,
            "cwd": _folder(),
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "pnlbook": __version__,
        }
        return encode(about, self._policy.text_limit)


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _identity(told: object) -> str:
    return text_of(told) if told else new_id()


def _seconds(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds // 1000, 1_000_000)
    return f"{whole}.{rest:06d}"
