"""Loading against a bare INSERT: the same CSV file into the same table of a fresh book.

The bare side takes what the file says as it is: no row is checked, no duplicate looked for, no load
recorded. Its peer fills the columns that ours does; the other variants, which leave out more, show
what keys, lines and the order of rows cost.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from data import generate

from bench.measure import Finding, Target, medians, processor_note, role, take_turns
from pnlbook import migrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Options, Run

TABLE = "node_earnings"
FIVE_MILLION, TWENTY_MILLION = 5_000_000, 20_000_000
_TYPED = (
    "FROM read_csv(?, types = {'amount_usd': 'DECIMAL(24, 12)', "
    "'earned_at': 'TIMESTAMPTZ', 'paid_at': 'TIMESTAMPTZ'})"
)
_GUESSED = "FROM read_csv(?)"
_DIGITS = "substr(earning_id, 5)::BIGINT"
_NUMBER = f"{_DIGITS} AS earning_id"
_COUNT = "row_number() OVER () AS earning_id"
_REST = "* EXCLUDE (earning_id), 'file' AS source, 1 AS load_id"
_NO_KEY = f"{_REST}, '' AS source_key"
_KEY = "earning_id AS source_key"
_AMOUNTS = "amount_usd AS gross_amount_usd, 0 AS costs_deducted_usd"
_LINE = f"{_DIGITS} + 1 AS source_line"
PEER = "bare, the same columns"
# What each variant selects; those after the peer leave out what their names say.
BARE = {
    PEER: f"SELECT {_NUMBER}, {_REST}, {_KEY}, {_AMOUNTS}, {_LINE} {_TYPED}",
    "bare, keys kept": f"SELECT {_NUMBER}, {_REST}, {_KEY} {_TYPED}",
    "bare, one key for all": f"SELECT {_NUMBER}, {_NO_KEY} {_TYPED}",
    "bare, rows counted": f"SELECT {_COUNT}, {_NO_KEY} {_TYPED}",
    "bare, types guessed": f"SELECT {_NUMBER}, {_NO_KEY} {_GUESSED}",
    "bare, in any order": f"SELECT {_NUMBER}, {_NO_KEY} {_TYPED}",
}


def compare(options: Options) -> list[Finding]:
    """Compare rows a second, and the identical file again with the first time."""
    rows = options.size(FIVE_MILLION)
    return _compare(options, make_file(options.scratch, rows), rows, "earnings")


def compare_shuffled(options: Options) -> list[Finding]:
    """Compare rows a second of a file that is sorted by nothing."""
    rows = options.size(FIVE_MILLION)
    path = shuffled(make_file(options.scratch, rows))
    return _compare(options, path, rows, "earnings in no order")[:1]


def _compare(options: Options, path: Path, rows: int, what: str) -> list[Finding]:
    book = options.scratch / "load.duckdb"
    again: list[float] = []
    work: dict[str, list[float]] = {name: [] for name in ("ours", *BARE)}

    def ours() -> float:
        fresh(book)
        first = role("loading", "ours", book, path).said
        repeated = role("loading", "ours", book, path).said
        again.append(repeated["seconds"] / first["seconds"])
        work["ours"].append(first["processor"])
        _expect(first["rows"], rows)
        _expect(repeated["rows"], 0)
        return float(rows / first["seconds"])

    def bare(variant: str) -> Callable[[], float]:
        def side() -> float:
            fresh(book)
            said = role("loading", "bare", book, path, variant).said
            work[variant].append(said["processor"])
            return float(rows / said["seconds"])

        return side

    runs = take_turns({"ours": ours, **{name: bare(name) for name in BARE}}, options.turns)
    book.unlink()
    middle = medians(runs)
    fastest = max(BARE, key=lambda name: middle[name])
    processor = medians(work)
    return [
        Finding(
            f"load {rows:,} {what}",
            "rows/s",
            middle["ours"],
            middle[PEER],
            PEER,
            Target("ratio", "≥", 0.8, "x"),
            runs | {f"{name}, processor": figures for name, figures in work.items()},
            (
                processor_note(processor["ours"], processor[PEER]),
                f"{middle['ours'] / middle[fastest]:.2f} x of the fastest, {fastest}",
            ),
        ),
        Finding(
            "load the identical file again",
            "of the first time",
            medians({"again": again})["again"],
            None,
            "",
            Target("ours", "≤", 0.05, "of the first time"),
            {"ours": again},
        ),
    ]


def memory(options: Options) -> list[Finding]:
    """Measure the largest resident size of one large load, and of the bare INSERT."""
    rows = options.size(TWENTY_MILLION)
    path = make_file(options.scratch, rows)
    book = options.scratch / "load.duckdb"
    sides: dict[str, Run] = {}
    for name, arguments in (("ours", ()), (PEER, (PEER,))):
        fresh(book)
        sides[name] = role("loading", name.split(",")[0], book, path, *arguments)
        _expect(sides[name].said["rows"], rows)
    book.unlink()
    path.unlink()
    seconds = ", ".join(f"{name} {run.said['seconds']:.1f} s" for name, run in sides.items())
    return [
        Finding(
            f"peak memory of loading {rows:,} earnings",
            "MiB",
            sides["ours"].peak_mib,
            sides[PEER].peak_mib,
            PEER,
            Target("ours", "≤", 1907, "MiB"),
            {name: [run.peak_mib] for name, run in sides.items()},
            (seconds,),
        )
    ]


def make_file(scratch: Path, rows: int) -> Path:
    """Return a CSV file of `rows` earnings, made unless it is there from an earlier run."""
    folder = scratch / f"earnings-{rows}"
    path = folder / "1-main" / f"{TABLE}.csv"
    if not path.exists():
        plan = generate.Plan(rows={TABLE: rows}, tables=(TABLE,), late=0, corrected=0, plain=True)
        generate.write_files(plan, folder / "new")
        path.parent.mkdir(parents=True, exist_ok=True)
        (folder / "new" / "1-main" / path.name).rename(path)
    return path


def shuffled(path: Path) -> Path:
    """Return a file of the same rows in no order."""
    other = path.with_stem(f"{path.stem}-shuffled")
    if not other.exists():
        rows = f"FROM read_csv('{path}', all_varchar = true) ORDER BY hash(earning_id)"
        with duckdb.connect() as connection:
            connection.execute(f"COPY ({rows}) TO '{other}.new' (FORMAT csv, HEADER)")
        other.with_name(f"{other.name}.new").rename(other)
    return other


def fresh(book: Path) -> None:
    """Make an empty book in place of what is there."""
    book.unlink(missing_ok=True)
    migrate.create(book)


def _expect(found: int, expected: int) -> None:
    if found != expected:
        message = f"{found} rows were added, not {expected}"
        raise AssertionError(message)


def load_ours(book: Path, path: Path) -> int:
    """Load the file as `pnlbook load` does and return how many rows it added."""
    from pnlbook.load import LoadOptions, load  # noqa: PLC0415 - not a part of the bare side

    return load(book, [str(path)], LoadOptions(table=TABLE)).rows_added


def load_bare(book: Path, path: Path, variant: str) -> int:
    """Insert the file as it is and return how many rows that added."""
    with duckdb.connect(str(book)) as connection:
        if variant == "bare, in any order":
            connection.execute("SET preserve_insertion_order = false")
        counted = connection.execute(
            f"INSERT INTO {TABLE} BY NAME {BARE[variant]}", (str(path),)
        ).fetchone()
    return int(counted[0]) if counted else 0


def main() -> None:
    """Be one side: the arguments are ours BOOK FILE, or bare BOOK FILE VARIANT."""
    side, book, path, *variant = sys.argv[1:]
    if side == "ours":
        import pnlbook.load  # noqa: F401, PLC0415 - importing is not loading
    started, used = time.perf_counter(), time.process_time()
    if side == "ours":
        rows = load_ours(Path(book), Path(path))
    else:
        rows = load_bare(Path(book), Path(path), *variant)
    seconds, processor = time.perf_counter() - started, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor, "rows": rows}))


if __name__ == "__main__":
    main()
