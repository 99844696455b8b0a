"""What a record of the live logger costs the program that logs, with one thread and with eight.

The cost is processor time, which other work on the machine changes little; the clock is noted. With
eight threads that do nothing else, most of it is the interpreter's: each write hands its lock over,
ours as that of `logging`, which is the measure there.
"""

from __future__ import annotations

import json
import logging
import shutil
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import Finding, Target, medians, process, take_turns
from pnlbook.worklog import Policy, WorkHistoryLogger

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Options

RECORDS = 50_000
THREADS = 8
PEER = "logging.FileHandler with the same record as JSON"
IMPORT = "from pnlbook.worklog import WorkHistoryLogger"


def compare(options: Options) -> list[Finding]:
    """Compare the cost of a record with that of a line of `logging`, and measure the import."""
    count = options.size(RECORDS)
    name = "a record of the live logger"
    alone, shared = Target("ours", "≤", 20, "µs"), Target("ratio", "≤", 1.25, "x")
    return [
        _cost(name, 1, count, alone, options),
        _cost(f"{name}, {THREADS} threads at once", THREADS, count, shared, options),
        _import(options),
    ]


def _cost(name: str, threads: int, count: int, target: Target, options: Options) -> Finding:
    policies = {
        "ours": Policy(fsync="never"),
        "by batch": Policy(flush="batch", fsync="never"),
        "with the usual fsync": Policy(),
    }
    clock: dict[str, list[float]] = {side: [] for side in (*policies, PEER)}
    sides = {
        side: partial(_ours, policy, threads, count, clock[side])
        for side, policy in policies.items()
    }
    runs = take_turns(sides | {PEER: partial(_peer, threads, count, clock[PEER])}, options.turns)
    middle, waited = medians(runs), medians(clock)
    notes = (
        *(f"{side} {middle[side]:.1f} µs" for side in list(policies)[1:]),
        f"by the clock {waited['ours']:.1f} µs, the peer {waited[PEER]:.1f} µs",
    )
    runs |= {f"{side}, by the clock": figures for side, figures in clock.items()}
    return Finding(name, "µs", middle["ours"], middle[PEER], PEER, target, runs, notes)


def _ours(policy: Policy, threads: int, count: int, clock: list[float]) -> float:
    folder = tempfile.mkdtemp(prefix="pnlbook-bench-")
    log = WorkHistoryLogger(folder, node_id="node", project_id="project", policy=policy)
    with log.session() as session, session.task("work") as task:

        def write() -> None:
            for _ in range(count // threads):
                log.log_tool_usage(
                    session_id=session.id,
                    task_id=task.id,
                    tool_name="turbo_upload",
                    tool_category="deployment",
                    success_count=1,
                    total_duration_ms=5000,
                )

        cost = _timed(write, threads, count, clock)
    log.close()
    shutil.rmtree(folder)
    return cost


def _peer(threads: int, count: int, clock: list[float]) -> float:
    folder = tempfile.mkdtemp(prefix="pnlbook-bench-")
    handler = logging.FileHandler(Path(folder) / "log", encoding="utf-8")
    logger = logging.getLogger("peer")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)

    def write() -> None:
        for _ in range(count // threads):
            record = {
                "kind": "tool",
                "at": time.time_ns() // 1000,
                "session_id": "01a211fe-ed66-715e-bfb5-55c0c31868b2",
                "task_id": "01a211fe-ed73-7bf5-8e11-248dd637cbcf",
                "node_id": "node",
                "project_id": "project",
                "tool_name": "turbo_upload",
                "tool_category": "deployment",
                "invocation_count": 1,
                "success_count": 1,
                "total_duration_ms": 5000,
            }
            logger.info(json.dumps(record))

    cost = _timed(write, threads, count, clock)
    handler.close()
    shutil.rmtree(folder)
    return cost


def _timed(write: Callable[[], None], threads: int, count: int, clock: list[float]) -> float:
    """Return the processor's microseconds a record; those by the clock go to `clock`."""
    workers = [threading.Thread(target=write) for _ in range(threads)]
    started, worked = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    clock.append((time.perf_counter() - started) / count * 1e6)
    return (time.process_time() - worked) / count * 1e6


def _import(options: Options) -> Finding:
    commands = {"ours": IMPORT, "python -c pass": "pass", "import logging": "import logging"}
    sides = {
        name: partial(_duration, (sys.executable, "-c", code)) for name, code in commands.items()
    }
    take_turns(sides, 1)
    runs = take_turns(sides, 3 * options.turns)
    middle = medians(runs)
    bare = middle["python -c pass"]
    return Finding(
        "import of the live logger",
        "s",
        middle["ours"] - bare,
        middle["import logging"] - bare,
        "import logging",
        Target("ours", "≤", 0.05, "s"),
        runs,
        (f"python -c pass {bare:.3f} s, which is not counted",),
    )


def _duration(command: tuple[str, ...]) -> float:
    return process(command).seconds
