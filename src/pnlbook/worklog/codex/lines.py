"""What of a rollout's line is read; everything else in it is passed over undecoded."""

from __future__ import annotations

from typing import Final

import msgspec

from pnlbook.worklog.decoding import NO_JSON, Count, Loose


class Totals(msgspec.Struct, gc=False, frozen=True):
    """Token counters; input holds what was cached, output holds reasoning."""

    input_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    output_tokens: Count | None = None


class Info(msgspec.Struct, gc=False):
    """Counters since the session began, and of the last response."""

    total_token_usage: Totals | None = None
    last_token_usage: Totals | None = None


class Git(msgspec.Struct, gc=False):
    """The repository that a session began in."""

    branch: str | None = None
    repository_url: str | None = None


class Action(msgspec.Struct, gc=False):
    """What a local shell call runs."""

    command: str | list[str] | None = None


class Spawn(msgspec.Struct, gc=False):
    """Which session started a subagent."""

    parent_thread_id: str | None = None


class Subagent(msgspec.Struct, gc=False):
    """How a subagent came to be."""

    thread_spawn: Spawn | None = None


class Source(msgspec.Struct, gc=False):
    """Where a session came from."""

    subagent: str | Subagent | None = None


class Item(msgspec.Struct, gc=False):
    """An item that was completed, in rollouts that keep these instead of messages."""

    type: str | None = None
    content: msgspec.Raw = NO_JSON


class Payload(msgspec.Struct, gc=False):
    """What a line tells, of whatever type: most fields belong to some types only."""

    type: str | None = None
    id: str | None = None
    role: str | None = None
    content: msgspec.Raw = NO_JSON
    name: str | None = None
    arguments: msgspec.Raw = NO_JSON
    input: msgspec.Raw = NO_JSON
    call_id: str | None = None
    output: msgspec.Raw = NO_JSON
    status: str | None = None
    action: Action | None = None
    encrypted_content: msgspec.Raw = NO_JSON
    message: str | None = None
    info: Info | None = None
    turn_id: str | None = None
    reason: str | None = None
    success: bool | None = None
    exit_code: int | None = None
    changes: msgspec.Raw = NO_JSON
    item: Item | None = None
    # session_meta and turn_context
    session_id: str | None = None
    forked_from_id: str | None = None
    parent_thread_id: str | None = None
    timestamp: str | None = None
    cwd: str | None = None
    cli_version: str | None = None
    model: str | None = None
    git: Git | None = None
    source: str | Source | None = None
    approval_policy: str | None = None


class Line(msgspec.Struct, gc=False):
    """A line; the oldest rollouts have what is now the payload as the line itself."""

    timestamp: str | None = None
    type: str | None = None
    payload: Payload | None = None
    record_type: str | None = None
    id: str | None = None


class Arguments(msgspec.Struct, gc=False):
    """What a function was called with."""

    command: str | list[str] | None = None
    cmd: str | list[str] | None = None
    input: str | None = None
    patch: str | None = None
    path: str | None = None
    file_path: str | None = None
    session_id: int | str | None = None


class Added(msgspec.Struct, gc=False):
    """The text of a file that was added or deleted."""

    content: str | None = None


class Updated(msgspec.Struct, gc=False):
    """How a file was updated."""

    unified_diff: str | None = None
    move_path: str | None = None


class Changed(msgspec.Struct, gc=False):
    """What became of a file: one of the fields is told, or `type` says which it is."""

    type: str | None = None
    add: Added | None = None
    delete: Added | None = None
    update: Updated | None = None
    content: str | None = None
    unified_diff: str | None = None
    move_path: str | None = None


class Metadata(msgspec.Struct, gc=False):
    """How a command ended."""

    exit_code: int | None = None


class Output(msgspec.Struct, gc=False):
    """The output of a tool, in versions that write it as an object."""

    output: str | None = None
    content: msgspec.Raw = NO_JSON
    success: bool | None = None
    metadata: Metadata | None = None


LINE: Final = Loose(Line)
PAYLOAD: Final = Loose(Payload)
ARGUMENTS: Final = Loose(Arguments)
OUTPUT: Final = Loose(Output)
CHANGED: Final = Loose(Changed)
