"""The command line: one file a command group, and the only place that prints or exits."""

from __future__ import annotations

import io
import os
import sys

from pnlbook.cli import ending

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit."""
    ending.notice_signals()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    code = _run()
    if ending.signalled():
        os._exit(code)  # what was to be tidied up is; the interpreter would call it a crash
    sys.exit(code)


def _run() -> int:
    try:
        from pnlbook.cli.app import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return ending.signalled()
