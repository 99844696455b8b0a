"""The macros of work against hand-written SQL, and what a load adds to what is made of the rows.

The peers (`bench/sql/MACRO/*.sql`) answer with some columns of the macro; those must be equal.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bench.measure import Finding, Target, processor_note, role
from pnlbook import migrate
from pnlbook.book import run
from pnlbook.load.derive import refresh, rollup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.measure import Options

MACROS = (
    "node_productivity",
    "project_work",
    "work_profit",
    "tool_success",
    "model_costs",
    "lines_activity",
)
TEN_MILLION = 10_000_000
_SQL = Path(__file__).parent / "sql"


def compare(options: Options) -> list[Finding]:
    """Compare each macro with SQL for the same answer, then a small load with making all anew."""
    rows = options.size(TEN_MILLION)
    book = make_book(options.scratch, rows)
    macros = [_macro(macro, book, rows, options.turns) for macro in MACROS]
    return [*macros, _refresh(book, rows, options.turns)]


def make_book(scratch: Path, rows: int) -> Path:
    """Return a book of that many uses of tools, made unless it is there from an earlier run."""
    path = scratch / f"work-{rows}.duckdb"
    if path.exists():
        migrate.up(path)
        return path
    unfinished = path.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    migrate.create(unfinished)
    with duckdb.connect(str(unfinished)) as connection:
        run(connection, "SET TimeZone = 'UTC'")
        run(connection, f"SET VARIABLE tools = {rows}")
        connection.execute((_SQL / "work_book.sql").read_text(encoding="utf-8"))
        rollup(connection)
    unfinished.rename(path)
    return path


def _macro(macro: str, book: Path, rows: int, turns: int) -> Finding:
    said = role("work_macros", book, macro, turns).said
    (peer,) = (name for name in said["seconds"] if name != "ours")
    middle = {name: statistics.median(figures) for name, figures in said["seconds"].items()}
    work = {name: statistics.median(figures) for name, figures in said["processor"].items()}
    return Finding(
        f"{macro}() over {rows:,} uses of tools",
        "s",
        middle["ours"],
        middle[peer],
        f"hand-written SQL: {peer}",
        Target("ours", "≤", 1, "s"),
        said["seconds"] | {f"{n}, processor": figures for n, figures in said["processor"].items()},
        (processor_note(work["ours"], work[peer]),),
    )


def _refresh(book: Path, rows: int, turns: int) -> Finding:
    said = role("work_macros", book, "refresh", turns).said["seconds"]
    middle = {name: statistics.median(figures) for name, figures in said.items()}
    return Finding(
        f"what is made of {rows:,} uses of tools, after a load of 500 more",
        "s",
        middle["ours"],
        middle["rollup"],
        "pnlbook worklog rollup",
        Target("ours", "≤", 1, "s"),
        said,
    )


def measure(book: Path, macro: str, turns: int) -> dict[str, dict[str, list[float]]]:
    """Run the macro and its peer in turns; return the seconds and processor seconds of each run."""
    (path,) = (_SQL / macro).glob("*.sql")
    peer = path.stem.replace("_", " ")
    by_hand = path.read_text(encoding="utf-8")
    with duckdb.connect(str(book), read_only=True) as connection:
        run(connection, "SET TimeZone = 'UTC'")
        _prove_equal(connection, macro, by_hand)
        answer = "CREATE OR REPLACE TEMP TABLE answer AS {}"
        sides = {
            "ours": partial(run, connection, answer.format(f"FROM {macro}()")),
            peer: partial(run, connection, answer.format(by_hand)),
        }
        return _take_turns(sides, turns)


def measure_refresh(book: Path, turns: int) -> dict[str, dict[str, list[float]]]:
    """Refresh after a small load, which is taken back, and make everything anew once."""
    with duckdb.connect(str(book)) as connection:
        run(connection, "SET TimeZone = 'UTC'")
        run(connection, "BEGIN")
        connection.execute((_SQL / "work_more.sql").read_text(encoding="utf-8"))
        refreshed = _take_turns({"ours": partial(refresh, connection, 2)}, turns)
        made = _take_turns({"rollup": partial(rollup, connection)}, 1)
        run(connection, "ROLLBACK")
    return {name: refreshed[name] | made[name] for name in made}


def _take_turns(
    sides: Mapping[str, Callable[[], object]], turns: int
) -> dict[str, dict[str, list[float]]]:
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, side in sides.items():
            begun, used = time.perf_counter(), time.process_time()
            side()
            seconds[name].append(time.perf_counter() - begun)
            processor[name].append(time.process_time() - used)
    return {"seconds": seconds, "processor": processor}


def _prove_equal(connection: duckdb.DuckDBPyConnection, macro: str, by_hand: str) -> None:
    """Raise unless the macro says in the peer's columns what the peer says."""
    run(connection, f"CREATE OR REPLACE TEMP TABLE theirs AS {by_hand}")
    columns = ", ".join(name for name, *_ in run(connection, "DESCRIBE theirs"))
    run(connection, f"CREATE OR REPLACE TEMP TABLE ours AS SELECT {columns} FROM {macro}()")
    differing = run(
        connection,
        "(FROM ours EXCEPT ALL FROM theirs) UNION ALL (FROM theirs EXCEPT ALL FROM ours)",
    )
    if differing:
        message = f"{macro} answers otherwise in {len(differing)} rows, e.g. {differing[:2]}"
        raise AssertionError(message)


def main() -> None:
    """Measure one macro, or `refresh`: the arguments are BOOK MACRO TURNS."""
    book, macro, turns = sys.argv[1:]
    if macro == "refresh":
        print(json.dumps(measure_refresh(Path(book), int(turns))))
    else:
        print(json.dumps(measure(Path(book), macro, int(turns))))


if __name__ == "__main__":
    main()
