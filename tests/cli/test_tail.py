"""`worklog tail` beside programs that write: a line for all that happens, and a clean end."""

from __future__ import annotations

import json
import os
import pty
import re
import selectors
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pnlbook.worklog import WorkHistoryLogger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 30.0
_WRITER = """
import sys
from pnlbook.worklog import WorkHistoryLogger

log = WorkHistoryLogger(sys.argv[1], node_id=sys.argv[2], project_id="shop")
with log.session(session_type="deploy", description="Ship it") as session:
    with session.task("Upload") as task:
        task.file_change("deploy.yaml", lines_added=5, lines_deleted=2)
        with task.tool("turbo_upload", subject="dist") as tool:
            tool.fail("no")
        task.message("user", "a secret plan")
        task.message("assistant", "done", model="m-1", input_tokens=1200, output_tokens=30)
        task.error("DeployError", "no room", tool_name="akash")
"""


class Tail:
    """A running `tail` whose lines can be waited for."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pnlbook", "worklog", "tail", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""

    def until(self, wanted: str) -> list[str]:
        """Wait for a line that matches, and return all lines so far."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while not re.search(wanted, self.text[: self.text.rfind("\n") + 1], re.MULTILINE):
                assert time.monotonic() < deadline, self.text
                assert self.process.poll() is None, self.process.communicate()
                if selector.select(0.2):
                    self.text += (self.process.stdout.read() or b"").decode()
        return self.text.splitlines()

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it with a signal; return its exit code and what it said to stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors.decode()


@pytest.fixture
def tail() -> Iterator[Callable[..., Tail]]:
    started: list[Tail] = []

    def start(*arguments: object) -> Tail:
        started.append(Tail(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def write(spool: Path, node: str = "alex") -> None:
    subprocess.run([sys.executable, "-c", _WRITER, str(spool), node], check=True)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@contextmanager
def going_on(spool: Path, node: str) -> Iterator[WorkHistoryLogger]:
    """Have a session that goes on meanwhile."""
    log = WorkHistoryLogger(spool, node_id=node, project_id="api")
    with log.session(session_type="coding", description="Long work"):
        yield log
    log.close()


def test_what_programs_do_is_shown_as_they_do_it(spool: Path, tail: Callable[..., Tail]) -> None:
    with going_on(spool, "betty"):
        running = tail(f"spool:{spool}")
        running.until("betty/api  session coding goes on since .* \\(Long work\\)$")
        write(spool)
        lines = running.until("assistant")
    code, errors = running.end()
    assert (code, errors) == (0, "")
    shown = [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in lines[1:]]
    durations = [re.sub(r"\d+\.\d s", "N s", line) for line in shown]
    assert sorted(durations) == sorted(
        [
            "alex/shop  session deploy begins (Ship it)",
            "alex/shop  task Upload begins",
            "alex/shop  modified deploy.yaml +5 -2",
            "alex/shop  turbo_upload dist tool N s ✗",
            "alex/shop  user 13 characters",
            "alex/shop  error of akash: DeployError “no room”",
            "alex/shop  task Upload completed ✓",
            "alex/shop  session deploy completed in N s ✓",
            "alex/shop  assistant m-1 1,200 tokens in 30 out 4 characters",
        ]
    )
    # All but the answer, which waits until it is known to be whole, stand in order.
    assert durations[0].endswith("begins (Ship it)")
    assert durations.index("alex/shop  task Upload begins") == 1
    assert "secret plan" not in running.text


def test_what_happened_before_is_shown_when_asked_for(
    spool: Path, tail: Callable[..., Tail]
) -> None:
    write(spool)
    assert "Ship it" in "\n".join(tail(f"spool:{spool}", "--since", "1h").until("assistant"))
    late = tail(f"spool:{spool}", "--since", "2001-01-01", "--with-content")
    assert "“a secret plan”" in "\n".join(late.until("assistant"))
    # Without it only what is new: an old session that ended is not live.
    with going_on(spool, "carl") as log:
        now = tail(f"spool:{spool}")
        now.until("goes on")
        write(spool, "betty")
        assert not any("alex" in line for line in now.until("betty.*completed in"))
        assert log.lost == 0


def test_machines_get_json_of_the_nodes_they_ask_for(
    spool: Path, tail: Callable[..., Tail]
) -> None:
    with going_on(spool, "alex"):
        running = tail(f"spool:{spool}", "--json", "--node", "alex")
        running.until("live")
        write(spool, "betty")
        write(spool, "alex")
        live, *found = [json.loads(line) for line in running.until('"assistant"')]
    assert (live["kind"], live["state"]) == ("session", "live")
    assert {event["node_id"] for event in found} == {"alex"}
    assert {event["source"] for event in found} == {"spool"}
    kinds = [(event["kind"], event["state"]) for event in found]
    assert sorted(kinds) == sorted(
        [
            ("session", "began"),
            ("task", "began"),
            ("change", "noted"),
            ("tool", "failed"),
            ("message", "noted"),
            ("message", "noted"),
            ("error", "noted"),
            ("task", "completed"),
            ("session", "completed"),
        ]
    )
    (tool,) = [event for event in found if event["kind"] == "tool"]
    assert (tool["tool_name"], tool["success_count"]) == ("turbo_upload", 0)
    assert all("content" not in event for event in found)


def test_a_terminal_gets_colours_and_no_control_characters(spool: Path) -> None:
    log = WorkHistoryLogger(spool, node_id="a\x1b[31mlex", project_id="shop")
    with log.session(description="x"):
        parent, child = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
        environment.pop("NO_COLOR", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "pnlbook", "worklog", "tail", f"spool:{spool}"],
            stdout=child,
            env=environment,
        )
        os.close(child)
        seen = b""
        while b"goes on" not in seen:
            seen += os.read(parent, 1000)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        os.close(parent)
    log.close()
    assert b"\x1b[36m" in seen
    assert b"a\\x1b[31mlex" in seen
    assert b"\x1b[31m" not in seen


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["spool:/no/such/place"], "there is no such file or folder"),
        (["nothing"], "there is no such kind of log. There are claude-code, codex"),
        (["spool", "--since", "yesterday"], "--since takes a span such as 15m, 2h or 1d"),
    ],
)
def test_what_cannot_be_followed_is_said(arguments: list[str], reason: str) -> None:
    command = [sys.executable, "-m", "pnlbook", "worklog", "tail", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_is_replaced_is_read_anew(spool: Path, tail: Callable[..., Tail]) -> None:
    running = tail(f"spool:{spool}", "--since", "1h")
    write(spool)
    running.until("completed in")
    (path,) = spool.glob("*.jsonl")
    write(spool, "betty")
    running.until("betty.*completed in")
    for one in spool.glob("*.jsonl"):
        one.unlink()
    other = WorkHistoryLogger(spool, node_id="carl", project_id="p")
    other.log_tool_usage(tool_name="t", success_count=1)
    assert other.path is not None
    os.rename(other.path, path)  # noqa: PTH104 - the path is a text
    running.until("carl/p  t ✓")
    other.close()
