"""How a run ends: every error becomes a sentence on stderr and an exit code.

A signal ends it as a shell expects: 128 and the number of the signal, without a word.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time

from pnlbook.errors import ExitCode, PnlbookError

INTERRUPTED = 128 + signal.SIGINT

_received: list[int] = []


def notice_signals() -> None:
    """Let SIGINT, SIGTERM and SIGHUP end the run by an exception, so that it can tidy up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, _receive)


def _receive(number: int, _frame: object) -> None:
    # DuckDB turns the exception into one of its own; the list tells what it was.
    _received.append(number)
    if _begins("duckdb"):
        os._exit(128 + number)  # an exception in there is a crash, and nothing is open yet
    signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
    threading.Thread(target=_keep_interrupting, daemon=True).start()
    raise KeyboardInterrupt


def _begins(module: str) -> bool:
    """Whether the module is being imported right now."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def _keep_interrupting() -> None:
    """Stop the statement that runs, also one that only begins after the signal."""
    while True:
        book = sys.modules.get("pnlbook.book")
        if book is not None:
            book.interrupt()
        time.sleep(0.05)


def signalled() -> int:
    """Return the exit code of the signal received, or 0."""
    return 128 + _received[0] if _received else 0


def failed(error: Exception, *, as_json: bool) -> int:
    """Print the error and return its exit code."""
    code = _exit_code(error)
    sentence = _sentence(error)
    if as_json:
        facts = {"kind": type(error).__name__, "message": sentence, "exit_code": int(code)}
        sys.stderr.write(json.dumps({"error": facts}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{_red('error:')} {sentence}\n")
    _give_up_output()
    return int(code)


def _exit_code(error: Exception) -> ExitCode:
    if isinstance(error, PnlbookError):
        return error.exit_code
    return ExitCode.USAGE if _is_usage(error) else ExitCode.FAILED


def _sentence(error: Exception) -> str:
    if isinstance(error, PnlbookError):
        return str(error)
    if _is_usage(error):
        return _usage(error)
    if type(error).__module__ == "_duckdb":
        return f"DuckDB could not go on: {error}"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    return (
        f"unexpected {type(error).__name__}: {error}\n"
        "This is a defect of pnlbook; run again with --debug to see where."
    )


def _is_usage(error: Exception) -> bool:
    # Click's own class, or that of the copy of Click inside newer versions of Typer.
    return hasattr(error, "format_message")


def _usage(error: Exception) -> str:
    sentence = str(error.format_message())  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    if context is None:
        return sentence
    return f"{sentence.rstrip('.')}. See '{context.command_path} --help'."


def _red(text: str) -> str:
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return f"\x1b[1;31m{text}\x1b[0m" if colour else text


def _give_up_output() -> None:
    """Keep the interpreter from complaining at exit when stdout cannot be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno in {errno.EPIPE, errno.ENOSPC, errno.EIO}:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
