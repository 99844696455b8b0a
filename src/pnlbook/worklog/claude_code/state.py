"""What a parser of a transcript knows of the lines before: it is kept as JSON between readings.

All of it is bounded, by what was touched last, so it stays small however long a session runs.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pnlbook.worklog import agents
from pnlbook.worklog.agents import Spoken, Turn, Where  # noqa: TC001 - read from annotations
from pnlbook.worklog.claude_code import usage
from pnlbook.worklog.records import Message, Session
from pnlbook.worklog.redaction import redact

AGENT = "claude-code"

T = TypeVar("T")


class OpenMessage(msgspec.Struct, gc=False):
    """A model's message, as far as its lines were read.

    counted: uuids of the lines that are in chars; usage: see the module usage.
    """

    line: int
    where: Where
    sent_at: int
    completed_at: int
    parent: str | None = None
    model: str | None = None
    request_id: str | None = None
    stop_reason: str | None = None
    chars: int = 0
    text: str | None = None
    counted: list[str] = []
    usage: dict[str, int] = {}
    final: bool | None = None

    def row(self, key: str) -> Message:
        """Return the message."""
        where, counted = self.where, self.usage
        return Message(
            key=key,
            line=self.line,
            node_id=where.node,
            project_id=where.project,
            session_id=where.session,
            task_id=where.task,
            agent_id=where.agent,
            parent_message_id=self.parent,
            role="assistant",
            model=self.model,
            content=None if self.text is None else redact(self.text),
            content_chars=self.chars,
            input_tokens=counted.get("input"),
            cache_read_tokens=counted.get("cache_read"),
            cache_write_5m_tokens=usage.written_5m(counted),
            cache_write_1h_tokens=counted.get("write_1h"),
            output_tokens=counted.get("output"),
            usage_final=self.final,
            request_id=self.request_id,
            stop_reason=self.stop_reason,
            sent_at=self.sent_at,
            completed_at=self.completed_at,
            cost_basis="estimate" if where.subscription and counted else None,
        )


class Call(agents.Call, gc=False, kw_only=True):
    """A call; path, added, deleted: the file and lines that it changes if it succeeds."""

    path: str | None = None
    added: int | None = None
    deleted: int | None = None


class OpenSession(msgspec.Struct, gc=False):
    """A session, as far as it was read.

    command: a slash command, which is a turn once the model works on it. bypass: tools run without
    a person being asked.
    """

    line: int
    started_at: int
    completed_at: int
    node: str | None = None
    project: str | None = None
    cwd: str | None = None
    branch: str | None = None
    version: str | None = None
    prompt: str | None = None
    title: str | None = None
    answered: bool = False
    failed: bool = False
    bypass: bool = False
    turn: Turn | None = None
    command: Spoken | None = None

    def row(self, key: str) -> Session:
        """Return the session."""
        failed = "failed" if self.failed else None
        return Session(
            key=key,
            line=self.line,
            node_id=self.node,
            project_id=self.project,
            status="completed" if self.answered else failed,
            description=self.title,
            initial_prompt=self.prompt,
            agent=AGENT,
            agent_version=self.version,
            cwd=self.cwd,
            branch=self.branch,
            started_at=self.started_at,
            completed_at=self.completed_at,
        )


class State(msgspec.Struct, gc=False):
    """All of it.

    threads: the message that each line belongs to or follows; asides: the same of lines that are no
    part of the conversation; chains: the first line of each sidechain.
    """

    messages: dict[str, OpenMessage] = {}
    calls: dict[str, Call] = {}
    sessions: dict[str, OpenSession] = {}
    threads: dict[str, str] = {}
    asides: dict[str, str] = {}
    chains: dict[str, str] = {}
    clock: int | None = None


def oldest(known: dict[str, T], most: int) -> tuple[str, T] | None:
    """Take the oldest entry out, when there are too many."""
    if len(known) <= most:
        return None
    key = next(iter(known))
    return key, known.pop(key)
