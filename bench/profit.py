"""The profit macros against hand-written SQL for the same answer, over one book of made-up facts.

`bench/sql/MACRO/*.sql` are the hand-written ones: each states in its first line what it does to be
fast, each must return what the macro returns, and the fastest is the peer.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from data import generate

from bench.measure import Finding, Target, processor_note, role
from pnlbook import migrate

if TYPE_CHECKING:
    from bench.measure import Options

MACROS = ("node_profit", "platform_profit")
FIVE_MILLION = 5_000_000


def compare(options: Options) -> list[Finding]:
    """Compare each macro with the fastest SQL that answers the same."""
    rows = options.size(FIVE_MILLION)
    book = make_book(options.scratch, rows)
    return [_finding(macro, book, rows, options.turns) for macro in MACROS]


def _finding(macro: str, book: Path, rows: int, turns: int) -> Finding:
    said = role("profit", book, macro, turns).said
    seconds: dict[str, list[float]] = said["seconds"]
    processor: dict[str, list[float]] = said["processor"]
    middle = {name: statistics.median(figures) for name, figures in seconds.items()}
    peer = min((name for name in middle if name != "ours"), key=lambda name: middle[name])
    work = {name: statistics.median(processor[name]) for name in ("ours", peer)}
    return Finding(
        f"{macro}() over {rows:,} + {rows:,} facts",
        "s",
        middle["ours"],
        middle[peer],
        peer,
        Target("ratio", "≤", 1.2, "x"),
        seconds | {f"{name}, processor": figures for name, figures in processor.items()},
        (processor_note(work["ours"], work[peer]),),
    )


def make_book(scratch: Path, rows: int) -> Path:
    """Return a book of `rows` earnings and costs, made unless it is there from an earlier run."""
    path = scratch / f"profit-{rows}.duckdb"
    if path.exists():
        migrate.up(path)
        return path
    facts = {"node_earnings": rows, "deployment_costs": rows}
    facts |= {"marketplace_revenue": rows // 20, "subscription_revenue": rows // 100}
    generate.write_book(generate.Plan(rows=facts), path)
    return path


def queries(macro: str) -> dict[str, str]:
    """Return the macro's query as "ours" and the hand-written ones by the names of their files."""
    folder = Path(__file__).parent / "sql" / macro
    return {"ours": f"FROM {macro}()"} | {
        path.stem.replace("_", " "): path.read_text(encoding="utf-8")
        for path in sorted(folder.glob("*.sql"))
    }


def measure(book: Path, macro: str, turns: int) -> dict[str, dict[str, list[float]]]:
    """Run every query in turns; return the seconds and the processor seconds of each run.

    One round before the first turn warms the caches and proves that the answers are equal.
    """
    sides = queries(macro)
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    with duckdb.connect(str(book), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, query in sides.items():
            _prove_equal(connection, sides["ours"], name, query)
        for _ in range(turns):
            for name, query in sides.items():
                begun, used = time.perf_counter(), time.process_time()
                connection.execute(f"CREATE OR REPLACE TEMP TABLE answer AS {query}")
                seconds[name].append(time.perf_counter() - begun)
                processor[name].append(time.process_time() - used)
    return {"seconds": seconds, "processor": processor}


def _prove_equal(connection: duckdb.DuckDBPyConnection, ours: str, name: str, query: str) -> None:
    """Raise unless the query returns what ours does; floating ratios are rounded like ours."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE expected AS {ours}")
    connection.execute("CREATE OR REPLACE TEMP TABLE found AS FROM expected LIMIT 0")
    connection.execute(f"INSERT INTO found BY NAME {query}")
    missing, extra = "FROM expected EXCEPT ALL FROM found", "FROM found EXCEPT ALL FROM expected"
    differing = connection.execute(f"({missing}) UNION ALL ({extra})").fetchall()
    if differing:
        message = f"{name} answers otherwise in {len(differing)} rows, e.g. {differing[:2]}"
        raise AssertionError(message)


def main() -> None:
    """Measure one macro: the arguments are BOOK MACRO TURNS."""
    book, macro, turns = sys.argv[1:]
    print(json.dumps(measure(Path(book), macro, int(turns))))


if __name__ == "__main__":
    main()
