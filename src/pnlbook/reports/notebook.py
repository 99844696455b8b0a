"""What is known of a notebook without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Notebook:
    """A report's file."""

    path: Path

    @property
    def name(self) -> str:
        """Return the name that the report is asked for by."""
        return self.path.stem

    @property
    def title(self) -> str:
        """Return the title of its page, empty if it has none of its own."""
        return self._settings.get("app_title", "")

    @property
    def style(self) -> str:
        """Return the style sheet that it adds to its page."""
        file = self._settings.get("css_file")
        return (self.path.parent / file).read_text(encoding="utf-8") if file else ""

    @cached_property
    def _settings(self) -> dict[str, str]:
        try:
            tree = ast.parse(self.path.read_text(encoding="utf-8"))
        except SyntaxError:
            return {}  # running it tells where
        return {
            node.arg: str(ast.literal_eval(node.value))
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg in {"app_title", "css_file"}
        }
