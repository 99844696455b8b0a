"""What spans and events come to: sessions put together, and whose work they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pnlbook.worklog.assignment import Place
from pnlbook.worklog.importer import Sink
from pnlbook.worklog.records import Session

if TYPE_CHECKING:
    from pnlbook.worklog.otlp.wire import Attributes, Span

_LONG = 20  # ids below are no identity: Ollama numbers its answers from 0 to 998


@dataclass
class Work(Sink):
    """Takes the records of one log, and the sessions that they belong to."""

    _sessions: dict[tuple[str, str | None, str | None], Session] = field(default_factory=dict)

    def owner(self, resource: Attributes) -> tuple[str | None, str | None]:
        """Return node and project of what a program did."""
        return self.reading.assignments.of(_place(resource))

    def is_subscription(self, resource: Attributes) -> bool:
        """Whether the models of a program are paid by subscription."""
        return self.reading.assignments.is_subscription(_place(resource))

    def session(self, key: str, span: Span, line: int, *, status: str | None = None) -> None:
        """Widen a session by a span."""
        self._widen(key, self.owner(span.resource), span, line, status)

    def shared_session(self, key: str, span: Span, line: int, *, status: str | None) -> None:
        """Widen a session that transcripts may know too, with the place where it was.

        Where a rule goes by a place that the span lacks, the span does not say whose it is.
        """
        place = _place(span.resource)
        owner = (None, None) if self._asks_for_more(place) else self.owner(span.resource)
        self._widen(key, owner, span, line, status)

    def finish(self) -> None:
        """Add the sessions."""
        for session in self._sessions.values():
            self.findings.add(session)
        self._sessions.clear()

    def _widen(
        self,
        key: str,
        owner: tuple[str | None, str | None],
        span: Span,
        line: int,
        status: str | None,
    ) -> None:
        start, end = span.started_at, span.ended_at
        since = self.reading.since
        if start is None or end is None or (since is not None and end < since):
            return
        known = self._sessions.get((key, *owner))
        if known is None:
            known = self._sessions[key, *owner] = _begun(key, owner, span, line)
        known.started_at = min(known.started_at or start, start)
        known.completed_at = max(known.completed_at or end, end)
        known.line = min(known.line, line)
        known.status = known.status or status

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


def _begun(key: str, owner: tuple[str | None, str | None], span: Span, line: int) -> Session:
    resource = span.resource
    place = _place(resource)
    return Session(
        key=key,
        line=line,
        node_id=owner[0],
        project_id=owner[1],
        agent=place.agent,
        agent_version=resource.text("service.version"),
        environment=resource.text("deployment.environment.name", "deployment.environment"),
        cwd=place.cwd,
        branch=place.branch,
    )


def _place(resource: Attributes) -> Place:
    return Place(
        resource.text("service.name") or "otlp",
        resource.text("process.working_directory"),
        resource.text("vcs.ref.head.name"),
        resource.text("vcs.repository.url.full", "vcs.repository.name"),
    )
