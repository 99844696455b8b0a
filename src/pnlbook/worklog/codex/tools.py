"""The calls of tools in a rollout: what was asked, how they ended, which files they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook.worklog import failures, toolbox
from pnlbook.worklog.codex import calls, outputs
from pnlbook.worklog.codex.state import Call, State
from pnlbook.worklog.failures import Failure

if TYPE_CHECKING:
    from pnlbook.worklog.agents import Records, Where
    from pnlbook.worklog.codex.conversation import Conversation
    from pnlbook.worklog.codex.lines import Payload
    from pnlbook.worklog.codex.outputs import Ending
    from pnlbook.worklog.patches import Edit

_CALLS = 128  # how many calls without an end are kept
_POLL = "write_stdin"


class Tools:
    """Takes calls and their ends, and adds invocations, changes and errors."""

    def __init__(self, state: State, conversation: Conversation, records: Records) -> None:
        self._state = state
        self._conversation = conversation
        self._records = records
        self._changed: dict[str, None] = {}  # calls touched in this reading; keeps their order

    def finish(self) -> None:
        """Add the calls that were touched in this reading and have no end yet."""
        for key in self._changed:
            self._add(self._state.calls[key], success=None)
        self._changed.clear()

    def call(self, number: int, payload: Payload, *, timed: bool) -> None:
        """Take a call; timed: its line has an instant of its own."""
        response = self._conversation.respond(number, payload, "")
        call_id = payload.call_id or payload.id
        where = self._conversation.where()
        if response is None or where is None:
            return
        if not call_id:
            self._records.skip("call of a tool without an id")
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
            key=state.call_key(call_id, tool),
            line=number,
            where=where,
            tool=tool,
            subject=calls.about(tool, asked, edits),
            waits=True if tool in toolbox.WAITING else None,
            edits=edits,
            timed=timed,
        )
        self._changed[call_id] = None
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
        if call is not None and call_id in self._changed:
            del self._changed[call_id]
            self._add(call, success=None)

    def call_at_once(self, number: int, payload: Payload) -> None:
        """Take a call whose result comes with it."""
        response = self._conversation.respond(number, payload, "")
        where = self._conversation.where()
        if response is None or where is None:
            return
        tool = (payload.type or "").removesuffix("_call")
        call_id = payload.call_id or payload.id
        state, turn = self._state, self._state.turn
        if call_id is None:
            call_id = state.key("c", response.key, number - response.line)
        if turn is not None and tool not in turn.tools:
            turn.tools.append(tool)
        key = state.call_key(call_id, tool)
        call = Call(key=key, line=number, where=where, tool=tool, edits=[], timed=False)
        failed = payload.status == "failed"
        call.failure = failures.TOOL if failed else None
        self._add(call, success=None if payload.status is None else not failed)

    def output(self, number: int, payload: Payload, *, timed: bool) -> None:
        """Take what a call gave back, which may be that it still runs."""
        self._conversation.leave()
        call_id = payload.call_id
        if not call_id:
            self._records.skip("output of a tool without an id")
            return
        state = self._state
        ending = outputs.ending(payload.output)
        polled = state.polls.pop(call_id, None)
        if polled is not None:
            if ending.running is not None:
                return  # it still runs
            call_id = state.running.pop(polled, "")
        call, where = state.calls.get(call_id), self._conversation.where()
        if where is None:
            return
        if state.turn is not None:
            state.turn.last_at = max(state.turn.last_at, where.at)
        if call is None:
            if polled is None:
                self._records.skip("output of a tool without its call")
            return
        if ending.running is not None:
            state.running[ending.running] = call_id
            self._bound()
        else:
            del state.calls[call_id]
            self._changed.pop(call_id, None)
        self._finish_call(number, where, call, ending, timed=timed)

    def _finish_call(
        self, number: int, where: Where, call: Call, ending: Ending, *, timed: bool
    ) -> None:
        call.failure = ending.failure or call.failure
        if call.failure == failures.USER_REJECT and self._state.approval not in {"never", None}:
            call.waits = True  # a person was asked first
        end = where.at if timed and call.timed else None
        if call.failure is not None:
            self._add(call, success=False, end=end)
            telling = outputs.printed(ending.said)
            failure = Failure(call.key, call.failure, ending.said, telling=telling)
            self._records.add_error(number, where, failure, call)
        elif ending.running is not None:
            self._add(call, success=None, end=end)
        else:
            self._add(call, success=True, end=end)
            self._change(number, where.at, call, call.edits)

    def _ended(self, number: int, payload: Payload, failure: str | None, *, timed: bool) -> None:
        """Take an event that tells how a call ended; its output follows, or does not."""
        call = self._state.calls.get(payload.call_id or "")
        where = self._conversation.where()
        if call is None or where is None:
            return
        call.failure = call.failure or failure
        end = where.at if timed and call.timed else None
        self._add(call, success=call.failure is None, end=end)
        if call.failure is not None:
            self._records.add_error(number, where, Failure(call.key, call.failure, ""), call)

    def end(self, number: int, payload: Payload, *, timed: bool) -> None:
        """Take an event of the end of a command or a patch."""
        if payload.type == "patch_apply_end":
            self._patched(number, payload, timed=timed)
        elif payload.exit_code is not None:
            self._ended(number, payload, outputs.of_code(payload.exit_code), timed=timed)

    def _patched(self, number: int, payload: Payload, *, timed: bool) -> None:
        """Take the end of a patch."""
        call = self._state.calls.get(payload.call_id or "")
        failed = payload.success is False
        self._ended(number, payload, failures.TOOL if failed else None, timed=timed)
        where = self._conversation.where()
        if call is None or where is None or failed:
            return
        self._change(number, where.at, call, call.edits or calls.applied(payload.changes))
        call.edits = []

    def _change(self, number: int, at: int, call: Call, edits: list[Edit]) -> None:
        for edit in edits:
            self._records.add(at, call.change(number, at, f"{call.key}#{edit.path}", edit))

    def _add(self, call: Call, *, success: bool | None, end: int | None = None) -> None:
        row = call.row(success=success, failure=call.failure, end=end)
        self._records.add(call.where.at, row)
