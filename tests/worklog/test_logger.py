"""The live logger: what programs tell, by calls, blocks, decorators, threads and `logging`."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.worklog.spools import entries, merged

from pnlbook.worklog import WorkHistoryLogger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def log(folder: Path) -> Iterator[WorkHistoryLogger]:
    made = WorkHistoryLogger(folder, node_id="alex")
    yield made
    made.close()


def test_the_published_example_is_recorded_call_by_call(folder: Path) -> None:
    log = WorkHistoryLogger(folder)
    session = log.start_work_session(
        node_id="alex-architect-ai",
        project_id="proj-123",
        session_type="deployment",
        description="Deploy e-commerce platform",
        initial_prompt="Deploy the frontend to Arweave and backend to Akash",
        environment="production",
    )
    task = log.start_task(
        session_id=session,
        task_type="deployment",
        task_name="Deploy to Arweave + Akash",
        tools_used=["turbo_upload", "akash_deploy"],
    )
    log.log_file_change(task_id=task, file_path="deploy.yaml", lines_modified=5)
    log.log_tool_usage(
        task_id=task,
        session_id=session,
        tool_name="turbo_upload",
        tool_category="deployment",
        invocation_count=1,
        success_count=1,
        total_duration_ms=5000,
    )
    log.complete_task(task, status="completed", success=True, output_summary="Frontend: …")
    log.complete_work_session(session, "completed", "Deployment successful: Arweave + Akash")

    (said,) = merged(folder, "session")
    assert said["id"] == session
    assert said["status"] == "completed"
    assert said["final_deliverable"] == "Deployment successful: Arweave + Akash"
    assert said["started_at"] <= said["completed_at"]
    (done,) = merged(folder, "task")
    assert (done["session_id"], done["success"]) == (session, True)
    assert done["tools_used"] == ["turbo_upload", "akash_deploy"]
    (change,) = entries(folder, "change")
    assert change["change_type"] == "modified"
    for entry in (said, done, change, *entries(folder, "tool")):
        assert (entry["node_id"], entry["project_id"]) == ("alex-architect-ai", "proj-123")
    for entry in (change, *entries(folder, "tool")):
        assert (entry["session_id"], entry["task_id"]) == (session, task)


def test_a_block_that_raises_is_recorded_as_failed_once_and_raises(
    log: WorkHistoryLogger, folder: Path
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        log.session(session_type="coding") as session,
        session.task("divide") as task,
        task.tool("calculator", subject="1/0") as tool,
    ):
        _ = 1 / 0
    (error,) = entries(folder, "error")
    assert error["error_type"] == "ZeroDivisionError"
    assert error["error_message"] == "division by zero"
    assert "_ = 1 / 0" in error["error_stack_trace"]
    assert (error["tool_name"], error["subject"]) == ("calculator", "1/0")
    assert (error["session_id"], error["task_id"]) == (session.id, task.id)
    assert merged(folder, "session")[0]["status"] == "failed"
    (failed,) = merged(folder, "task")
    assert (failed["status"], failed["success"]) == ("failed", False)
    assert failed["error_message"] == "division by zero"
    (used,) = merged(folder, "tool")
    assert used["id"] == tool.id
    assert (used["success_count"], used["error_class"]) == (0, "tool")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyboardInterrupt(), "failed"),
        (asyncio.CancelledError(), "failed"),
        (SystemExit(3), "failed"),
        (SystemExit(0), "completed"),
        (SystemExit(), "completed"),
    ],
)
def test_what_ends_a_program_fails_its_tasks_unless_it_is_an_exit_in_order(
    error: BaseException, status: str, log: WorkHistoryLogger, folder: Path
) -> None:
    with pytest.raises(type(error)), log.session() as session, session.task("work"):
        raise error
    assert [entry["status"] for entry in merged(folder, "task")] == [status]
    assert [entry["status"] for entry in merged(folder, "session")] == [status]
    assert len(entries(folder, "error")) == (status == "failed")


def test_an_error_that_is_caught_within_fails_only_what_it_left(
    log: WorkHistoryLogger, folder: Path
) -> None:
    first, again = OSError("first"), OSError("again")
    with log.session() as session:
        with pytest.raises(OSError, match="first"), session.task("one"):
            raise first
        with session.task("two"):
            pass
        for _ in range(2):
            with pytest.raises(OSError, match="again"), session.task("same error"):
                raise again
    assert [task["status"] for task in merged(folder, "task")] == [
        "failed",
        "completed",
        "failed",
        "failed",
    ]
    assert len(entries(folder, "error")) == 3
    assert merged(folder, "session")[0]["status"] == "completed"


def test_an_exception_that_the_program_logs_itself_is_recorded_once(
    log: WorkHistoryLogger, folder: Path
) -> None:
    @log.task("work")
    def work() -> None:
        try:
            int("bad")
        except ValueError as error:
            log.log_exception(error, error_class="api")
            raise

    with pytest.raises(ValueError, match="bad"), log.session():
        work()
    (recorded,) = entries(folder, "error")
    assert recorded["error_class"] == "api"


def test_durations_are_of_the_monotonic_clock(
    log: WorkHistoryLogger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with log.session() as session, session.tool("sleep"):
        # The wall clock steps back an hour.
        before = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: before - 3_600_000_000_000)
        time.sleep(0.05)
    (said,) = merged(folder, "session")
    assert 0.05 <= float(said["total_duration_seconds"]) < 5
    (used,) = merged(folder, "tool")
    assert 50 <= used["total_duration_ms"] < 5000
    assert used["success_count"] == 1


def test_a_task_may_fail_without_raising(log: WorkHistoryLogger, folder: Path) -> None:
    with log.session() as session, session.task("check") as task:
        with task.tool("pytest") as tool:
            tool.fail("2 failed")
        task.fail("tests fail")
        task.output_summary = "see the log"
        session.final_deliverable = "nothing"
    (done,) = merged(folder, "task")
    assert (done["status"], done["error_message"]) == ("failed", "tests fail")
    assert done["output_summary"] == "see the log"
    assert merged(folder, "tool")[0]["success_count"] == 0
    (said,) = merged(folder, "session")
    assert (said["status"], said["final_deliverable"]) == ("completed", "nothing")


def test_functions_are_tasks_of_the_session_they_are_called_in(
    log: WorkHistoryLogger, folder: Path
) -> None:
    @log.task(task_type="build")
    def build(name: str) -> str:
        log.log_file_change(file_path=name, change_type="created")
        return name.upper()

    @log.task("fetch")
    async def fetch() -> int:
        await asyncio.sleep(0)
        log.log_message(role="system", content="fetched")
        return 7

    @log.session(session_type="run")
    def run() -> tuple[str, int]:
        return build("a.py"), asyncio.run(fetch())

    assert run() == ("A.PY", 7)
    assert run.__name__ == "run"
    first, second = merged(folder, "task")
    assert first["task_name"].endswith("build")
    assert second["task_name"] == "fetch"
    (session,) = merged(folder, "session")
    assert {first["session_id"], second["session_id"]} == {session["id"]}
    assert entries(folder, "change")[0]["task_id"] == first["id"]
    assert entries(folder, "message")[0]["task_id"] == second["id"]
    assert entries(folder, "message")[0]["content_chars"] == 7


def test_a_generator_is_a_task_until_it_ends_and_its_caller_is_not_in_it(
    log: WorkHistoryLogger, folder: Path
) -> None:
    @log.task("count")
    def count(to: int) -> Generator[int, None, int]:
        for number in range(to):
            log.log_message(role="system", content="inside")
            got = yield number
            assert got is None
        return to

    for _ in count(2):
        log.log_message(role="user", content="outside")
    stopped = count(5)
    next(stopped)
    stopped.close()
    failing = count(5)
    next(failing)

    with pytest.raises(RuntimeError):
        failing.throw(RuntimeError)

    tasks = merged(folder, "task")
    assert [task["status"] for task in tasks] == ["completed", "completed", "failed"]
    said = entries(folder, "message")
    assert [m.get("task_id") for m in said if m["content"] == "outside"] == [None, None]
    assert [m["task_id"] for m in said if m["content"] == "inside"] == [
        tasks[0]["id"],
        tasks[0]["id"],
        tasks[1]["id"],
        tasks[2]["id"],
    ]


def test_an_asynchronous_generator_is_a_task_too(log: WorkHistoryLogger, folder: Path) -> None:
    @log.task("pages")
    async def pages() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            log.log_message(role="system", content="inside")
            yield number

    async def run() -> list[int]:
        seen = []
        async for number in pages():
            log.log_message(role="user", content="outside")
            seen.append(number)
        return seen

    assert inspect.isasyncgenfunction(pages)
    assert asyncio.run(run()) == [0, 1, 2]
    (task,) = merged(folder, "task")
    assert task["status"] == "completed"
    said = entries(folder, "message")
    assert [m.get("task_id") for m in said] == [task["id"], None] * 3


def test_concurrent_coroutines_each_know_their_own_task(
    log: WorkHistoryLogger, folder: Path
) -> None:
    async def work(name: str) -> None:
        async with log.task(name) as task:
            for step in range(5):
                await asyncio.sleep(0)
                log.log_tool_usage(tool_name=name, subject=f"{step}")
            assert task.session_id is not None

    async def run() -> None:
        async with log.session():
            await asyncio.gather(*(work(f"task {number}") for number in range(8)))

    asyncio.run(run())
    names = {task["id"]: task["task_name"] for task in merged(folder, "task")}
    used = entries(folder, "tool")
    assert len(used) == 40
    assert all(names[tool["task_id"]] == tool["tool_name"] for tool in used)
    assert len({tool["session_id"] for tool in used}) == 1


def test_threads_write_whole_records_and_know_the_task_when_bound(
    log: WorkHistoryLogger, folder: Path
) -> None:
    def work(number: int) -> None:
        for _ in range(200):
            log.log_tool_usage(tool_name=f"tool {number}", subject="x" * 500)

    with log.session() as session, session.task("many") as task, ThreadPoolExecutor(8) as pool:
        list(pool.map(log.bind(work), range(8)))
        unbound = threading.Thread(target=work, args=(8,))
        unbound.start()
        unbound.join()
    used = entries(folder, "tool")
    assert len(used) == len({tool["id"] for tool in used}) == 1800
    inside = [tool for tool in used if tool.get("task_id") == task.id]
    assert len(inside) == 1600
    assert {tool["tool_name"] for tool in used if "task_id" not in tool} == {"tool 8"}


def test_loggers_do_not_take_each_others_sessions(log: WorkHistoryLogger, tmp_path: Path) -> None:
    other = WorkHistoryLogger(tmp_path / "other")
    with log.session(), log.task("ours"):
        other.log_tool_usage(tool_name="theirs")
    other.close()
    (tool,) = entries(tmp_path / "other", "tool")
    assert "session_id" not in tool


def test_records_of_logging_become_errors_and_messages(
    log: WorkHistoryLogger, folder: Path
) -> None:
    logger = logging.getLogger("tests.worklog")
    logger.setLevel(logging.INFO)
    handler = log.handler()
    logger.addHandler(handler)
    try:
        with log.session() as session, session.task("work") as task:
            logger.info("step %d of %d", 1, 2)
            logger.error("disk %s is full", "sda")
            try:
                _ = os.environ["NO SUCH NAME"]
            except KeyError:
                logger.exception("lookup failed")
    finally:
        logger.removeHandler(handler)
    (message,) = entries(folder, "message")
    assert (message["role"], message["content"]) == ("system", "INFO tests.worklog: step 1 of 2")
    first, second = entries(folder, "error")
    assert (first["error_type"], first["error_message"]) == ("tests.worklog", "disk sda is full")
    assert (second["error_type"], second["error_message"]) == ("KeyError", "lookup failed")
    assert 'os.environ["NO SUCH NAME"]' in second["error_stack_trace"]
    for entry in (message, first, second):
        assert (entry["session_id"], entry["task_id"]) == (session.id, task.id)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


def test_values_that_are_no_json_become_text_and_long_texts_are_cut(
    log: WorkHistoryLogger, folder: Path
) -> None:
    told: dict[str, Any] = {"file_path": Path("a") / "b.py", "lines_added": True}
    log.log_file_change(**told)
    told = {"error_type": "x", "error_message": Unprintable(), "subject": "\udc80name"}
    log.log_error(**told)
    log.log_message(role="user", content="é" * 150_000)
    told = {"tool_name": "t", "total_duration_ms": float("nan"), "subject": {1: {2}}}
    log.log_tool_usage(**told)
    circle: list[object] = []
    circle.append(circle)
    told = {"tool_name": circle, "invocation_count": 2**70}
    log.log_tool_usage(**told)
    assert entries(folder, "change")[0]["file_path"] == "a/b.py"
    (error,) = entries(folder, "error")
    assert error["error_message"] == "<Unprintable>"
    assert error["subject"] == "\\udc80name"
    (message,) = entries(folder, "message")
    assert message["content"] == "é" * 100_000 + "… [cut: 150000 characters]"
    assert message["content_chars"] == 150_000
    assert [tool["tool_name"] for tool in entries(folder, "tool")] == ["t", ["[[...]]"]]
    assert log.lost == 0


def test_what_is_told_wrongly_is_recorded_and_warned_of_once(
    log: WorkHistoryLogger, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: dict[str, Any] = {"file_path": "a", "change_type": "moved", "lines": 3}
    for _ in range(3):
        log.log_file_change(**told)
    log.complete_task("no such task", status="done")  # type: ignore[arg-type]
    log.complete_task(None)  # type: ignore[arg-type]
    assert [entry["change_type"] for entry in entries(folder, "change")] == ["moved"] * 3
    assert len(entries(folder, "task")) == 2
    said = [record.getMessage() for record in caplog.records]
    assert [re.sub(r";.*", "", text) for text in said] == [
        "work log: change_type 'moved' is none of created, modified, deleted, renamed",
        "work log: change has no field 'lines'",
        "work log: status 'done' is none of in_progress, completed, failed",
    ]


def test_logging_within_logging_is_no_loop(log: WorkHistoryLogger, folder: Path) -> None:
    class Chatty:
        def __str__(self) -> str:
            log.log_message(role="system", content="asked for my name")
            return "chatty"

    told: dict[str, Any] = {"tool_name": Chatty()}
    log.log_tool_usage(**told)
    assert [entry["kind"] for entry in entries(folder)] == ["writer", "message", "tool"]


def test_ids_are_unique_and_in_the_order_of_time(log: WorkHistoryLogger) -> None:
    ids = []
    for _ in range(20):
        ids.append(log.log_tool_usage(tool_name="t"))
        time.sleep(0.002)
    assert ids == sorted(set(ids))
    assert all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab].{16}", i) for i in ids)


def test_the_ids_of_a_child_are_not_its_parents() -> None:
    code = (
        "import os; from pnlbook.worklog.entries import new_id; read, write = os.pipe(); "
        "os.fork() or (os.write(write, new_id(1).encode()), os._exit(0)); "
        "os.wait(); print(os.read(read, 36).decode(), new_id(1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    child, parent = done.stdout.split()
    assert child != parent


def test_a_program_that_logs_imports_little() -> None:
    code = (
        "import sys; from pnlbook.worklog import WorkHistoryLogger; "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"duckdb", "pyarrow", "polars", "pydantic", "msgspec", "typer", "rich", "logging"}
    assert not heavy & set(done.stdout.split())
