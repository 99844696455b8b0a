"""Objects for vaults to keep."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Object:
    """A file under the name that its bytes give it."""

    name: str
    path: Path
    data: bytes


def make_object(folder: Path, data: bytes) -> Object:
    name = hashlib.sha256(data).hexdigest()
    path = folder / f"{name}.source"
    path.write_bytes(data)
    return Object(name, path, data)


def make_changed(folder: Path, thing: Object, data: bytes) -> Object:
    """Return a file that claims the name of another object."""
    path = folder / "changed.source"
    path.write_bytes(data)
    return Object(thing.name, path, data)
