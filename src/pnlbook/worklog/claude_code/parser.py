"""Lines of a transcript to records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pnlbook.worklog import agents, failures, subjects, toolbox
from pnlbook.worklog.agents import Spoken, Turn, Where
from pnlbook.worklog.assignment import Place
from pnlbook.worklog.claude_code import results, turns, usage
from pnlbook.worklog.claude_code.lines import INPUT, LINE, OUTCOME, PROGRESS, Input, Outcome
from pnlbook.worklog.claude_code.state import AGENT, Call, OpenMessage, OpenSession, State, oldest
from pnlbook.worklog.decoding import text_of
from pnlbook.worklog.failures import Failure
from pnlbook.worklog.instants import micros
from pnlbook.worklog.patches import UNKNOWN, Lines
from pnlbook.worklog.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pnlbook.worklog.claude_code.lines import Block, Line, Message
    from pnlbook.worklog.importer import Findings, Reading

_SYNTHETIC = "<synthetic>"  # the program itself wrote it, no model
_UNNAMED = "unknown"
_NOT_A_MESSAGE = "user:"
_INTERRUPTED = "Interrupted by the person."

_MESSAGES, _CALLS, _SESSIONS, _LINES = 32, 128, 16, 64  # how many of each are kept in the state

# Types of lines that tell nothing that the book has a place for.
_QUIET = frozenset(
    {
        "agent-name",
        "agent-setting",
        "attachment",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "queue-operation",
        "summary",
    }
)
_ENDS = frozenset({"turn_duration", "stop_hook_summary"})  # what is written when the model is done
_FILE_TOOLS = results.EDITORS | {"Read", "NotebookRead"}
_WITH_INPUT = _FILE_TOOLS | {"Bash", "PowerShell"}
_NO_INPUT = Input()


class Parser:
    """Reads the lines of one transcript."""

    def __init__(self, state: State, reading: Reading, findings: Findings) -> None:
        self._state = state
        self._reading = reading
        self._records = agents.Records(reading, findings)
        # what was touched in this reading and not added yet; dicts, to keep the order of lines
        self._messages: dict[str, None] = {}
        self._calls: dict[str, None] = {}
        self._sessions: dict[str, None] = {}
        self._places: dict[tuple[str | None, str | None], tuple[str | None, str | None, bool]] = {}

    def line(self, number: int, data: bytes) -> None:
        """Take a line. Raises NotARecord."""
        self._take(number, LINE.line(data))

    def finish(self) -> None:
        """Add what is still being put together and was touched in this reading."""
        state = self._state
        for key in self._messages:
            self._add_message(key, state.messages[key])
        for key in self._calls:
            self._add_call(state.calls[key])
        for key in self._sessions:
            self._add_session(key, state.sessions[key])
        for touched in (self._messages, self._calls, self._sessions):
            touched.clear()

    def state(self) -> str:
        """Return what must be known to go on, as JSON."""
        return msgspec.json.encode(self._state).decode()

    def _take(self, number: int, line: Line) -> None:
        kind = line.type
        if kind == "assistant":
            self._assistant(number, line)
        elif kind == "user":
            self._user(number, line)
        elif kind == "progress":
            self._progress(number, line)
        elif kind == "system":
            self._system(number, line)
        elif kind in {"ai-title", "custom-title"}:
            self._title(line)
        elif kind not in _QUIET:
            self._records.skip(kind or "a line without a type")

    # where a line belongs

    def _where(self, number: int, line: Line) -> Where | None:
        """Return what the line's records have in common; None (counted) when it cannot be told."""
        state = self._state
        at = micros(line.timestamp)
        if at is None:
            at = state.clock  # the line before is the best that is known
        origin, key = line.forked_from, line.session_id
        if origin is not None:
            key = origin.session_id or key
            line.uuid = origin.message_uuid or line.uuid
        if at is None or not key:
            self._records.skip(f"{line.type} without a session or an instant")
            return None
        state.clock = at
        agent = line.agent_id or None
        if agent is None and line.is_sidechain:
            agent = self._chain(line)
        place = self._places.get((line.cwd, line.git_branch)) or self._placed(line)
        session = self._session(key, number, at)
        if agent is None:
            _settle(session, line, place)
        task = session.turn.key if session.turn is not None else None
        return Where(key, agent, task, place[0], place[1], at, place[2])

    def _placed(self, line: Line) -> tuple[str | None, str | None, bool]:
        place = Place(AGENT, line.cwd, line.git_branch)
        assignments = self._reading.assignments
        found = (*assignments.of(place), assignments.is_subscription(place))
        self._places[line.cwd, line.git_branch] = found
        return found

    def _chain(self, line: Line) -> str:
        """Return the uuid of the first line of the sidechain that a line without agentId is in."""
        chains = self._state.chains
        first = chains.get(line.parent_uuid or "") or line.uuid or "sidechain"
        if line.uuid:
            chains[line.uuid] = first
            oldest(chains, _LINES)
        return first

    def _session(self, key: str, number: int, at: int) -> OpenSession:
        sessions = self._state.sessions
        session = sessions.get(key)
        if session is None:
            session = sessions[key] = OpenSession(number, at, at)
            evicted = oldest(sessions, _SESSIONS)
            if evicted is not None and evicted[0] in self._sessions:
                del self._sessions[evicted[0]]
                self._add_session(*evicted)
        elif at > session.completed_at:
            session.completed_at = at
        elif at < session.started_at:
            session.started_at = at
        self._sessions[key] = None
        return session

    def _follow(self, line: Line, message: str | None = None) -> str | None:
        """Note which message a line belongs to or follows; return the one that it answers."""
        state = self._state
        before = line.parent_uuid or ""
        parent = state.threads.get(before) or state.asides.get(before)
        belongs = message or parent
        if line.uuid and belongs is not None:
            lines = state.asides if line.type in {"progress", "system"} else state.threads
            lines[line.uuid] = belongs
            oldest(lines, _LINES)
        return None if parent == message else parent

    # what a model wrote

    def _assistant(self, number: int, line: Line) -> None:
        where = self._where(number, line)
        message = line.message
        if where is None or message is None:
            if where is not None:
                self._records.skip("assistant without a message")
            return
        key = message.id or line.uuid or f"{where.session}/{where.at}"
        session = self._state.sessions[where.session]
        failed = line.is_api_error_message is True
        parent = self._follow(line, key)
        if where.agent is None:
            where, command = self._work(session, where, failed=failed)
            parent = command or parent
        known = self._message(key, number, where)
        known.parent = known.parent or parent
        if failed:
            self._api_failure(number, where, line.uuid or key, line, message)
        elif message.model != _SYNTHETIC:
            session.answered = True
        self._put(known, line, message)
        if isinstance(message.content, list):
            for block in message.content:
                if block.type == "tool_use":
                    self._call(number, where, block)
        done = message.stop_reason in usage.DONE and not failed
        if done and where.agent is None and session.turn is not None:
            session.turn.end()

    def _work(
        self, session: OpenSession, where: Where, *, failed: bool
    ) -> tuple[Where, str | None]:
        """Note that the main agent is at work; return the command that it was set to work by."""
        command = session.command
        if command is not None:
            session.command = None
            where = replace(where, task=self._turn(session, command))
        turn = session.turn
        if turn is not None:
            turn.failing = False
            turn.answered = turn.answered or not failed
            turn.last_at = max(turn.last_at, where.at)
        return where, command.key if command is not None else None

    def _message(self, key: str, number: int, where: Where) -> OpenMessage:
        messages = self._state.messages
        known = messages.pop(key, None)
        if known is None:
            known = OpenMessage(number, where, where.at, where.at)
        elif where.at > known.completed_at:
            known.completed_at = where.at
        elif where.at < known.sent_at:
            known.sent_at = where.at
        messages[key] = known
        self._messages[key] = None
        evicted = oldest(messages, _MESSAGES)
        if evicted is not None and evicted[0] in self._messages:
            del self._messages[evicted[0]]
            self._add_message(*evicted)
        return known

    def _put(self, known: OpenMessage, line: Line, message: Message) -> None:
        """Add what a line has of a message to what its lines before had."""
        if message.model != _SYNTHETIC:
            known.model = known.model or message.model
            if message.usage is not None:
                usage.add(known.usage, message.usage)
                final = usage.is_final(message, is_main=known.where.agent is None)
                known.final = final or bool(known.final)
        known.request_id = known.request_id or line.request_id
        known.stop_reason = known.stop_reason or message.stop_reason
        if line.uuid:
            if line.uuid in known.counted:
                return
            known.counted.append(line.uuid)
        texts = _texts(message.content)
        if texts:
            known.chars += sum(map(len, texts))
            if self._reading.with_content:
                known.text = "\n".join([known.text, *texts] if known.text else texts)

    def _call(self, number: int, where: Where, block: Block) -> None:
        key, calls = block.id, self._state.calls
        if not key:
            self._records.skip("tool_use without an id")
            return
        if key in calls:
            return  # a copy
        tool = block.name or _UNNAMED
        asked = INPUT.part(block.input) if tool in _WITH_INPUT else _NO_INPUT
        path = (asked.file_path or asked.notebook_path) if tool in _FILE_TOOLS else None
        lines = results.draft(tool, asked) if tool in results.EDITORS else UNKNOWN
        calls[key] = Call(
            key=key,
            line=number,
            where=where,
            tool=tool,
            subject=subjects.subject(asked.command) if asked.command else path,
            waits=True if tool in toolbox.WAITING else None,
            path=path,
            added=lines.added,
            deleted=lines.deleted,
        )
        self._calls[key] = None
        evicted = oldest(calls, _CALLS)
        if evicted is not None and evicted[0] in self._calls:
            del self._calls[evicted[0]]
            self._add_call(evicted[1])
        turn = self._state.sessions[where.session].turn
        if turn is not None and tool not in turn.tools:
            turn.tools.append(tool)

    def _api_failure(
        self, number: int, where: Where, key: str, line: Line, message: Message
    ) -> None:
        kind = text_of(line.error)
        said = "\n".join(_texts(message.content)) or kind
        failure = Failure(key, failures.API, said, kind if kind.isidentifier() else None)
        self._records.add_error(number, where, failure)
        if where.agent is None:
            session = self._state.sessions[where.session]
            session.failed = True
            if session.turn is not None:
                session.turn.stop(failure.message)

    # what stands under the user's name

    def _user(self, number: int, line: Line) -> None:
        where = self._where(number, line)
        if where is None:
            return
        content = line.message.content if line.message is not None else None
        if content is None:
            self._records.skip("user without a message")
            self._follow(line)
            return
        blocks = content if isinstance(content, list) else []
        found = [block for block in blocks if block.type == "tool_result"]
        texts = _texts(content)
        if found:
            self._follow(line)
            raw = line.tool_use_result if len(found) == 1 else None
            for block in found:
                self._result(number, where, block, raw)
        elif where.agent is not None:
            self._asked(number, where, line, texts)
        else:
            self._spoken(number, where, line, texts, pictures=bool(blocks))
        if where.agent is None and turns.is_interruption(texts):
            turn = self._state.sessions[where.session].turn
            if turn is not None:
                turn.stop(_INTERRUPTED)
                turn.last_at = max(turn.last_at, where.at)

    def _asked(self, number: int, where: Where, line: Line, texts: Sequence[str]) -> None:
        """Take what a subagent was asked by the agent that started it."""
        if line.is_meta or not any(texts):
            self._follow(line)
            return
        key = _prompt_key(line, where)
        self._records.add_prompt(
            Spoken(key, number, where, self._follow(line, key), "\n".join(texts))
        )

    def _spoken(
        self, number: int, where: Where, line: Line, texts: Sequence[str], *, pictures: bool
    ) -> None:
        session = self._state.sessions[where.session]
        key = _prompt_key(line, where)
        said = turns.prompt(line, texts, pictures=pictures)
        if said is not None:
            session.command = None
            self._turn(session, Spoken(key, number, where, self._follow(line, key), said))
        elif turns.is_command(texts) and not line.is_meta:
            parent = self._follow(line)
            session.command = Spoken(key, number, where, parent, "\n".join(texts))
        else:
            self._follow(line)
            if turns.is_local(texts):
                session.command = None

    def _turn(self, session: OpenSession, said: Spoken) -> str:
        """Begin a turn with what a person said; return its key."""
        before, key = session.turn, said.key.removeprefix(_NOT_A_MESSAGE)
        if before is not None and before.key != key:
            before.end()
            self._records.add(before.last_at, before.row())
        where = replace(said.where, task=key)
        session.turn = Turn(key=key, line=said.line, where=where, last_at=where.at)
        if self._reading.with_content:
            session.turn.name = agents.title(said.text)
            session.prompt = session.prompt or agents.opening(said.text)
        self._records.add_prompt(replace(said, where=where))
        return key

    def _result(self, number: int, where: Where, block: Block, raw: msgspec.Raw | None) -> None:
        key = block.tool_use_id
        if not key:
            self._records.skip("tool_result without an id")
            return
        call = self._state.calls.pop(key, None)
        self._calls.pop(key, None)
        session = self._state.sessions[where.session]
        if where.agent is None and session.turn is not None:
            session.turn.last_at = max(session.turn.last_at, where.at)
        end = where.at if call is not None else None
        call = call or Call(key=key, line=number, where=where, tool=None)
        outcome, failure = Outcome(), None
        if block.is_error is True:
            said = text_of(block.content) or text_of(raw or b"")
            failure = Failure(key, results.error_class(said), said, telling=results.told(said))
            if failure.kind == failures.USER_REJECT and not session.bypass:
                call.waits = True  # a person was asked first
        elif raw is not None and _tells(call, data := bytes(raw)):
            outcome = OUTCOME.part(data)
            if outcome.interrupted:
                failure = Failure(key, failures.USER_REJECT, _INTERRUPTED)
            if outcome.user_modified:
                call.waits = True
        kind = failure.kind if failure is not None else None
        self._records.add(call.where.at, call.row(success=kind is None, failure=kind, end=end))
        if failure is not None:
            self._records.add_error(number, where, failure, call)
        elif call.tool in results.EDITORS or outcome.structured_patch is not None:
            self._change(number, where.at, call, outcome, block)

    def _change(self, number: int, at: int, call: Call, outcome: Outcome, block: Block) -> None:
        said = "" if outcome.type or outcome.structured_patch else text_of(block.content)
        edit = results.change(call.path or "", Lines(call.added, call.deleted), outcome, said)
        if edit.path:
            self._records.add(at, call.change(number, at, call.key, edit))
        else:
            self._records.skip("change of a file without its path")

    # what the program wrote

    def _progress(self, number: int, line: Line) -> None:
        told = PROGRESS.part(line.data) if line.data else None
        nested = told.message if told is not None else None
        if told is None or nested is None or nested.type not in {"assistant", "user"}:
            if self._where(number, line) is not None:
                self._follow(line)
            return
        nested.session_id, nested.forked_from = line.session_id, line.forked_from
        nested.cwd, nested.git_branch = line.cwd, line.git_branch
        nested.timestamp = nested.timestamp or line.timestamp
        nested.agent_id = told.agent_id or nested.agent_id or line.agent_id
        nested.is_sidechain = True
        self._follow(line)
        self._take(number, nested)

    def _system(self, number: int, line: Line) -> None:
        where = self._where(number, line)
        if where is None:
            return
        self._follow(line)
        turn = self._state.sessions[where.session].turn
        if line.subtype == "api_error":
            key = line.uuid or f"{where.session}/{where.at}"
            self._records.add_error(
                number, where, Failure(key, failures.API, _innermost(line.error))
            )
        elif line.subtype in _ENDS and where.agent is None and turn is not None:
            turn.end()

    def _title(self, line: Line) -> None:
        title, key = line.custom_title or line.ai_title, line.session_id or ""
        session = self._state.sessions.get(key)
        if session is not None and title and self._reading.with_content:
            session.title = redact(title)
            self._sessions[key] = None

    # what is put together over several lines

    def _add_message(self, key: str, known: OpenMessage) -> None:
        self._records.add(known.completed_at, known.row(key))

    def _add_call(self, call: Call) -> None:
        self._records.add(call.where.at, call.row(success=None, failure=None, end=None))

    def _add_session(self, key: str, session: OpenSession) -> None:
        if session.turn is not None:
            self._records.add(session.turn.last_at, session.turn.row())
        self._records.add(session.completed_at, session.row(key))


def _settle(session: OpenSession, line: Line, place: tuple[str | None, str | None, bool]) -> None:
    """Note where the main agent works: the first place is the session's."""
    if session.cwd is None and line.cwd:
        session.cwd, session.branch = line.cwd, line.git_branch
        session.node, session.project, _ = place
    if line.version and (session.version is None or line.version > session.version):
        session.version = line.version
    if line.permission_mode is not None:
        session.bypass = line.permission_mode == "bypassPermissions"


def _prompt_key(line: Line, where: Where) -> str:
    """Return the key of a prompt's message, which must not be that of a model's."""
    key = line.uuid or f"{where.session}/{where.at}"
    return f"{_NOT_A_MESSAGE}{key}" if key.startswith("msg_") else key


def _texts(content: str | list[Block] | None) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [block.text for block in content or () if block.type == "text" and block.text]


def _tells(call: Call, result: bytes) -> bool:
    """Whether a successful result says more than that: a change of a file, an interruption."""
    if call.tool in results.EDITORS:
        return True
    return (
        b'"interrupted":true' in result
        or b'"interrupted": true' in result
        or (call.tool is None and b'"structuredPatch"' in result)
    )


def _innermost(error: msgspec.Raw) -> str:
    """Return the innermost message of an API error, which is wrapped in errors."""
    said = text_of(error)
    try:
        value = msgspec.json.decode(error) if error else None
    except (ValueError, RecursionError):
        value = None
    while isinstance(value, dict):
        if isinstance(value.get("message"), str):
            said = value["message"]
        value = value.get("error")
    return said
