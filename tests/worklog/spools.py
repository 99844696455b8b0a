"""What a test sees of a spool: its entries, read with nothing but `json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def entries(folder: Path, *kinds: str) -> list[dict[str, Any]]:
    """Return the entries of all files, or those of some kinds; every line must be whole."""
    found = []
    for path in files(folder):
        text = path.read_bytes().decode()
        assert not text or text.endswith("\n"), path
        found += [json.loads(line) for line in text.splitlines()]
    return [entry for entry in found if not kinds or entry["kind"] in kinds]


def merged(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Return the entries of a kind with the later parts laid over the earlier ones."""
    parts: dict[str, dict[str, Any]] = {}
    for entry in entries(folder, kind):
        parts.setdefault(entry["id"], {}).update(entry)
    return list(parts.values())
