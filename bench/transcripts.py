"""Made-up transcripts of Claude Code, for benchmarks: the shape of real ones, the same for a seed.

A session is turns of a person's prompt and the model's responses. A response is written as one line
for each of its blocks, all with the same message id; a tool's result has its output twice, as the
model got it and as the program keeps it, for files with the whole file before the change.
"""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEXT = (
    "def return import self value error test path file line class none true list dict index query "
    "the a of to in it is that for on with as at by from table row column price hour node project"
)
_WORDS = _TEXT.split(" ")
_COMMANDS = ("npm test", "git status --short", "pytest -q tests", "rg -n 'def ' src", "make check")
_MODELS = ("claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-haiku-4-5-20251001")
_START = datetime(2026, 1, 5, 8, tzinfo=UTC)


def write(folder: Path, size: int, *, seed: int = 1, session_bytes: int = 4_000_000) -> list[Path]:
    """Write transcripts of about `size` bytes in all, and return their paths."""
    chance, written = random.Random(seed), 0
    files: list[Path] = []
    while written < size:
        session = _Session(chance, _START + timedelta(hours=7 * len(files)))
        project = folder / f"-home-dev-project-{len(files) % 20}"
        project.mkdir(parents=True, exist_ok=True)
        path = project / f"{session.id}.jsonl"
        length = 0
        with path.open("w", encoding="utf-8") as file:
            for line in session.lines(f"/home/dev/project-{len(files) % 20}"):
                length += file.write(line + "\n")
                if length >= min(session_bytes, size - written):
                    break
        written += path.stat().st_size
        files.append(path)
    return files


@dataclass
class _Session:
    """A session that goes on for as long as lines are asked for."""

    chance: random.Random
    now: datetime
    id: str = ""
    last: str | None = None
    cwd: str = ""
    version: str = "2.1.38"
    count: int = 0
    files: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.id = self._uuid()

    def lines(self, cwd: str) -> Iterator[str]:
        """Yield lines."""
        self.cwd = cwd
        while True:
            yield self._snapshot()
            yield self._user(_text(self.chance, 8, 80))
            for _ in range(self.chance.randint(2, 12)):
                yield from self._response(last=False)
            yield from self._response(last=True)

    def _response(self, *, last: bool) -> Iterator[str]:
        message, request = f"msg_{self._id()}", f"req_{self._id()}"
        model = self.chance.choice(_MODELS[:2])
        blocks: list[dict[str, Any]] = []
        if self._happens(60):
            signature = self._id() * 14
            thinking = _text(self.chance, 20, 200)
            blocks.append({"type": "thinking", "thinking": thinking, "signature": signature})
        if last or self._happens(40):
            blocks.append({"type": "text", "text": _text(self.chance, 10, 150)})
        tools = [] if last else [self._tool() for _ in range(self.chance.choice((1, 1, 1, 2)))]
        blocks += [block for block, _ in tools]
        usage = {
            "input_tokens": self.chance.randint(1, 60),
            "cache_creation_input_tokens": self.chance.randint(100, 9000),
            "cache_read_input_tokens": self.chance.randint(10_000, 150_000),
        }
        usage["cache_creation"] = {  # type: ignore[assignment]
            "ephemeral_5m_input_tokens": 0,
            "ephemeral_1h_input_tokens": usage["cache_creation_input_tokens"],
        }
        for number, block in enumerate(blocks):
            final = number == len(blocks) - 1
            output = self.chance.randint(100, 2000) if final else 8
            told = {**usage, "output_tokens": output, "service_tier": "standard"}
            if final:
                told["iterations"] = []
            body = {
                "model": model,
                "id": message,
                "type": "message",
                "role": "assistant",
                "content": [block],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": told,
            }
            yield self._line("assistant", {"message": body, "requestId": request})
        for block, outcome in tools:
            yield self._hook(block["id"])
            yield self._result(block["id"], *outcome)

    def _tool(self) -> tuple[dict[str, Any], tuple[str, Any, bool]]:
        kind = self.chance.choices(("Bash", "Read", "Edit", "Write", "Grep"), (8, 6, 5, 1, 3))[0]
        asked, outcome = getattr(self, f"_{kind.lower()}")()
        block = {"type": "tool_use", "id": f"toolu_{self._id()}", "name": kind, "input": asked}
        return block, outcome

    def _bash(self) -> tuple[dict[str, Any], tuple[str, Any, bool]]:
        asked = {"command": self.chance.choice(_COMMANDS), "description": _text(self.chance, 3, 8)}
        output = _code(self.chance, self.chance.choice((3, 10, 40, 300)))
        if self._happens(10):
            return asked, (f"Exit code 1\n{output}", f"Error: Exit code 1\n{output}", True)
        kept = {"stdout": output, "stderr": "", "interrupted": False, "isImage": False}
        return asked, (output, kept, False)

    def _read(self) -> tuple[dict[str, Any], tuple[str, Any, bool]]:
        path, text = self._file()
        numbered = "\n".join(f"{n:6}→{line}" for n, line in enumerate(text.split("\n"), 1))
        lines = text.count("\n") + 1
        kept = {"filePath": path, "content": text, "numLines": lines, "startLine": 1}
        return {"file_path": path}, (numbered, {"type": "text", "file": kept}, False)

    def _edit(self) -> tuple[dict[str, Any], tuple[str, Any, bool]]:
        path, text = self._file()
        lines = text.split("\n")
        at = self.chance.randrange(len(lines))
        new = _code(self.chance, self.chance.randint(1, 8)).split("\n")
        around = lines[max(0, at - 3) : at], lines[at + 1 : at + 4]
        hunk = {
            "oldStart": at,
            "oldLines": len(around[0]) + 1 + len(around[1]),
            "newStart": at,
            "newLines": len(around[0]) + len(new) + len(around[1]),
            "lines": [
                *(f" {line}" for line in around[0]),
                f"-{lines[at]}",
                *(f"+{line}" for line in new),
                *(f" {line}" for line in around[1]),
            ],
        }
        self.files[path] = "\n".join([*lines[:at], *new, *lines[at + 1 :]])
        asked = {"file_path": path, "old_string": lines[at], "new_string": "\n".join(new)}
        kept = {
            "filePath": path,
            "oldString": lines[at],
            "newString": "\n".join(new),
            "originalFile": text,
            "structuredPatch": [hunk],
            "userModified": False,
            "replaceAll": False,
        }
        return asked, (f"The file {path} has been updated.", kept, False)

    def _write(self) -> tuple[dict[str, Any], tuple[str, Any, bool]]:
        path, text = f"{self.cwd}/src/made_{self.count}.py", _code(self.chance, 60)
        self.files[path] = text
        kept = {"type": "create", "filePath": path, "content": text, "structuredPatch": []}
        said = f"File created successfully at: {path}"
        return {"file_path": path, "content": text}, (said, {**kept, "originalFile": None}, False)

    def _grep(self) -> tuple[dict[str, Any], tuple[str, Any, bool]]:
        found = [f"{self.cwd}/src/{word}.py" for word in self.chance.sample(_WORDS, 12)]
        kept = {"mode": "files_with_matches", "filenames": found, "numFiles": len(found)}
        return {"pattern": "def ", "path": self.cwd}, ("\n".join(found), kept, False)

    def _file(self) -> tuple[str, str]:
        path = f"{self.cwd}/src/{self.chance.choice(_WORDS)}.py"
        if path not in self.files:
            self.files[path] = _code(self.chance, self.chance.randint(20, 400))
        return path, self.files[path]

    def _happens(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    def _user(self, text: str) -> str:
        return self._line("user", {"message": {"role": "user", "content": text}})

    def _result(self, call: str, content: str, kept: object, failed: bool) -> str:  # noqa: FBT001
        block = {"tool_use_id": call, "type": "tool_result", "content": content}
        message = {"role": "user", "content": [{**block, "is_error": failed}]}
        return self._line("user", {"message": message, "toolUseResult": kept})

    def _hook(self, call: str) -> str:
        data = {"type": "hook_progress", "hookEvent": "PreToolUse", "command": "callback"}
        return self._line("progress", {"data": data, "toolUseID": call})

    def _snapshot(self) -> str:
        snapshot = {"messageId": self._uuid(), "trackedFileBackups": {}}
        return _json({"type": "file-history-snapshot", "snapshot": snapshot})

    def _line(self, kind: str, told: dict[str, Any]) -> str:
        self.now += timedelta(milliseconds=self.chance.randint(5, 9000))
        self.count += 1
        before, self.last = self.last, self._uuid()
        common = {
            "parentUuid": before,
            "isSidechain": False,
            "userType": "external",
            "cwd": self.cwd,
            "sessionId": self.id,
            "version": self.version,
            "gitBranch": "main",
        }
        at = self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return _json(common | told | {"type": kind, "uuid": self.last, "timestamp": at})

    def _uuid(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _id(self) -> str:
        return f"{self.chance.getrandbits(120):024x}"[:24]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(chance: random.Random, least: int, most: int) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(least, most)))


def _code(chance: random.Random, lines: int) -> str:
    return "\n".join(
        " " * 4 * chance.randint(0, 3) + " ".join(chance.choices(_WORDS, k=chance.randint(1, 12)))
        for _ in range(lines)
    )
