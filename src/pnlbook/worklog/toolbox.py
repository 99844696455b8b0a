"""The tools of agents: what kind each is, and which wait for a person to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS: Mapping[str, tuple[str, ...]] = {
    "read": ("Read", "Glob", "Grep", "LS", "NotebookRead", "view_image", "read_file", "list_dir"),
    "edit": ("Edit", "Write", "MultiEdit", "NotebookEdit", "apply_patch"),
    "command": (
        *("Bash", "BashOutput", "KillBash", "KillShell", "PowerShell"),
        *("shell", "shell_command", "local_shell", "exec_command", "exec", "write_stdin"),
    ),
    "web": ("WebFetch", "WebSearch", "web_search"),
    "agent": ("Task", "Agent", "TaskOutput", "TaskStop", "SendMessage", "spawn_agent"),
    "plan": (
        *("TodoWrite", "TodoRead", "EnterPlanMode", "ExitPlanMode", "update_plan"),
        *("TaskCreate", "TaskUpdate", "TaskList", "TaskGet"),
    ),
    "skill": ("Skill", "SlashCommand"),
    "person": ("AskUserQuestion", "request_user_input"),
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names}

WAITING: Final = frozenset({"AskUserQuestion", "ExitPlanMode", "request_user_input"})


def category(tool: str) -> str:
    """Return read, edit, command, web, agent, plan, skill, person, mcp or other."""
    kind = _KIND_OF.get(tool)
    if kind is not None:
        return kind
    return "mcp" if tool.startswith("mcp__") else "other"
