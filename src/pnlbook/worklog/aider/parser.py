"""Chat histories of aider, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pnlbook.worklog import failures
from pnlbook.worklog.aider import lines
from pnlbook.worklog.aider.state import State, Text, Usage
from pnlbook.worklog.failures import Failure
from pnlbook.worklog.files import file_class
from pnlbook.worklog.lines import NotARecord
from pnlbook.worklog.records import Change, Error, Message, Session, Tool

if TYPE_CHECKING:
    from decimal import Decimal

    from pnlbook.worklog.assignment import Place
    from pnlbook.worklog.importer import Findings, Reading

_COMMANDS = ("/", "!")  # what `/ask` asks is written once more, as a prompt of its own
_BY_AIDER = ("# Fix any errors below, if possible.",)
_NOTHING = "<blank>"  # how a prompt without text is written
_OPENING = 2000  # characters of a session's first prompt
_LOST = "The beginning of its session is not known, so neither is its date."

# Notices of failures: how they begin, their type and class, and the tool that failed.
_FAILURES = (
    ("The LLM did not conform to the edit format", "edit_format", failures.TOOL, "edit"),
    ("Attempt to fix lint errors", "lint_failed", failures.EXIT_CODE, "lint"),
    ("Attempt to fix test errors", "test_failed", failures.EXIT_CODE, "test"),
    ("Unexpected error:", "unexpected_error", failures.API, None),
)
_RETRY = "Retrying in "
_TOKEN_LIMIT = "has hit a token limit"  # noqa: S105 - of a model
_EDITED = "Applied edit to "
_VERSION = "Aider v"


class Parser:
    """Takes the lines of one history."""

    def __init__(
        self, place: Place, state: str | None, reading: Reading, findings: Findings
    ) -> None:
        self._state = State() if state is None else msgspec.json.decode(state, type=State)
        self._place = place
        self._reading = reading
        self._findings = findings
        self._owner = reading.assignments.of(place)
        self._estimate = reading.assignments.is_subscription(place) or None

    def line(self, number: int, data: bytes) -> None:
        """Add what a line tells. Raises NotARecord for what has no date."""
        text = data.decode("utf-8", "replace")
        start = lines.session(text)
        if start is not None:
            self._begin(start, number)
            return
        if self._state.at is None:
            self._pass_over(text)
            return
        self._state.take(data)
        self._close(number, text)
        self._take(number, text)

    def finish(self) -> None:
        """Add what may go on, as far as it is known."""
        state = self._state
        if state.at is None:
            return
        self._end_prompt()
        self._end_answer(None)
        self._session()

    def state(self) -> str:
        """Return the state as JSON; of texts it has what the book has."""
        state = self._state
        texts = [state.prompt, state.answer]
        if state.usage is not None:
            texts.append(state.usage.text)
        for text in texts:
            if text is not None:
                text.redacted()
        state.said = failures.normalised(state.said or "")
        return msgspec.json.encode(state).decode()

    def _pass_over(self, text: str) -> None:
        if lines.tokens(text) is not None:
            raise NotARecord(_LOST)
        if lines.prompt(text) is not None or lines.notice(text) is not None:
            self._findings.skipped["line of a session without a beginning"] += 1

    def _begin(self, start: str, number: int) -> None:
        before = self._state
        if before.at is not None:
            self._end_prompt()
            self._end_answer(None)
            self._session(ended=True)
        again = before.again + 1 if before.start == start else 1
        at = lines.instant(start)
        self._state = State(start=start, at=at, again=again, first_line=number)
        if at is None:
            message = "It names no time that there is."
            raise NotARecord(message)

    def _close(self, number: int, text: str) -> None:
        """End what the line does not go on with."""
        state = self._state
        if state.prompt is not None:
            follows = number == state.prompt.at + 1 and lines.prompt(text) is not None
            if not follows:
                self._end_prompt()
                state.prompt = None
        if state.usage is not None:
            self._end_answer(lines.cost(text))
            state.usage = None

    def _take(self, number: int, text: str) -> None:
        state = self._state
        said = lines.prompt(text)
        if said is not None:
            self._prompt(number, said)
            return
        tokens = lines.tokens(text)
        if tokens is not None:
            self._answer(number, tokens)
            return
        if lines.is_commit(text):
            self._tool("commit", number, "git commit", "command")
            return
        told = lines.notice(text)
        if told is not None:
            self._notice(number, told)
        elif lines.cost(text) is None:
            state.answer.add(number, text, with_content=self._reading.with_content)

    def _prompt(self, number: int, said: str) -> None:
        state = self._state
        if state.prompt is None:
            state.answer = Text()
            state.prompt = Text(key=state.key(), line=number)
        prompt = state.prompt
        prompt.add(number, said, with_content=self._reading.with_content)
        if prompt.role is None and said.strip():
            prompt.role = _role(said.strip())

    def _end_prompt(self) -> None:
        """Add the prompt, when it is one that a model is asked by."""
        state, prompt = self._state, self._state.prompt
        if prompt is None or not prompt.role:
            return
        content = prompt.redacted()
        if prompt.role == "user" and state.opened_by in {None, prompt.key}:
            state.opened_by = prompt.key
            state.opening = content and content.strip()[:_OPENING]
        self._add(
            Message(
                key=prompt.key,
                role=prompt.role,
                content=content,
                content_chars=prompt.chars,
                sent_at=state.at,
                **self._common(prompt.line),
            )
        )

    def _answer(self, number: int, tokens: lines.Tokens) -> None:
        state = self._state
        state.answered = True
        state.usage = Usage(
            key=state.key(),
            line=number,
            sent=tokens.uncached,
            cache_write=tokens.cache_write,
            cache_hit=tokens.cache_hit,
            received=tokens.received,
            model=state.model,
            text=state.answer,
        )
        state.answer = Text()
        if tokens.cost_usd is not None:
            self._end_answer(tokens.cost_usd)
            state.usage = None

    def _end_answer(self, cost: Decimal | None) -> None:
        """Add the answer whose tokens were met, with its cost."""
        usage = self._state.usage
        if usage is None:
            return
        estimate = "estimate" if cost is not None or self._estimate else None
        self._add(
            Message(
                key=usage.key,
                role="assistant",
                model=usage.model,
                content=usage.text.redacted(),
                content_chars=usage.text.chars,
                input_tokens=usage.sent,
                cache_read_tokens=usage.cache_hit,
                cache_write_5m_tokens=usage.cache_write,
                output_tokens=usage.received,
                usage_final=True,
                sent_at=self._state.at,
                cost_usd=cost,
                cost_basis=estimate,
                **self._common(usage.line),
            )
        )

    def _notice(self, number: int, said: str) -> None:
        state = self._state
        if said.startswith(_EDITED):
            self._edit(number, said.removeprefix(_EDITED))
        elif said.startswith(_VERSION):
            state.version = said.removeprefix(_VERSION).partition(" ")[0]
        elif said.startswith(_RETRY):
            self._error(number, Failure(state.key(), failures.API, state.said or said))
        elif _TOKEN_LIMIT in said:
            self._error(number, Failure(state.key(), failures.API, said, "token_limit"))
        else:
            state.model = lines.model(said) or state.model
            for begin, named, kind, tool in _FAILURES:
                if said.startswith(begin):
                    told = said if kind == failures.API else begin
                    self._error(number, Failure(state.key(), kind, told, named), tool)
        if said:
            state.said = said

    def _edit(self, number: int, path: str) -> None:
        key = self._tool("edit", number, path, "edit")
        self._add(
            Change(
                key=key,
                file_path=path,
                change_type="modified",
                origin="edit",
                file_class=file_class(path),
                changed_at=self._state.at,
                **self._common(number),
            )
        )

    def _error(self, number: int, failure: Failure, tool: str | None = None) -> None:
        if tool == "edit":
            self._tool(tool, number, None, "edit", error_class=failure.kind)
        self._add(
            Error(
                key=failure.key,
                error_type=failure.type,
                error_class=failure.kind,
                error_message=failure.message,
                tool_name=tool,
                occurred_at=self._state.at,
                **self._common(number),
            )
        )

    def _tool(
        self,
        name: str,
        number: int,
        subject: str | None,
        category: str,
        *,
        error_class: str | None = None,
    ) -> str:
        key = self._state.key()
        self._add(
            Tool(
                key=key,
                tool_name=name,
                tool_category=category,
                subject=subject,
                invocation_count=1,
                success_count=1 if error_class is None else 0,
                error_class=error_class,
                used_at=self._state.at,
                **self._common(number),
            )
        )
        return key

    def _session(self, *, ended: bool = False) -> None:
        state = self._state
        self._add(
            Session(
                key=state.session,
                line=state.first_line,
                node_id=self._owner[0],
                project_id=self._owner[1],
                status="completed" if ended or state.answered else None,
                initial_prompt=state.opening,
                agent=self._place.agent,
                agent_version=state.version,
                cwd=self._place.cwd,
                started_at=state.at,
            )
        )

    def _common(self, line: int) -> dict[str, Any]:
        node_id, project_id = self._owner
        return {
            "line": line,
            "node_id": node_id,
            "project_id": project_id,
            "session_id": self._state.session,
        }

    def _add(self, record: Message | Tool | Change | Error | Session) -> None:
        since, at = self._reading.since, self._state.at
        if since is None or (at is not None and at >= since):
            self._findings.add(record)


def _role(first: str) -> str:
    """Return who says a prompt that begins so; nobody where it is a command or no text."""
    if first.startswith(_COMMANDS) or first == _NOTHING:
        return ""
    return "system" if first.startswith(_BY_AIDER) else "user"
