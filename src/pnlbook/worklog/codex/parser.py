"""Lines of a rollout to records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pnlbook.worklog.agents import Records
from pnlbook.worklog.assignment import Place
from pnlbook.worklog.codex.conversation import Conversation
from pnlbook.worklog.codex.lines import LINE, PAYLOAD, Source, Subagent
from pnlbook.worklog.codex.state import AGENT, State
from pnlbook.worklog.codex.tools import Tools
from pnlbook.worklog.decoding import text_of
from pnlbook.worklog.instants import micros

if TYPE_CHECKING:
    from pnlbook.worklog.codex.lines import Line, Payload
    from pnlbook.worklog.importer import Findings, Reading

_PAUSE = 1_000_000  # microseconds between lines that no copying takes

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
        self._records = Records(reading, findings)
        self._conversation = Conversation(state, reading, self._records)
        self._tools = Tools(state, self._conversation, self._records)
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
        if self._changed:
            self._tools.finish()
            self._conversation.finish()
            self._add_session()
            self._changed = False

    def state(self) -> str:
        """Return what must be known to go on, as JSON."""
        return msgspec.json.encode(self._state).decode()

    def _pass(self, line: Line, kind: str | None) -> None:
        if line.record_type != "state" and kind not in _QUIET_LINES:
            self._records.skip(kind or "a line without a type")

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

    def _add_session(self) -> None:
        state = self._state
        place = Place(AGENT, state.first_cwd, state.branch, state.repository)
        session = state.row(*self._reading.assignments.of(place))
        if session is not None and session.completed_at is not None:
            self._records.add(session.completed_at, session)

    # what lines tell

    def _item(self, number: int, payload: Payload, *, timed: bool) -> None:
        kind = payload.type
        if kind == "message" or (kind is None and payload.role):
            text = text_of(payload.content)
            if payload.role == "user":
                self._conversation.under_user(number, text)
            elif payload.role == "assistant":
                self._conversation.answer(number, payload, text)
        elif kind == "reasoning":
            self._conversation.answer(number, payload, "")
        elif kind in _CALL_TYPES:
            self._tools.call(number, payload, timed=timed)
        elif kind in _AT_ONCE:
            self._tools.call_at_once(number, payload)
        elif kind in _OUTPUT_TYPES:
            self._tools.output(number, payload, timed=timed)
        elif kind not in _QUIET_ITEMS:
            self._records.skip(f"response_item {kind or 'without a type'}")

    def _event(self, number: int, payload: Payload, *, timed: bool) -> None:
        kind = payload.type
        if kind == "token_count":
            self._conversation.count(number, payload)
        elif kind == "user_message":
            self._conversation.say(number, payload.message or "")
        elif kind == "item_completed" and payload.item is not None:
            if payload.item.type == "UserMessage":
                self._conversation.say(number, text_of(payload.item.content))
        elif kind in {"task_started", "turn_started"}:
            self._state.turn_id = payload.turn_id or self._state.turn_id
        elif kind in {"task_complete", "turn_complete", "turn_aborted"}:
            self._conversation.close(payload)
        elif kind in {"error", "stream_error"}:
            self._conversation.fail(number, payload)
        elif kind in {"exec_command_end", "patch_apply_end"}:
            self._tools.end(number, payload, timed=timed)
        elif kind not in _QUIET_EVENTS:
            self._records.skip(f"event_msg {kind or 'without a type'}")


def _parent(payload: Payload, own: str) -> str | None:
    """Return the session that started a subagent; None for a session of its own."""
    source = payload.source
    if not isinstance(source, Source) or source.subagent is None:
        return None
    if payload.session_id not in {None, own}:
        return payload.session_id
    spawn = source.subagent.thread_spawn if isinstance(source.subagent, Subagent) else None
    return (spawn.parent_thread_id if spawn is not None else None) or payload.parent_thread_id
