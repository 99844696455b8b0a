"""What a parser of a rollout knows of the lines before: it is kept as JSON between readings."""

from __future__ import annotations

import hashlib

import msgspec

from pnlbook.worklog import agents
from pnlbook.worklog.agents import Where  # noqa: TC001 - read from annotations
from pnlbook.worklog.codex.usage import Tokens  # noqa: TC001 - read from annotations
from pnlbook.worklog.patches import Edit  # noqa: TC001 - read from annotations
from pnlbook.worklog.records import Message, Session, Task
from pnlbook.worklog.redaction import redact

AGENT = "codex"
_UNIQUE = 20  # characters of an id that no other session has; models elsewhere count their calls


class Response(msgspec.Struct, gc=False):
    """A response of the model, as far as its items were read.

    left: what came after it was not the model's, so the model's next item is another response.
    replayed: its lines are a parent's, with instants of the copying.
    """

    key: str
    line: int
    where: Where
    completed_at: int
    parent: str | None = None
    model: str | None = None
    chars: int = 0
    text: str | None = None
    tokens: Tokens | None = None
    left: bool = False
    replayed: bool = False

    def row(self) -> Message:
        """Return the message."""
        where, tokens = self.where, self.tokens
        return Message(
            key=self.key,
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
            input_tokens=None if tokens is None else tokens.uncached,
            cache_read_tokens=None if tokens is None else tokens.cached,
            output_tokens=None if tokens is None else tokens.output,
            usage_final=None if tokens is None else True,
            sent_at=where.at,
            completed_at=None if self.replayed else self.completed_at,
            cost_basis="estimate" if where.subscription and tokens is not None else None,
        )


class Call(agents.Call, gc=False, kw_only=True):
    """A call. timed: its line has an instant of its own; failure: an event told it."""

    edits: list[Edit]
    timed: bool
    failure: str | None = None


class Turn(agents.Turn, gc=False, kw_only=True):
    """A turn; prompts, responses, errors: how many it has had.

    native: its key is the program's own. event: an event began it, so the message beside is it.
    replayed: as in Response.
    """

    native: bool
    replayed: bool
    event: bool = False
    prompts: int = 1
    responses: int = 0
    errors: int = 0

    def row(self) -> Task:
        """Return the task."""
        task = super().row()
        if self.replayed:
            task.completed_at = None
        return task


class Candidate(msgspec.Struct, gc=False):
    """A message that is a person's, unless an event beside says what the person said."""

    line: int
    text: str
    at: int


class State(msgspec.Struct, gc=False):
    """All of it. root: the session that keys are made with, the first ancestor that is known.

    replaying: lines are a parent's still, which a fork begins with.
    """

    session: str
    root: str
    agent: str | None = None
    known: bool = False
    forked: bool = False
    replaying: bool = False
    line: int = 1
    started_at: int | None = None
    completed_at: int | None = None
    cwd: str | None = None
    first_cwd: str | None = None
    branch: str | None = None
    repository: str | None = None
    version: str | None = None
    model: str | None = None
    approval: str | None = None
    prompt: str | None = None
    answered: bool = False
    failed: bool = False
    clock: int | None = None
    totals: Tokens | None = None
    turn_id: str | None = None
    turn: Turn | None = None
    turns: int = 0
    candidate: Candidate | None = None
    response: Response | None = None
    last_message: str | None = None
    calls: dict[str, Call] = {}
    running: dict[str, str] = {}
    polls: dict[str, str] = {}

    def key(self, kind: str, *parts: str | bytes | int | None) -> str:
        """Return a key of what has none: by what it is, so that a copy has the same."""
        digest = hashlib.blake2b(digest_size=12)
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode("utf-8", "replace")
            digest.update(len(data).to_bytes(8) + data)
        return f"{AGENT}:{self.root}/{kind}{digest.hexdigest()}"

    def call_key(self, call_id: str, tool: str) -> str:
        """Return the key of a call, by its id as far as that tells it from all others."""
        if len(call_id) >= _UNIQUE:
            return f"{AGENT}:{call_id}"
        return f"{AGENT}:{self.root}/{call_id}/{tool}"

    def row(self, node: str | None, project: str | None) -> Session | None:
        """Return the session, or of a subagent what it tells of its session's; None: no instant."""
        ends = [at for at in (self.started_at, self.completed_at) if at is not None]
        if not ends:
            return None
        session = Session(
            key=self.session,
            line=self.line,
            status="completed" if self.answered else ("failed" if self.failed else None),
            agent=AGENT,
            agent_version=self.version,
            started_at=min(ends),
            completed_at=max(ends),
        )
        if self.agent is None:
            session.node_id, session.project_id = node, project
            session.cwd, session.branch = self.first_cwd, self.branch
            session.initial_prompt = self.prompt
        return session
