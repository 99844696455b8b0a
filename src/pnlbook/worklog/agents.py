"""What transcripts of different agents have in common: places, turns, calls, and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pnlbook.worklog import toolbox
from pnlbook.worklog.files import file_class
from pnlbook.worklog.importer import Sink
from pnlbook.worklog.instants import milliseconds
from pnlbook.worklog.records import Change, Error, Message, Task, Tool
from pnlbook.worklog.redaction import redact

if TYPE_CHECKING:
    from pnlbook.worklog.failures import Failure
    from pnlbook.worklog.patches import Edit

_NAME = 200  # characters of a task's name
_PROMPT = 2000  # characters of a session's first prompt


class Where(msgspec.Struct, frozen=True, gc=False):
    """What the records of a line have in common; at: its instant, microseconds since 1970."""

    session: str
    agent: str | None
    task: str | None
    node: str | None
    project: str | None
    at: int
    subscription: bool = False


class Spoken(msgspec.Struct, frozen=True, gc=False):
    """What a person, or the agent that started a subagent, said."""

    key: str
    line: int
    where: Where
    parent: str | None
    text: str


class Turn(msgspec.Struct, gc=False, kw_only=True):
    """What a session is at since a person last spoke.

    failed: it was stopped or the API failed at some time; failing: nothing came after that.
    answered: a model did something; ended: it was done, or the person spoke again.
    """

    key: str
    line: int
    where: Where
    last_at: int
    name: str | None = None
    tools: list[str] = []
    failed: bool = False
    failing: bool = False
    answered: bool = False
    ended: bool = False
    error: str | None = None

    def stop(self, error: str | None) -> None:
        """Note that it was stopped, or that the API failed; what first went wrong is told."""
        self.failed = self.failing = True
        self.error = self.error or error

    def end(self) -> None:
        """Note that the model was done, unless what came last was a failure."""
        self.ended = self.ended or not self.failing

    def row(self) -> Task:
        """Return the task. Whether it succeeded is not known of one that nothing answered."""
        done, where = self.ended or self.failed, self.where
        worked = self.answered or None
        return Task(
            key=self.key,
            line=self.line,
            node_id=where.node,
            project_id=where.project,
            session_id=where.session,
            task_type="prompt",
            task_name=self.name,
            status=("completed" if self.ended else "failed") if done else None,
            success=worked if self.ended else (False if done else None),
            tools_used=self.tools[:],
            error_message=self.error,
            started_at=where.at,
            completed_at=self.last_at if done else None,
        )


class Call(msgspec.Struct, gc=False, kw_only=True):
    """A call of a tool whose result was not met yet. waits: for a person; None: no."""

    key: str
    line: int
    where: Where
    tool: str | None
    subject: str | None = None
    waits: bool | None = None

    def row(self, *, success: bool | None, failure: str | None, end: int | None) -> Tool:
        """Return the invocation; success and end (an instant): None while not known."""
        where = self.where
        return Tool(
            key=self.key,
            line=self.line,
            node_id=where.node,
            project_id=where.project,
            session_id=where.session,
            task_id=where.task,
            agent_id=where.agent,
            tool_name=self.tool,
            tool_category=None if self.tool is None else toolbox.category(self.tool),
            subject=self.subject,
            invocation_count=1,
            success_count=None if success is None else int(success),
            total_duration_ms=milliseconds(where.at, end),
            error_class=failure,
            waits_for_person=self.waits,
            used_at=None if self.tool is None else where.at,
        )

    def change(self, line: int, at: int, key: str, edit: Edit) -> Change:
        """Return a change of a file that it made."""
        where = self.where
        return Change(
            key=key,
            line=line,
            node_id=where.node,
            project_id=where.project,
            session_id=where.session,
            task_id=where.task,
            agent_id=where.agent,
            file_path=edit.path,
            change_type=edit.kind,
            old_path=edit.old_path,
            lines_added=edit.lines.added,
            lines_deleted=edit.lines.deleted,
            origin="edit",
            file_class=file_class(edit.path),
            changed_at=at,
        )


def title(text: str) -> str:
    """Return the name of a task, from its prompt."""
    return redact(text).strip().partition("\n")[0][:_NAME]


def opening(text: str) -> str:
    """Return the first prompt of a session, as far as the session keeps it."""
    return redact(text).strip()[:_PROMPT]


class Records(Sink):
    """Takes the records of one transcript."""

    def add_prompt(self, said: Spoken) -> None:
        """Add the message of a prompt."""
        where = said.where
        message = Message(
            key=said.key,
            line=said.line,
            node_id=where.node,
            project_id=where.project,
            session_id=where.session,
            task_id=where.task,
            agent_id=where.agent,
            parent_message_id=said.parent,
            role="user",
            content=redact(said.text) if self.reading.with_content else None,
            content_chars=len(said.text),
            sent_at=where.at,
        )
        self.add(where.at, message)

    def add_error(
        self, line: int, where: Where, failure: Failure, call: Call | None = None
    ) -> None:
        """Add the error that a failure is."""
        kept = self.reading.with_content and failure.said
        error = Error(
            key=failure.key,
            line=line,
            node_id=where.node,
            project_id=where.project,
            session_id=where.session,
            task_id=call.where.task if call is not None else where.task,
            agent_id=where.agent,
            error_type=failure.type,
            error_class=failure.kind,
            error_message=failure.message,
            error_stack_trace=redact(failure.said) if kept else None,
            tool_name=call.tool if call is not None else None,
            subject=call.subject if call is not None else None,
            occurred_at=where.at,
        )
        self.add(where.at, error)
