"""The spool holds what was acknowledged: through kills, forks, full disks and folders that go."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.worklog.spools import entries, files

from pnlbook.worklog import Policy, WorkHistoryLogger
from pnlbook.worklog.spool import default_folder, is_live

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WRITER = """
import os, sys
from pnlbook.worklog import WorkHistoryLogger

log = WorkHistoryLogger(sys.argv[1], node_id=sys.argv[2], project_id="kills")
with log.session() as session:
    while True:
        with session.task("work") as task:
            for size in (10, 5000, 100, 60_000):
                told = task.message("user", "x" * size)
                os.write(1, f"{told}\\n".encode())
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(child: subprocess.Popen[bytes]) -> bytes:
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors.decode()
    return output


def killed(child: subprocess.Popen[bytes], after: int) -> list[bytes]:
    """Kill a writer some time after so many acknowledgements; return all that it gave."""
    assert child.stdout is not None
    given = [child.stdout.readline() for _ in range(after)]
    child.kill()
    rest = child.stdout.read()
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    told = b"".join(given) + rest
    return told[: told.rindex(b"\n")].split(b"\n")


def ids_of_whole_lines(folder: Path) -> list[bytes]:
    lines = [line for path in files(folder) for line in path.read_bytes().split(b"\n")[:-1]]
    found = [json.loads(line) for line in lines]
    return [entry["id"].encode() for entry in found if entry["kind"] == "message"]


def test_writers_that_are_killed_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - for the moments of killing
    writers = [start(_WRITER, tmp_path, f"node {number}") for number in range(8)]
    acknowledged = [one for writer in writers for one in killed(writer, chance.randint(1, 200))]
    assert len(files(tmp_path)) == 8
    written = ids_of_whole_lines(tmp_path)
    assert len(written) == len(set(written))
    assert set(acknowledged) <= set(written)
    assert len(written) - len(acknowledged) <= 8
    assert not any(is_live(path) for path in files(tmp_path))


def small(folder: Path) -> WorkHistoryLogger:
    return WorkHistoryLogger(folder, policy=Policy(fsync="never"))


def test_a_file_is_locked_while_its_writer_lives(tmp_path: Path) -> None:
    writer = start(_WRITER, tmp_path, "node")
    assert writer.stdout is not None
    writer.stdout.readline()
    (path,) = files(tmp_path)
    assert is_live(path)
    killed(writer, 1)
    assert not is_live(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_spool_is_for_its_owner_alone(tmp_path: Path) -> None:
    log = small(tmp_path / "a" / "spool")
    log.log_tool_usage(tool_name="t")
    assert (tmp_path / "a" / "spool").stat().st_mode & 0o777 == 0o700
    log.close()


def test_the_folder_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("PNLBOOK_SPOOL", raising=False)
    assert default_folder() == f"{tmp_path}/pnlbook/spool"
    monkeypatch.setenv("PNLBOOK_SPOOL", str(tmp_path / "own"))
    log = WorkHistoryLogger()
    log.log_tool_usage(tool_name="t")
    log.close()
    assert len(entries(tmp_path / "own", "tool")) == 1


_FILLED = """
import json, os, resource, sys
from pathlib import Path
from pnlbook.worklog import Policy, WorkHistoryLogger

folder, limited = Path(sys.argv[1]), sys.argv[2] == "limited"
filler = folder / "filler"
highest = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
log = WorkHistoryLogger(folder, policy=Policy(fsync="never"))
written = []

def fill():
    if limited:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, highest))
        return
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1000)
        except OSError:
            pass

def free():
    if limited:
        resource.setrlimit(resource.RLIMIT_FSIZE, (highest, highest))
    else:
        filler.unlink()

def write(times):
    for _ in range(times):
        before = log.lost
        told = log.log_message(role="user", content="x" * 700)
        if log.lost == before:
            written.append(told)

write(5)
for _ in range(2):
    fill()
    write(40)
    free()
    write(5)
print(json.dumps([written, log.lost]))
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 KiB, where that is allowed."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    mounted = not subprocess.run(command, check=False, capture_output=True).returncode
    yield disk
    if mounted:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("kind", ["full", "limited"])
def test_what_a_full_disk_loses_is_counted_and_told_once_there_is_room(
    kind: str, small_disk: Path
) -> None:
    if not os.path.ismount(small_disk):
        kind = "limited"
    child = start(_FILLED, small_disk, kind)
    output, errors = child.communicate(timeout=60)
    assert child.returncode == 0, errors.decode()
    written, lost = json.loads(output)
    found = entries(small_disk)
    assert [entry["id"] for entry in found if entry["kind"] == "message"] == written
    assert lost > 60
    told = [entry for entry in found if entry["kind"] == "lost"]
    assert sum(entry["count"] for entry in told) == lost
    assert len(written) + lost == 95
    assert all(entry["first_at"] <= entry["at"] for entry in told)
    assert errors.decode().count("cannot write to the spool") == 1


def test_a_spool_that_cannot_be_written_breaks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    log = small(blocked / "spool")
    with log.session() as session, session.task("work") as task, task.tool("t"):
        pass
    assert log.lost == 6
    assert [record.name for record in caplog.records] == ["pnlbook.worklog"]
    blocked.unlink()
    log.log_tool_usage(tool_name="after")
    log.close()
    lost, tool = entries(blocked / "spool", "lost", "tool")
    assert (lost["count"], lost["reason"]) == (6, "Not a directory")
    assert tool["tool_name"] == "after"


def test_a_device_that_is_always_full_breaks_nothing(tmp_path: Path) -> None:
    log = small(tmp_path)
    log.log_tool_usage(tool_name="t")
    assert log.path is not None
    os.dup2(os.open("/dev/full", os.O_WRONLY), log._spool._file)
    for _ in range(3):
        log.log_tool_usage(tool_name="t")
    assert log.lost == 3
    log.close()


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_spool_that_is_removed_is_made_anew(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    log = small(folder)
    log.log_tool_usage(tool_name="gone")
    for path in files(folder):
        path.unlink()
    if what == "folder":
        folder.rmdir()
    log.log_tool_usage(tool_name="first")
    log.log_tool_usage(tool_name="second")
    log.close()
    found = [entry.get("tool_name") for entry in entries(folder)]
    assert found == [None, "first", "second"]
    assert log.lost == 0


def test_a_file_is_followed_by_another_when_it_is_large_or_a_day_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = WorkHistoryLogger(tmp_path, policy=Policy(rotate_bytes=2000))
    written = [log.log_tool_usage(tool_name="t", subject="x" * 300) for _ in range(20)]
    assert len(files(tmp_path)) > 3
    assert all(path.stat().st_size < 2600 for path in files(tmp_path))
    # All but the last are final.
    assert sum(is_live(path) for path in files(tmp_path)) <= 1
    before = len(files(tmp_path))
    written.append(log.log_tool_usage(tool_name="t"))
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 86_400)
    written.append(log.log_tool_usage(tool_name="t"))
    assert len(files(tmp_path)) > before
    log.close()
    assert sorted(entry["id"] for entry in entries(tmp_path, "tool")) == sorted(written)


def test_a_thread_may_write_what_another_is_about_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = WorkHistoryLogger(tmp_path, policy=Policy(flush="batch", fsync="never", batch_seconds=60))
    clock = time.monotonic

    def meanwhile() -> float:
        other = threading.Thread(target=log.flush)
        other.start()
        other.join()
        return clock()

    monkeypatch.setattr(time, "monotonic", meanwhile)
    told = [log.log_tool_usage(tool_name="t") for _ in range(3)]
    monkeypatch.undo()
    log.close()
    assert [entry["id"] for entry in entries(tmp_path, "tool")] == told
    assert caplog.messages == []


def test_batches_are_written_when_full_when_old_and_when_a_session_ends(tmp_path: Path) -> None:
    policy = Policy(flush="batch", fsync="batch", batch_records=10, batch_seconds=0.2)
    log = WorkHistoryLogger(tmp_path, policy=policy)

    def write(times: int) -> int:
        for _ in range(times):
            log.log_tool_usage(tool_name="t")
        return len(entries(tmp_path, "tool"))

    assert write(9) == 0
    assert write(1) == 10
    assert write(3) == 10
    time.sleep(0.25)
    assert write(1) == 14
    with log.session():
        assert write(1) == 14
    assert write(1) == 15
    log.flush()
    assert write(0) == 16
    log.close()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(fsync="record"), 12),
        (Policy(fsync="batch", batch_seconds=60), 1),
        (Policy(fsync="batch", batch_seconds=0), 12),
        (Policy(fsync="never"), 0),
    ],
)
def test_the_disk_confirms_as_often_as_asked(
    policy: Policy, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = WorkHistoryLogger(tmp_path, policy=policy)
    synced: list[bool] = []
    sync = os.fsync

    def count(file: int) -> None:
        synced.append(os.path.isdir(f"/proc/self/fd/{file}"))  # noqa: PTH112 - a link to nowhere
        sync(file)

    monkeypatch.setattr(os, "fsync", count)
    with log.session():
        for _ in range(10):
            log.log_tool_usage(tool_name="t")
    assert synced.count(False) == expected
    assert synced.count(True) == (expected > 0)  # the folder, once
    monkeypatch.undo()
    log.close()


_FORKING = """
import os, sys, threading
from pnlbook.worklog import Policy, WorkHistoryLogger

log = WorkHistoryLogger(sys.argv[1], policy=Policy(flush=sys.argv[2], fsync="never"))
stop = threading.Event()

def write():
    while not stop.is_set():
        log.log_tool_usage(tool_name="parent", subject="x" * 300)

with log.session() as session, session.task("work"):
    threads = [threading.Thread(target=log.bind(write)) for _ in range(3)]
    for thread in threads:
        thread.start()
    children = []
    for _ in range(20):
        log.log_tool_usage(tool_name="before")
        child = os.fork()
        if child == 0:
            for _ in range(5):
                log.log_tool_usage(tool_name="child")
            log.close()
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    for thread in threads:
        thread.join()
print(session.id)
"""


@pytest.mark.parametrize("flush", ["record", "batch"])
def test_a_child_writes_a_file_of_its_own_and_knows_the_session(flush: str, tmp_path: Path) -> None:
    session = finish(start(_FORKING, tmp_path, flush)).decode().strip()
    assert len(files(tmp_path)) == 21
    found = entries(tmp_path, "tool")
    assert len(found) == len({entry["id"] for entry in found})
    names = [entry["tool_name"] for entry in found]
    assert (names.count("before"), names.count("child")) == (20, 100)
    assert {entry["session_id"] for entry in found} == {session}
    writers = [entry["pid"] for entry in entries(tmp_path, "writer")]
    assert len(set(writers)) == 21
    for path in files(tmp_path):
        (about, *rest) = [json.loads(line) for line in path.read_bytes().splitlines()]
        children = {entry.get("tool_name") == "child" for entry in rest}
        assert len(children) == 1, about


_MANY = """
import multiprocessing, sys
from pnlbook.worklog import Policy, WorkHistoryLogger

log = WorkHistoryLogger(sys.argv[1], policy=Policy(flush="batch", batch_seconds=60))

def work(number):
    log.log_tool_usage(tool_name=f"child {number}")

if __name__ == "__main__":
    log.log_tool_usage(tool_name="parent")
    context = multiprocessing.get_context(sys.argv[2])
    children = [context.Process(target=work, args=(number,)) for number in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_children_hold_is_written_when_they_end(method: str, tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(_MANY, encoding="utf-8")
    subprocess.run([sys.executable, script, tmp_path / "spool", method], check=True)
    found = [entry["tool_name"] for entry in entries(tmp_path / "spool", "tool")]
    assert sorted(found) == ["child 0", "child 1", "child 2", "parent"]


_INTERRUPTED = """
import os, signal, sys, threading, time
from pnlbook.worklog import WorkHistoryLogger

log = WorkHistoryLogger(sys.argv[1])
seen = 0

def note(*_):
    global seen
    seen += 1
    log.log_error(error_type="signal")

signal.signal(signal.SIGALRM, note)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
written = 0
while seen < 300:
    log.log_tool_usage(tool_name="t", subject="x" * 3000)
    written += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(written, seen)
"""


def test_a_signal_handler_may_log_while_a_record_is_written(tmp_path: Path) -> None:
    written, seen = (int(text) for text in finish(start(_INTERRUPTED, tmp_path)).split())
    assert len(entries(tmp_path, "tool")) == written
    assert len(entries(tmp_path, "error")) == seen


_ENDING = """
import sys
from pnlbook.worklog import Policy, WorkHistoryLogger

log = WorkHistoryLogger(sys.argv[1], policy=Policy(flush="batch"))

class Last:
    def __del__(self):
        log.log_tool_usage(tool_name="last of all")

last = Last()
log.log_tool_usage(tool_name="held")
"""


def test_a_program_that_ends_leaves_nothing_unwritten(tmp_path: Path) -> None:
    child = start(_ENDING, tmp_path)
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors) == (0, b"")
    assert "held" in [entry["tool_name"] for entry in entries(tmp_path, "tool")]


def test_threads_that_log_through_logging_do_not_wait_for_each_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    log = small(blocked / "spool")
    logger = logging.getLogger()
    handler = log.handler()
    logger.addHandler(handler)

    def work() -> None:
        for _ in range(50):
            logger.error("no")

    try:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
    finally:
        logger.removeHandler(handler)
    assert log.lost == 200
    assert sum(record.name == "pnlbook.worklog" for record in caplog.records) == 1
