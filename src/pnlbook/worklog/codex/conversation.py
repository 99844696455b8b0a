"""What a person and the model say in a rollout: prompts, turns, responses and their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pnlbook.worklog import agents, failures
from pnlbook.worklog.agents import Spoken, Where
from pnlbook.worklog.assignment import Place
from pnlbook.worklog.codex import turns, usage
from pnlbook.worklog.codex.state import AGENT, Candidate, Response, State, Turn
from pnlbook.worklog.failures import Failure

if TYPE_CHECKING:
    from pnlbook.worklog.codex.lines import Payload
    from pnlbook.worklog.importer import Reading


class Conversation:
    """Takes what is said, and adds turns and messages."""

    def __init__(self, state: State, reading: Reading, records: agents.Records) -> None:
        self._state = state
        self._reading = reading
        self._records = records

    def finish(self) -> None:
        """Add the response and the turn that are still being put together."""
        state = self._state
        if state.response is not None:
            self._add(state.response)
        if state.turn is not None:
            self._records.add(state.turn.last_at, state.turn.row())

    def where(self) -> Where | None:
        """Return what the records of the line have in common; None (counted) without an instant."""
        state = self._state
        if state.clock is None:
            self._records.skip("a line without an instant")
            return None
        if state.started_at is None:
            state.started_at = state.clock
        place = Place(AGENT, state.cwd, state.branch, state.repository)
        node, project = self._reading.assignments.of(place)
        subscription = self._reading.assignments.is_subscription(place)
        task = state.turn.key if state.turn is not None else None
        return Where(state.session, state.agent, task, node, project, state.clock, subscription)

    # the model

    def answer(self, number: int, payload: Payload, text: str) -> None:
        """Take text of the model, or its reasoning."""
        response = self.respond(number, payload, text)
        if response is not None and text:
            response.chars += len(text)
            if self._reading.with_content:
                response.text = f"{response.text}\n{text}" if response.text else text

    def respond(self, number: int, payload: Payload, text: str) -> Response | None:
        """Return the response that an item of the model belongs to."""
        self._promote()
        where = self.where()
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
        key = state.key("r", where.task, count, told)
        return self._open(Response(key, number, where, where.at, model=state.model))

    def _open(self, response: Response) -> Response:
        state = self._state
        if state.response is not None:
            self._add(state.response)
        if state.turn is not None:
            state.turn.responses += 1
        response.parent, state.last_message = state.last_message, response.key
        response.replayed = state.replaying
        state.response = response
        return response

    def leave(self) -> None:
        """Note that what follows is not the model's."""
        if self._state.response is not None:
            self._state.response.left = True

    def count(self, number: int, payload: Payload) -> None:
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
            where = self.where()
            if where is None:
                return
            total = state.totals
            key = state.key("u", total.input, total.cached, total.output)
            response = self._open(Response(key, number, where, where.at, model=state.model))
        response.tokens = took
        response.model = response.model or state.model

    def _add(self, response: Response) -> None:
        self._records.add(response.completed_at, response.row())

    # the person

    def under_user(self, number: int, text: str) -> None:
        """Take a message under the user's name, which the program writes under too."""
        state = self._state
        self.leave()
        if turns.is_machine(text):
            state.cwd = state.cwd or turns.told_cwd(text)
            state.first_cwd = state.first_cwd or state.cwd
        elif state.turn is not None and state.turn.event:
            state.turn.event = False  # the event beside has told it
        elif state.clock is not None:
            state.candidate = Candidate(number, text, state.clock)

    def say(self, number: int, text: str) -> None:
        """Take an event that tells what a person said."""
        state = self._state
        state.candidate = None
        self.leave()
        if state.clock is not None and not turns.is_machine(text):
            self._spoken(number, text, state.clock, event=True)

    def _promote(self) -> None:
        """Take what stands under the user's name as a prompt, now that the model is at work."""
        candidate = self._state.candidate
        if candidate is not None:
            self._state.candidate = None
            self._spoken(candidate.line, candidate.text, candidate.at, event=False)

    def _spoken(self, number: int, text: str, at: int, *, event: bool) -> None:
        state = self._state
        where = self.where()
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
        self._records.add_prompt(said)

    def _begin(self, number: int, text: str, where: Where) -> Turn:
        """Begin a turn, keyed by the program's own id where it is not one that has been."""
        state, before = self._state, self._state.turn
        if before is not None:
            before.end()
            self._records.add(before.last_at, before.row())
        state.turns += 1
        key = f"{AGENT}:{state.turn_id}"
        native = state.turn_id is not None and (before is None or before.key != key)
        if not native:
            key = state.key("t", state.turns, text)
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

    # ends of turns

    def close(self, payload: Payload) -> None:
        """Take the end of a turn."""
        self._promote()
        self.leave()
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

    def fail(self, number: int, payload: Payload) -> None:
        """Take a failure of the API."""
        self._promote()
        where = self.where()
        if where is None:
            return
        state, turn = self._state, self._state.turn
        said, final = payload.message or "", payload.type == "error"
        key = state.key("e", where.task, turn.errors if turn is not None else 0, said)
        failure = Failure(key, failures.API, said)
        state.failed = state.failed or final
        if turn is not None:
            turn.errors += 1
            if final:
                turn.stop(failure.message)
        self._records.add_error(number, where, failure)
