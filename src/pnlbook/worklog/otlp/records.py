"""What spans and events come to: sessions put together, and whose work they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pnlbook.worklog.assignment import Place
from pnlbook.worklog.records import Session

if TYPE_CHECKING:
    from pnlbook.worklog.importer import Findings, Reading
    from pnlbook.worklog.otlp.wire import Attributes, Span
    from pnlbook.worklog.records import Record

_LONG = 20  # ids below are no identity: Ollama numbers its answers from 0 to 998


@dataclass
class Work:
    """Takes the records of one log, and the sessions that they belong to."""

    reading: Reading
    findings: Findings
    _sessions: dict[tuple[str, str | None, str | None], Session] = field(default_factory=dict)

    def add(self, record: Record, at: int) -> None:
        """Keep a record, unless it is from before what is asked for."""
        if self.reading.since is None or at >= self.reading.since:
            self.findings.add(record)

    def skip(self, what: str) -> None:
        """Count what is passed over."""
        self.findings.skipped[what] += 1

    def owner(self, resource: Attributes) -> tuple[str | None, str | None]:
        """Return node and project of what a program did."""
        return self.reading.assignments.of(_place(resource))

    def is_subscription(self, resource: Attributes) -> bool:
        """Whether the models of a program are paid by subscription."""
        return self.reading.assignments.is_subscription(_place(resource))

    def session(self, key: str, span: Span, line: int, *, shared: bool = False) -> None:
        """Widen a session by a span.

        shared: transcripts may know the session too, and where it was; without a place of its own
        to go by, the span does not say whose it is.
        """
        start, end = span.started_at, span.ended_at
        if start is None or end is None:
            return
        if self.reading.since is not None and end < self.reading.since:
            return
        owner = self.owner(span.resource)
        if shared and self._asks_for_more(_place(span.resource)):
            owner = (None, None)
        known = self._sessions.get((key, *owner))
        if known is None:
            self._sessions[key, *owner] = self._begun(key, owner, span, line, shared=shared)
            return
        known.started_at = min(known.started_at or start, start)
        known.completed_at = max(known.completed_at or end, end)
        known.line = min(known.line, line)

    def finish(self) -> None:
        """Add the sessions."""
        for session in self._sessions.values():
            self.findings.add(session)
        self._sessions.clear()

    def _begun(
        self,
        key: str,
        owner: tuple[str | None, str | None],
        span: Span,
        line: int,
        *,
        shared: bool,
    ) -> Session:
        resource = span.resource
        return Session(
            key=key,
            line=line,
            node_id=owner[0],
            project_id=owner[1],
            agent=_place(resource).agent,
            agent_version=resource.text("service.version"),
            environment=resource.text("deployment.environment.name", "deployment.environment"),
            cwd=_place(resource).cwd,
            branch=_place(resource).branch,
            status=None if shared else "completed",
            started_at=span.started_at,
            completed_at=span.ended_at,
        )

    def _asks_for_more(self, place: Place) -> bool:
        """Whether a rule goes by what the place does not tell."""
        return any(
            (rule.cwd and not place.cwd)
            or (rule.branch and not place.branch)
            or (rule.repository and not place.repository)
            for rule in self.reading.assignments.rules
        )


def identity(text: str | None) -> str | None:
    """Return an id that a provider gave, where it can be one for the whole world."""
    return text if text is not None and len(text) >= _LONG else None


def _place(resource: Attributes) -> Place:
    return Place(
        resource.text("service.name") or "otlp",
        resource.text("process.working_directory"),
        resource.text("vcs.ref.head.name"),
        resource.text("vcs.repository.url.full", "vcs.repository.name"),
    )
