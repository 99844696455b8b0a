"""Lines of a rollout to records."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pnlbook.worklog import agents, failures, toolbox
from pnlbook.worklog.agents import Spoken, Where
from pnlbook.worklog.assignment import Place
from pnlbook.worklog.codex import calls, outputs, turns, usage
from pnlbook.worklog.codex.lines import LINE, PAYLOAD, Source, Subagent
from pnlbook.worklog.codex.state import AGENT, Call, Candidate, Response, State, Turn
from pnlbook.worklog.decoding import text_of
from pnlbook.worklog.failures import Failure
from pnlbook.worklog.instants import micros

if TYPE_CHECKING:
    from pnlbook.worklog.codex.lines import Line, Payload
    from pnlbook.worklog.codex.outputs import Ending
    from pnlbook.worklog.importer import Findings, Reading
    from pnlbook.worklog.patches import Edit
    from pnlbook.worklog.records import Record

_CALLS = 128  # how many calls without an end are kept
_UNIQUE = 20  # characters of an id that no other session has; models elsewhere count their calls
_PAUSE = 1_000_000  # microseconds between lines that no copying takes
_POLL = "write_stdin"

_CALL_TYPES = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "tool_search_call"}
)
_OUTPUT_TYPES = frozenset(
    {"function_call_output", "custom_tool_call_output", "local_shell_call_output"}
    | {"tool_search_output"}
)
_AT_ONCE = frozenset({"web_search_call", "image_generation_call"})  # no output follows
_QUIET_ITEMS = frozenset({"ghost_snapshot", "compaction", "context_compaction", "agent_message"})
_ITEMS = _CALL_TYPES | _OUTPUT_TYPES | _AT_ONCE | _QUIET_ITEMS | {"message", "reasoning"}
_QUIET_EVENTS = frozenset(
    {
        "agent_message",
        "agent_reasoning",
        "agent_reasoning_raw_content",
        "agent_reasoning_section_break",
        "context_compacted",
        "entered_review_mode",
        "exited_review_mode",
        "image_generation_end",
        "item_completed",
        "mcp_tool_call_end",
        "sub_agent_activity",
        "thread_goal_updated",
        "thread_name_updated",
        "thread_rolled_back",
        "thread_settings_applied",
        "view_image_tool_call",
        "web_search_end",
    }
)
_QUIET_LINES = frozenset({"compacted", "world_state"})


class Parser:
    """Reads the lines of one rollout."""

    def __init__(self, state: State, reading: Reading, findings: Findings) -> None:
        self._state = state
        self._reading = reading
        self._findings = findings
        self._changed_calls: dict[str, None] = {}
        self._changed = False

    def line(self, number: int, data: bytes) -> None:
        """Take a line. Raises NotARecord."""
        line = LINE.line(data)
        kind, payload = line.type, line.payload
        if payload is None and kind is None and line.id:
            kind, payload = "session_meta", PAYLOAD.line(data)
        elif payload is None and kind in _ITEMS:
            kind, payload = "response_item", PAYLOAD.line(data)
        if payload is None or not self._take(number, line, kind, payload):
            self._pass(line, kind)

    def finish(self) -> None:
        """Add what is still being put together and was touched in this reading."""
        state = self._state
        if not self._changed:
            return
        for key in self._changed_calls:
            self._add_call(state.calls[key], success=None)
        self._changed_calls.clear()
        if state.response is not None:
            self._add_response(state.response)
        if state.turn is not None:
            self._add(state.turn.last_at, state.turn.row())
        self._add_session()
        self._changed = False

    def state(self) -> str:
        """Return what must be known to go on, as JSON."""
        return msgspec.json.encode(self._state).decode()

    def _pass(self, line: Line, kind: str | None) -> None:
        if line.record_type != "state" and kind not in _QUIET_LINES:
            self._findings.skipped[kind or "a line without a type"] += 1

    def _take(self, number: int, line: Line, kind: str | None, payload: Payload) -> bool:
        """Take what a line tells; return whether its type is known."""
        at = micros(line.timestamp)
        self._changed = True
        if at is not None:
            self._tick(at)
            if self._state.completed_at is None or at > self._state.completed_at:
                self._state.completed_at = at
        if kind == "session_meta":
            self._meta(number, payload)
        elif kind == "turn_context":
            self._context(payload)
        elif kind == "response_item":
            self._item(number, payload, timed=at is not None)
        elif kind == "event_msg":
            self._event(number, payload, timed=at is not None)
        else:
            return False
        return True

    def _tick(self, at: int) -> None:
        """Note the instant of a line, and with it the end of what a fork repeats.

        A parent's lines are older than the fork, or were written at once when it began.
        """
        state = self._state
        if state.replaying and state.clock is not None and at - state.clock > _PAUSE:
            state.replaying = state.started_at is not None and at <= state.started_at
        state.clock = at

    # the session

    def _meta(self, number: int, payload: Payload) -> None:
        state = self._state
        own = payload.id or payload.session_id
        if own is None:
            return
        if state.known:
            if own not in {state.session, state.agent}:  # the history of a parent follows
                state.root = payload.forked_from_id or own
                state.forked = state.replaying = True
            return
        state.known, state.line = True, number
        state.session, state.root = own, payload.forked_from_id or own
        state.forked = state.replaying = payload.forked_from_id is not None
        parent = _parent(payload, own)
        if parent is not None:
            state.session, state.agent = parent, own
        state.cwd = state.first_cwd = payload.cwd
        state.version = payload.cli_version
        if payload.git is not None:
            state.branch, state.repository = payload.git.branch, payload.git.repository_url
        began = micros(payload.timestamp)
        state.started_at = began if began is not None else state.clock
        state.clock = state.clock if state.clock is not None else began

    def _context(self, payload: Payload) -> None:
        state = self._state
        state.model = payload.model or state.model
        state.turn_id = payload.turn_id or state.turn_id
        state.approval = payload.approval_policy or state.approval
        state.cwd = payload.cwd or state.cwd
        state.first_cwd = state.first_cwd or state.cwd

    def _where(self) -> Where | None:
        """Return what the records of the line have in common; None (counted) without an instant."""
        state = self._state
        if state.clock is None:
            self._findings.skipped["a line without an instant"] += 1
            return None
        if state.started_at is None:
            state.started_at = state.clock
        place = Place(AGENT, state.cwd, state.branch, state.repository)
        node, project = self._reading.assignments.of(place)
        subscription = self._reading.assignments.is_subscription(place)
        task = state.turn.key if state.turn is not None else None
        return Where(state.session, state.agent, task, node, project, state.clock, subscription)

    # what the model is told and what it answers

    def _item(self, number: int, payload: Payload, *, timed: bool) -> None:
        kind = payload.type
        if kind == "message" or (kind is None and payload.role):
            text = text_of(payload.content)
            if payload.role == "user":
                self._under_user(number, text)
            elif payload.role == "assistant":
                self._answer(number, payload, text)
        elif kind == "reasoning":
            self._answer(number, payload, "")
        elif kind in _CALL_TYPES:
            self._call(number, payload, timed=timed)
        elif kind in _AT_ONCE:
            self._at_once(number, payload)
        elif kind in _OUTPUT_TYPES:
            self._output(number, payload, timed=timed)
        elif kind not in _QUIET_ITEMS:
            self._findings.skipped[f"response_item {kind or 'without a type'}"] += 1

    def _under_user(self, number: int, text: str) -> None:
        state = self._state
        self._leave()
        if turns.is_machine(text):
            state.cwd = state.cwd or turns.told_cwd(text)
            state.first_cwd = state.first_cwd or state.cwd
        elif state.turn is not None and state.turn.event:
            state.turn.event = False  # the event beside has told it
        elif state.clock is not None:
            state.candidate = Candidate(number, text, state.clock)

    def _answer(self, number: int, payload: Payload, text: str) -> None:
        response = self._respond(number, payload, text)
        if response is not None and text:
            response.chars += len(text)
            if self._reading.with_content:
                response.text = f"{response.text}\n{text}" if response.text else text

    def _respond(self, number: int, payload: Payload, text: str) -> Response | None:
        """Return the response that an item of the model belongs to."""
        self._promote()
        where = self._where()
        if where is None:
            return None
        state, turn = self._state, self._state.turn
        state.answered = True
        if turn is not None:
            turn.failing, turn.answered, turn.event = False, True, False
            turn.last_at = max(turn.last_at, where.at)
        response = state.response
        if response is not None and not response.left and response.tokens is None:
            response.completed_at = max(response.completed_at, where.at)
            return response
        count = turn.responses if turn is not None else 0
        told = payload.call_id or payload.id or text or bytes(payload.encrypted_content)[:200]
        key = self._key("r", where.task, count, told)
        return self._open(Response(key, number, where, where.at, model=state.model))

    def _open(self, response: Response) -> Response:
        state = self._state
        if state.response is not None:
            self._add_response(state.response)
        if state.turn is not None:
            state.turn.responses += 1
        response.parent, state.last_message = state.last_message, response.key
        response.replayed = state.replaying
        state.response = response
        return response

    def _leave(self) -> None:
        if self._state.response is not None:
            self._state.response.left = True

    def _counted(self, number: int, payload: Payload) -> None:
        """Take token counters: what they gained is the response's before them."""
        state = self._state
        if payload.info is None:
            return
        found = usage.spent(payload.info, state.totals, forked=state.forked)
        if found is None:
            state.totals = state.totals or usage.read(payload.info.total_token_usage)
            return
        took, state.totals = found
        response = state.response
        if response is None or response.tokens is not None:
            where = self._where()
            if where is None:
                return
            total = state.totals
            key = self._key("u", total.input, total.cached, total.output)
            response = self._open(Response(key, number, where, where.at, model=state.model))
        response.tokens = took
        response.model = response.model or state.model

    # turns

    def _promote(self) -> None:
        """Take what stands under the user's name as a prompt, now that the model is at work."""
        candidate = self._state.candidate
        if candidate is not None:
            self._state.candidate = None
            self._spoken(candidate.line, candidate.text, candidate.at, event=False)

    def _spoken(self, number: int, text: str, at: int, *, event: bool) -> None:
        state = self._state
        where = self._where()
        if where is None:
            return
        where = replace(where, at=at)
        turn = state.turn
        same = turn is not None and turn.native and not turn.ended and not turn.failing
        if turn is not None and same and turn.key == f"{AGENT}:{state.turn_id}":
            turn.prompts += 1
        else:
            turn = self._begin(number, text, where)
        turn.event = event
        where = replace(where, task=turn.key)
        key = f"{turn.key}/p{turn.prompts}"
        said = Spoken(key, number, where, state.last_message, text)
        state.last_message = key
        if self._reading.with_content:
            turn.name = turn.name or agents.title(text)
            state.prompt = state.prompt or agents.opening(text)
        self._add(at, agents.prompt(said, with_content=self._reading.with_content))

    def _begin(self, number: int, text: str, where: Where) -> Turn:
        """Begin a turn, keyed by the program's own id where it is not one that has been."""
        state, before = self._state, self._state.turn
        if before is not None:
            before.end()
            self._add(before.last_at, before.row())
        state.turns += 1
        key = f"{AGENT}:{state.turn_id}"
        native = state.turn_id is not None and (before is None or before.key != key)
        if not native:
            key = self._key("t", state.turns, text)
        where = replace(where, task=key)
        state.turn = Turn(
            key=key,
            line=number,
            where=where,
            last_at=where.at,
            native=native,
            replayed=state.replaying,
        )
        return state.turn

    def _event(self, number: int, payload: Payload, *, timed: bool) -> None:
        kind = payload.type
        if kind == "token_count":
            self._counted(number, payload)
        elif kind == "user_message":
            self._said(number, payload.message or "")
        elif kind == "item_completed" and payload.item is not None:
            if payload.item.type == "UserMessage":
                self._said(number, text_of(payload.item.content))
        elif kind in {"task_started", "turn_started"}:
            self._state.turn_id = payload.turn_id or self._state.turn_id
        elif kind in {"task_complete", "turn_complete", "turn_aborted"}:
            self._close(payload)
        elif kind in {"error", "stream_error"}:
            self._api_failure(number, payload)
        elif kind in {"exec_command_end", "patch_apply_end"}:
            self._told_end(number, payload, timed=timed)
        elif kind not in _QUIET_EVENTS:
            self._findings.skipped[f"event_msg {kind or 'without a type'}"] += 1

    def _said(self, number: int, text: str) -> None:
        state = self._state
        state.candidate = None
        self._leave()
        if state.clock is not None and not turns.is_machine(text):
            self._spoken(number, text, state.clock, event=True)

    def _close(self, payload: Payload) -> None:
        self._promote()
        self._leave()
        state, turn = self._state, self._state.turn
        if turn is None or state.clock is None:
            return
        turn.last_at = max(turn.last_at, state.clock)
        if payload.type != "turn_aborted":
            turn.end()
        elif payload.reason in {None, "interrupted"}:
            turn.stop("Interrupted by the person.")
        else:
            turn.stop(failures.normalised(f"Stopped: {payload.reason}."))

    def _api_failure(self, number: int, payload: Payload) -> None:
        self._promote()
        where = self._where()
        if where is None:
            return
        state, turn = self._state, self._state.turn
        said, final = payload.message or "", payload.type == "error"
        key = self._key("e", where.task, turn.errors if turn is not None else 0, said)
        failure = Failure(key, failures.API, said)
        state.failed = state.failed or final
        if turn is not None:
            turn.errors += 1
            if final:
                turn.stop(failure.message)
        self._add_error(number, where, failure)

    # tools

    def _call(self, number: int, payload: Payload, *, timed: bool) -> None:
        response = self._respond(number, payload, "")
        call_id = payload.call_id or payload.id
        where = self._where()
        if response is None or where is None:
            return
        if not call_id:
            self._findings.skipped["call of a tool without an id"] += 1
            return
        state = self._state
        tool = payload.name or ("shell" if payload.action is not None else payload.type or "")
        asked = calls.arguments(payload)
        if tool == _POLL:
            if asked.session_id is not None:
                state.polls[call_id] = str(asked.session_id)
            return
        edits = calls.edits(asked, state.cwd)
        self._give_up(call_id)
        state.calls[call_id] = Call(
            key=self._call_key(call_id, tool),
            line=number,
            where=where,
            tool=tool,
            subject=calls.about(tool, asked, edits),
            waits=True if tool in toolbox.WAITING else None,
            edits=edits,
            timed=timed,
        )
        self._changed_calls[call_id] = None
        self._bound()
        if state.turn is not None and tool not in state.turn.tools:
            state.turn.tools.append(tool)

    def _bound(self) -> None:
        """Keep the state small: the oldest are given up."""
        state = self._state
        if len(state.calls) > _CALLS:
            self._give_up(next(iter(state.calls)))
        for known in (state.running, state.polls):
            if len(known) > _CALLS:
                del known[next(iter(known))]

    def _give_up(self, call_id: str) -> None:
        """Add a call whose end is no longer waited for."""
        call = self._state.calls.pop(call_id, None)
        if call is not None and call_id in self._changed_calls:
            del self._changed_calls[call_id]
            self._add_call(call, success=None)

    def _at_once(self, number: int, payload: Payload) -> None:
        """Take a call whose result comes with it."""
        response = self._respond(number, payload, "")
        where = self._where()
        if response is None or where is None:
            return
        tool = (payload.type or "").removesuffix("_call")
        call_id = payload.call_id or payload.id
        turn = self._state.turn
        if call_id is None:
            call_id = self._key("c", response.key, number - response.line)
        if turn is not None and tool not in turn.tools:
            turn.tools.append(tool)
        key = self._call_key(call_id, tool)
        call = Call(key=key, line=number, where=where, tool=tool, edits=[], timed=False)
        failed = payload.status == "failed"
        call.failure = failures.TOOL if failed else None
        self._add_call(call, success=None if payload.status is None else not failed)

    def _output(self, number: int, payload: Payload, *, timed: bool) -> None:
        self._leave()
        call_id = payload.call_id
        if not call_id:
            self._findings.skipped["output of a tool without an id"] += 1
            return
        state = self._state
        ending = outputs.ending(payload.output)
        polled = state.polls.pop(call_id, None)
        if polled is not None:
            if ending.running is not None:
                return  # it still runs
            call_id = state.running.pop(polled, "")
        call, where = state.calls.get(call_id), self._where()
        if where is None:
            return
        if state.turn is not None:
            state.turn.last_at = max(state.turn.last_at, where.at)
        if call is None:
            if polled is None:
                self._findings.skipped["output of a tool without its call"] += 1
            return
        if ending.running is not None:
            state.running[ending.running] = call_id
            self._bound()
        else:
            del state.calls[call_id]
            self._changed_calls.pop(call_id, None)
        self._finish_call(number, where, call, ending, timed=timed)

    def _finish_call(
        self, number: int, where: Where, call: Call, ending: Ending, *, timed: bool
    ) -> None:
        call.failure = ending.failure or call.failure
        if call.failure == failures.USER_REJECT and self._state.approval not in {"never", None}:
            call.waits = True  # a person was asked first
        end = where.at if timed and call.timed else None
        if call.failure is not None:
            self._add_call(call, success=False, end=end)
            telling = outputs.printed(ending.said)
            failure = Failure(call.key, call.failure, ending.said, telling=telling)
            self._add_error(number, where, failure, call)
        elif ending.running is not None:
            self._add_call(call, success=None, end=end)
        else:
            self._add_call(call, success=True, end=end)
            self._change(number, where.at, call, call.edits)

    def _ended(self, number: int, payload: Payload, failure: str | None, *, timed: bool) -> None:
        """Take an event that tells how a call ended; its output follows, or does not."""
        call = self._state.calls.get(payload.call_id or "")
        where = self._where()
        if call is None or where is None:
            return
        call.failure = call.failure or failure
        end = where.at if timed and call.timed else None
        self._add_call(call, success=call.failure is None, end=end)
        if call.failure is not None:
            self._add_error(number, where, Failure(call.key, call.failure, ""), call)

    def _told_end(self, number: int, payload: Payload, *, timed: bool) -> None:
        if payload.type == "patch_apply_end":
            self._patched(number, payload, timed=timed)
        elif payload.exit_code is not None:
            self._ended(number, payload, outputs.of_code(payload.exit_code), timed=timed)

    def _patched(self, number: int, payload: Payload, *, timed: bool) -> None:
        """Take the end of a patch."""
        call = self._state.calls.get(payload.call_id or "")
        failed = payload.success is False
        self._ended(number, payload, failures.TOOL if failed else None, timed=timed)
        where = self._where()
        if call is None or where is None or failed:
            return
        self._change(number, where.at, call, call.edits or calls.applied(payload.changes))
        call.edits = []

    def _change(self, number: int, at: int, call: Call, edits: list[Edit]) -> None:
        for edit in edits:
            self._add(at, call.change(number, at, f"{call.key}#{edit.path}", edit))

    # keys

    def _key(self, kind: str, *parts: str | bytes | int | None) -> str:
        """Return a key of what has none: by what it is, so that a copy has the same."""
        digest = hashlib.blake2b(digest_size=12)
        for part in parts:
            data = part if isinstance(part, bytes) else str(part).encode("utf-8", "replace")
            digest.update(len(data).to_bytes(8) + data)
        return f"{AGENT}:{self._state.root}/{kind}{digest.hexdigest()}"

    def _call_key(self, call_id: str, tool: str) -> str:
        if len(call_id) >= _UNIQUE:
            return f"{AGENT}:{call_id}"
        return f"{AGENT}:{self._state.root}/{call_id}/{tool}"

    # records

    def _add(self, at: int, record: Record) -> None:
        """Keep a record that ends at an instant, unless that is before what was asked for."""
        since = self._reading.since
        if since is None or at >= since:
            self._findings.add(record)

    def _add_response(self, known: Response) -> None:
        self._add(known.completed_at, known.row())

    def _add_call(self, call: Call, *, success: bool | None, end: int | None = None) -> None:
        self._add(call.where.at, call.row(success=success, failure=call.failure, end=end))

    def _add_session(self) -> None:
        state = self._state
        place = Place(AGENT, state.first_cwd, state.branch, state.repository)
        session = state.row(*self._reading.assignments.of(place))
        if session is not None and session.completed_at is not None:
            self._add(session.completed_at, session)

    def _add_error(
        self, number: int, where: Where, failure: Failure, call: Call | None = None
    ) -> None:
        content = self._reading.with_content
        self._add(where.at, agents.error(number, where, failure, call, with_content=content))


def _parent(payload: Payload, own: str) -> str | None:
    """Return the session that started a subagent; None for a session of its own."""
    source = payload.source
    if not isinstance(source, Source) or source.subagent is None:
        return None
    if payload.session_id not in {None, own}:
        return payload.session_id
    spawn = source.subagent.thread_spawn if isinstance(source.subagent, Subagent) else None
    return (spawn.parent_thread_id if spawn is not None else None) or payload.parent_thread_id
