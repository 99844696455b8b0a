"""What of a transcript's line is read; everything else in it is passed over undecoded."""

from __future__ import annotations

from typing import Final

import msgspec

from pnlbook.worklog.decoding import NO_JSON, Count, Loose


class _Part(msgspec.Struct, gc=False, rename="camel"):
    """Names are camelCase in a transcript itself."""


class _ApiPart(msgspec.Struct, gc=False):
    """Names are snake_case in what the API answered."""


class CacheCreation(_ApiPart):
    """Input tokens written to caches of either duration."""

    ephemeral_5m_input_tokens: Count | None = None
    ephemeral_1h_input_tokens: Count | None = None


class Usage(_ApiPart):
    """Token counters of a response, as known when the line was written."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_creation: CacheCreation | None = None
    iterations: msgspec.Raw = NO_JSON


class Block(_ApiPart):
    """A block of a message's content: text, tool_use or tool_result."""

    type: str | None = None
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = NO_JSON
    tool_use_id: str | None = None
    content: msgspec.Raw = NO_JSON
    is_error: bool | None = None


class Message(_ApiPart):
    """A message as the API has it."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    content: str | list[Block] | None = None
    usage: Usage | None = None


class Origin(_Part):
    """Where a line was copied from when its session was forked."""

    session_id: str | None = None
    message_uuid: str | None = None


class Kind(_Part):
    """Who a user's line came from, in versions that say so."""

    kind: str | None = None


class Line(_Part):
    """A line."""

    type: str | None = None
    subtype: str | None = None
    uuid: str | None = None
    parent_uuid: str | None = None
    session_id: str | None = None
    timestamp: str | None = None
    cwd: str | None = None
    git_branch: str | None = None
    version: str | None = None
    is_sidechain: bool | None = None
    agent_id: str | None = None
    request_id: str | None = None
    is_meta: bool | None = None
    is_compact_summary: bool | None = None
    is_api_error_message: bool | None = None
    permission_mode: str | None = None
    forked_from: Origin | None = None
    origin: Kind | None = None
    message: Message | None = None
    tool_use_result: msgspec.Raw = NO_JSON
    data: msgspec.Raw = NO_JSON
    error: msgspec.Raw = NO_JSON
    ai_title: str | None = None
    custom_title: str | None = None


class Progress(_Part):
    """What a `progress` line tells: a line of a subagent, when it is one."""

    agent_id: str | None = None
    message: Line | None = None


class Hunk(_Part):
    """A hunk of a structured patch."""

    lines: list[str] | None = None


class Outcome(_Part):
    """What a tool that changes files, or a command, came to."""

    type: str | None = None
    file_path: str | None = None
    content: str | None = None
    structured_patch: list[Hunk] | None = None
    user_modified: bool | None = None
    interrupted: bool | None = None
    original_file: msgspec.Raw = NO_JSON
    # NotebookEdit writes snake_case
    notebook_path: str | None = msgspec.field(default=None, name="notebook_path")
    notebook_before: str | None = msgspec.field(default=None, name="original_file")
    notebook_after: str | None = msgspec.field(default=None, name="updated_file")


class Replacement(_ApiPart):
    """One edit of MultiEdit."""

    old_string: str | None = None
    new_string: str | None = None


class Input(_ApiPart):
    """What a tool was called with."""

    file_path: str | None = None
    notebook_path: str | None = None
    path: str | None = None
    command: str | None = None
    content: str | None = None
    old_string: str | None = None
    new_string: str | None = None
    replace_all: bool | None = None
    edits: list[Replacement] | None = None
    edit_mode: str | None = None
    new_source: str | None = None


LINE: Final = Loose(Line)
PROGRESS: Final = Loose(Progress)
OUTCOME: Final = Loose(Outcome)
INPUT: Final = Loose(Input)
