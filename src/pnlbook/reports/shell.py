"""The page of a report around its figures, as marimo is going to send it.

Everything is read from the files that marimo's page consists of, without importing marimo.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

# What the first paint needs: the style sheets, and the font of text and figures.
_LOOKS = re.compile(r'<link rel="(?:stylesheet"|preload" href="[^"]*/PTSans-)[^>]*>')


def head(title: str, style: str) -> str:
    """Return the start of a page up to its body; empty if that would not look like marimo's."""
    try:
        page = (_static() / "index.html").read_text(encoding="utf-8")
    except OSError:
        return ""
    looks = "".join(found[0] for found in _LOOKS.finditer(page))
    if "stylesheet" not in looks:
        return ""
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>{looks}<style>{style}</style></head><body>"
    )


def asset(name: str) -> Path | None:
    """Return a file that marimo's page loads, None when it is none."""
    return _assets().get(name)


@cache
def _assets() -> dict[str, Path]:
    folder = _static() / "assets"
    return {file.name: file for file in folder.iterdir()} if folder.is_dir() else {}


@cache
def _static() -> Path:
    spec = find_spec("marimo")
    return Path(spec.origin if spec and spec.origin else "").parent / "_static"
