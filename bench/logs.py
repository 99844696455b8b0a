"""Loading logs of work into a fresh book: transcripts of agents, and the history of a repository.

The peer of transcripts is DuckDB's own `read_json` of the same files, which finds the largest usage
of each message and keeps nothing; that of a history is `git log --numstat`, which only prints it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bench import repository, transcripts
from bench.loading import fresh
from bench.measure import Finding, Target, medians, process, processor_note, role, take_turns

if TYPE_CHECKING:
    from bench.measure import Options

SIZE = 300_000_000  # bytes of transcripts
COMMITS = 50_000
JSON_PEER = "read_json of the same files"
GIT_PEER = "git log --numstat"
_COLUMNS = (
    "columns = {type: 'VARCHAR', sessionId: 'VARCHAR', timestamp: 'TIMESTAMPTZ', "
    "message: 'STRUCT(id VARCHAR, model VARCHAR, content JSON, usage STRUCT(input_tokens BIGINT, "
    "output_tokens BIGINT, cache_read_input_tokens BIGINT, cache_creation_input_tokens BIGINT))'}"
)
_USAGE = (
    "SELECT sum(output), sum(cached), sum(letters) FROM ("
    "SELECT max(message.usage.output_tokens) AS output, "
    "max(message.usage.cache_read_input_tokens) AS cached, sum(length(message.content)) AS letters "
    f"FROM read_json(?, format = 'newline_delimited', maximum_object_size = 100000000, {_COLUMNS}) "
    "WHERE message.id IS NOT NULL GROUP BY message.id)"
)


def load_transcripts(options: Options) -> list[Finding]:
    """Compare the megabytes a second of transcripts, and load them again when they have grown."""
    size = options.rows or (3_000_000 if options.quick else SIZE)
    folder = options.scratch / f"transcripts-{size}"
    if not folder.exists():
        transcripts.write(folder, size)
    files = sorted(folder.rglob("*.jsonl"))
    total = sum(file.stat().st_size for file in files)
    book = options.scratch / "logs.duckdb"
    work: dict[str, list[float]] = {"ours": [], JSON_PEER: []}
    peaks: list[float] = []
    again: list[float] = []

    def ours() -> float:
        fresh(book)
        run = role("logs", "load", book, f"claude-code:{folder}")
        repeated = role("logs", "load", book, f"claude-code:{folder}")
        peaks.append(run.peak_mib)
        again.append(repeated.said["seconds"])
        work["ours"].append(run.said["processor"])
        return float(total / 1e6 / run.said["seconds"])

    def peer() -> float:
        said = role("logs", "read", folder).said
        work[JSON_PEER].append(said["processor"])
        return float(total / 1e6 / said["seconds"])

    runs = take_turns({"ours": ours, JSON_PEER: peer}, options.turns)
    middle, processor = medians(runs), medians(work)
    notes = (
        processor_note(processor["ours"], processor[JSON_PEER]),
        f"{len(files):,} files, {total / 1e6:,.0f} MB; peak memory {max(peaks):,.0f} MiB",
        f"again, with nothing new: {medians({'again': again})['again']:.2f} s",
    )
    target = Target("ours", "≥", 60, "MB/s")
    name = "load transcripts of Claude Code"
    return [
        Finding(name, "MB/s", middle["ours"], middle[JSON_PEER], JSON_PEER, target, runs, notes)
    ]


def load_history(options: Options) -> list[Finding]:
    """Compare loading the history of a repository with what git itself takes to print it."""
    commits = options.rows or (500 if options.quick else COMMITS)
    path = options.scratch / f"repository-{commits}.git"
    if not path.exists():
        repository.make(path, commits)
    book = options.scratch / "logs.duckdb"
    command = ["git", "-C", str(path), "log", "--numstat"]

    def ours() -> float:
        fresh(book)
        return float(role("logs", "load", book, f"git:{path}").said["seconds"])

    runs = take_turns({"ours": ours, GIT_PEER: lambda: process(command).seconds}, options.turns)
    middle = medians(runs)
    target = Target("ratio", "≤", 1.3, "x")
    name = f"load the history of {commits:,} commits"
    return [Finding(name, "s", middle["ours"], middle[GIT_PEER], GIT_PEER, target, runs)]


def load(book: Path, source: str) -> int:
    """Load logs as `pnlbook load` does and return how many rows were found."""
    from pnlbook.worklog.loading import load_work  # noqa: PLC0415 - not a part of the peer
    from pnlbook.worklog.result import WorkOptions  # noqa: PLC0415 - the same

    return sum(table.rows_read for table in load_work(book, [source], WorkOptions()).tables)


def read(folder: Path) -> int:
    """Let DuckDB read the transcripts and return the output tokens that it finds."""
    with duckdb.connect() as connection:
        row = connection.execute(_USAGE, [str(folder / "**" / "*.jsonl")]).fetchone()
    return int(row[0]) if row else 0


def main(arguments: list[str]) -> None:
    """Run one side and print what it took: seconds by the clock and of the processors."""
    side, *rest = arguments
    started, spent = time.perf_counter(), time.process_time()
    found = load(Path(rest[0]), rest[1]) if side == "load" else read(Path(rest[0]))
    said = {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - spent,
        "found": found,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1:])
