"""Which messages of a rollout a person wrote: the program adds context under the user's name."""

from __future__ import annotations

import re
from typing import Final

_MACHINE: Final = (
    "<environment_context>",
    "<user_instructions>",
    "<permissions instructions>",
    "<collaboration_mode>",
    "<multi_agent_mode>",
    "<apps_instructions>",
    "<plugins_instructions>",
    "<skills_instructions>",
    "<skill>",
    "<turn_aborted>",
    "<subagent_notification>",
    "<user_shell_command>",
    "<user_action>",
    "<INSTRUCTIONS>",
    "# AGENTS.md instructions",
    "You are `/root`",
)
_CWD = re.compile(r"<cwd>([^<\n]+)</cwd>|Current working directory: ([^\n<]+)")


def is_machine(text: str) -> bool:
    """Whether a message under the user's name is the program's."""
    start = text.lstrip()
    return not start or start.startswith(_MACHINE)


def told_cwd(text: str) -> str | None:
    """Return the folder that a context message names."""
    found = _CWD.search(text) if text.lstrip().startswith("<environment_context>") else None
    return (found.group(1) or found.group(2)).strip() if found else None
