"""Who made a commit: the agent that an author or co-author is, else the person.

An agent is known by the address or name that it signs with; `Claude` with a person's own address
is a person. Agents whose logs pnlbook reads have the name that their logs have.
"""

from __future__ import annotations

import re
from functools import lru_cache

_AGENTS = {
    "claude-code": r"<noreply@anthropic\.com>$"
    r"|^claude(?: code)?(?:\[bot\])?(?: <[^>]*\b(?:noreply|anthropic)\b[^>]*>)?$",
    "codex": r"<(?:noreply|codex)@openai\.com>$|^(?:openai )?codex\b|chatgpt-codex-connector",
    "aider": r"^aider\b|\(aider\)(?: <|$)|<[^>]*@aider\.chat>$",
    "copilot": r"^(?:github )?copilot\b|copilot@users\.noreply\.github\.com>$",
    "cursor": r"<cursoragent@cursor\.com>$|^cursor agent\b",
    "gemini": r"^gemini[ -](?:cli|code-assist)\b",
    "devin": r"devin-ai-integration\[bot\]",
    "jules": r"google-labs-jules\[bot\]",
    "amp": r"<amp@ampcode\.com>$",
    "opencode": r"^opencode\b",
}
_KNOWN = re.compile(
    "|".join(f"(?P<{name.replace('-', '_')}>{rule})" for name, rule in _AGENTS.items()),
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def agent_of(person: str) -> str | None:
    """Return the agent that `Name <address>` is; None for a person."""
    found = _KNOWN.search(person)
    return found.lastgroup.replace("_", "-") if found and found.lastgroup else None


def worker(author: str, co_authors: list[str]) -> str:
    """Return the first agent among author and co-authors, else the author's address or name."""
    agents = (agent_of(person) for person in (author, *co_authors))
    return next((agent for agent in agents if agent), None) or _address(author) or author


def _address(person: str) -> str:
    return person.rpartition("<")[2].rstrip(">").strip().lower() if "<" in person else ""
