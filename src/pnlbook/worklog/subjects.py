"""What a command is about: its program, and its subcommand where programs of its kind have one.

Nothing else of a command is kept: arguments may hold anything, secrets included.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 4096  # the rest of a longer command is the text it writes
_PROGRAM = re.compile(r"[\w][\w.+-]{0,63}", re.ASCII)
_SUBCOMMAND = re.compile(r"[A-Za-z][\w:.-]{0,63}", re.ASCII)
_BETWEEN = re.compile(r"\n|&&|\|\||[;|&]")
_ASSIGNMENT = re.compile(r"\w+=", re.ASCII)

# A command line often begins with what only prepares it.
_PREPARING = frozenset({"cd", "pushd", "export", "set", "source", ".", "unset", "umask", "ulimit"})
_WRAPPERS = frozenset(
    {"sudo", "env", "time", "timeout", "nohup", "nice", "exec", "command", "stdbuf", "xargs"}
)
_WITH_SUBCOMMANDS = frozenset(
    (
        *("apt", "apt-get", "az", "aws", "brew", "bun", "bundle", "cargo", "composer", "conda"),
        *("deno", "docker", "docker-compose", "dotnet", "flutter", "gcloud", "gh", "git", "glab"),
        *("go", "gradle", "gradlew", "helm", "just", "kubectl", "make", "mise", "mix", "mvn"),
        *("npm", "npx", "nx", "pip", "pip3", "pipx", "pnpm", "pnlbook", "podman", "poetry"),
        *("pre-commit", "rails", "rake", "rustup", "swift", "systemctl", "task", "terraform"),
        *("turbo", "uv", "uvx", "vercel", "yarn"),
    )
)
_MODULES = frozenset({"python", "python3"})  # `python -m pytest` is about pytest
_WRAPPER_VALUE = frozenset({"-u", "-g", "-n", "-k", "-s", "-C", "-I", "-P"})
_TAKES_VALUE: Final = frozenset(
    {"-C", "-c", "-f", "-H", "-n", "-p", "-w", "--context", "--cwd", "--directory", "--dir"}
    | {"--filter", "--git-dir", "--manifest-path", "--namespace", "--prefix", "--profile"}
    | {"--project", "--region", "--work-tree", "--workspace"}
)


@lru_cache(maxsize=4096)
def subject(command: str) -> str | None:
    """Return e.g. `npm test` or `pytest`; None when the command names no program."""
    found = [one for part in _BETWEEN.split(command[:_LONGEST]) if (one := _program(part))]
    telling = (one for one in found if one.partition(" ")[0] not in _PREPARING)
    return next(telling, found[0] if found else None)


def _program(part: str) -> str | None:
    words = iter(part.split())
    name = next(_unwrapped(words), None)
    if name is None or not _PROGRAM.fullmatch(name):
        return None
    if name in _WITH_SUBCOMMANDS:
        sub = _word(words)
        return f"{name} {sub}" if sub and _SUBCOMMAND.fullmatch(sub) else name
    if name in _MODULES and next(words, None) == "-m":
        module = next(words, "")
        return f"{name} {module}" if _SUBCOMMAND.fullmatch(module) else name
    return name


def _unwrapped(words: Iterator[str]) -> Iterator[str]:
    """Yield the program, past assignments, wrappers and what wrappers take."""
    wrapped = False
    for word in words:
        if wrapped and word in _WRAPPER_VALUE:
            next(words, None)
            continue
        name = word.strip("\"'()`{}").rpartition("/")[2]
        if name in _WRAPPERS:
            wrapped = True
        elif not (_ASSIGNMENT.match(word) or (wrapped and not name[:1].isalpha())):
            yield name


def _word(words: Iterator[str]) -> str | None:
    """Return the first word that is neither a flag nor a flag's value."""
    for word in words:
        if word in _TAKES_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None
