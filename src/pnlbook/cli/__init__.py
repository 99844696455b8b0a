"""The command line: one file a command group, and the only place that prints or exits."""

from __future__ import annotations

from pnlbook.cli.app import main

__all__ = ["main"]
