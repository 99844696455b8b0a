"""One source, read and checked in the scratch database: what is good, what is refused and why.

Staged tables live in the database `stage`; a row's `problem` is 0 (good), the number of a problem,
or REPEAT for a further copy of a row of the same source.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import duckdb

from pnlbook.book import identifier, quote, run
from pnlbook.load import formats
from pnlbook.load.clean import Cleaning, make_cleaning, text_column
from pnlbook.load.result import FileRejected, Progress, Reject, SourceError
from pnlbook.load.sources import stamp, with_unix_line_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pnlbook.load.formats.raw import Raw
    from pnlbook.load.mapping import Mapping
    from pnlbook.load.plan import Plan
    from pnlbook.load.scratch import Scratch
    from pnlbook.load.sources import Prepared
    from pnlbook.load.tables import Rule

_CONFLICT, REPEAT = 254, 255
_TICK = 0.2
_MIXED_LINE_ENDS = "state machine"  # DuckDB's words for CRLF and LF in one file


@dataclass(frozen=True)
class Staged:
    """A source in the scratch database.

    name: its table there, with the columns `stored`. values, line: SQL over a row `s` of it that
    gives each column of the book's table that the source tells, and the row's line.
    """

    prepared: Prepared
    plan: Plan
    name: str
    stored: tuple[str, ...]
    values: dict[str, str]
    line: str
    rows_read: int
    rows_good: int
    rows_repeated: int
    rejects: list[Reject]

    @property
    def table(self) -> str:
        """The staged table, to be named from any database."""
        return f"stage.{self.name}"


@dataclass(frozen=True)
class _Reading:
    """One source being staged."""

    connection: duckdb.DuckDBPyConnection
    prepared: Prepared
    name: str
    plan: Plan
    cleaning: Cleaning


def stage(
    scratch: Scratch,
    prepared: Prepared,
    mapping: Mapping,
    name: str,
    understand: Callable[[tuple[str, ...]], tuple[Plan, tuple[Rule, ...]]],
) -> Staged:
    """Read a source into `stage.<name>` and check every row.

    understand: turns the source's column names into a plan and the rules of its table.
    Raises FileRejected when it cannot be taken apart, SourceError when it changed meanwhile.
    """
    raw = formats.read(scratch.connection, prepared, mapping, name)
    plan, rules = understand(raw.columns)
    reading = _Reading(scratch.connection, prepared, name, plan, make_cleaning(raw, plan, rules))
    try:
        _read(scratch, reading, raw)
    except duckdb.InvalidInputException as error:
        if _MIXED_LINE_ENDS not in str(error):
            raise FileRejected(prepared.source.location, _first_line(error)) from error
        reading = replace(reading, prepared=with_unix_line_ends(prepared, scratch.folder))
        raw = formats.read(scratch.connection, reading.prepared, mapping, name)
        _read(scratch, reading, raw)
    while (lines := raw.lines(_rows(reading))).again is not None:
        raw = lines.again
        _read(scratch, reading, raw)
    if stamp(prepared.source.path) != prepared.stamp:
        problem = "the file changed while it was read. Load it again once it is complete."
        raise SourceError(prepared.source.location, problem)
    _settle_repeats(reading)
    counts = _counts(reading)
    rejects = sorted(
        [*lines.rejects, *_rejects(reading, lines.line)], key=lambda reject: reject.line or 0
    )
    return Staged(
        prepared=reading.prepared,
        plan=plan,
        name=name,
        stored=reading.cleaning.stored,
        values=reading.cleaning.values,
        line=lines.line,
        rows_read=sum(counts.values()) + len(lines.rejects),
        rows_good=counts.get(0, 0),
        rows_repeated=counts.get(REPEAT, 0),
        rejects=rejects,
    )


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0].removeprefix("Invalid Input Error: ") + "."


def _read(scratch: Scratch, reading: _Reading, raw: Raw) -> None:
    location, size = reading.prepared.source.location, reading.prepared.size

    def tell(share: float) -> None:
        scratch.tell(Progress("reading", location, 0, int(share * size), size))

    with _ticking(scratch.connection, tell):
        run(scratch.connection, _statement(raw, reading.cleaning, reading.name))


def _statement(raw: Raw, cleaning: Cleaning, name: str) -> str:
    """Write the one statement that reads, types and checks every row."""
    texts = [f"{sql} AS {text_column(column)}" for column, sql in cleaning.texts.items()]
    typed = [
        f"{sql} AS {identifier(f'given {column}' if column in cleaning.derived else column)}"
        for column, sql in cleaning.typed.items()
    ]
    derived = [f"{sql} AS {identifier(column)}" for column, sql in cleaning.derived.items()]
    key = [f"{cleaning.key} AS row_key"] if cleaning.key else []
    cases = " ".join(
        f"WHEN {problem.condition} THEN {number}"
        for number, problem in enumerate(cleaning.problems, 1)
    )
    problem = f"CAST(CASE {cases} ELSE 0 END AS UTINYINT)" if cases else "0::UTINYINT"
    stored = [identifier(column) for column in cleaning.stored]
    cells = ", ".join(f"{quote(n or f'column {i + 1}')}, c{i}" for i, n in enumerate(raw.columns))
    outputs = [*stored, *(["row_key"] if key else []), "problem"]
    levels = raw.relation
    for added in (texts, typed, derived, key, [f"{problem} AS problem"]):
        if added:
            levels = f"(SELECT *, {', '.join(added)} FROM {levels})"
    return (
        f"CREATE OR REPLACE TABLE stage.{name} AS SELECT {', '.join(outputs)}, "
        f"CASE WHEN problem > 0 THEN json_object({cells})::VARCHAR END AS raw FROM {levels}"
    )


@contextmanager
def _ticking(
    connection: duckdb.DuckDBPyConnection, tell: Callable[[float], None]
) -> Iterator[None]:
    """Tell the share done, 0 to 1, several times a second while a statement runs."""
    done = threading.Event()

    def tick() -> None:
        while not done.wait(_TICK):
            tell(min(max(connection.query_progress(), 0.0), 100.0) / 100)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    tell(1.0)


def key_columns(plan: Plan) -> tuple[str, ...]:
    """Return the staged columns that identify a row within its source."""
    return ("row_key",) if plan.table.numbered else plan.table.key


def _settle_repeats(reading: _Reading) -> None:
    """Mark rows that share a key: equal ones as repeats, differing ones as a problem.

    Rows without a key of their own are told apart by counting equal ones, so that two equal
    payments stay two and the same file loaded again adds none.
    """
    connection, plan, name = reading.connection, reading.plan, reading.name
    if _ascends(reading):
        return
    keys = ", ".join(identifier(column) for column in key_columns(plan))
    run(
        connection,
        f"CREATE OR REPLACE TABLE stage.{name}_twice AS SELECT {keys} FROM stage.{name} "
        "WHERE problem = 0 GROUP BY ALL HAVING count(*) > 1",
    )
    if not run(connection, f"SELECT 1 FROM stage.{name}_twice LIMIT 1"):
        return
    content = ", ".join(f"{identifier(c)} := {identifier(c)}" for c in reading.cleaning.stored)
    run(
        connection,
        f"CREATE OR REPLACE TABLE stage.{name}_rank AS "
        f"SELECT s.rowid AS row, row_number() OVER (PARTITION BY {keys} ORDER BY s.rowid) AS nth, "
        f"count(DISTINCT struct_pack({content})) OVER (PARTITION BY {keys}) AS versions "
        f"FROM stage.{name} AS s SEMI JOIN stage.{name}_twice USING ({keys}) WHERE problem = 0",
    )
    if plan.table.numbered and plan.key is None:
        change, rows = "row_key = s.row_key || '#' || r.nth", "r.nth > 1"
    else:
        change = (
            f"problem = CASE WHEN r.versions > 1 THEN {_CONFLICT} ELSE {REPEAT} END, "
            f"raw = CASE WHEN r.versions > 1 THEN to_json(struct_pack({content}))::VARCHAR END"
        )
        rows = "(r.nth > 1 OR r.versions > 1)"
    run(
        connection,
        f"UPDATE stage.{name} AS s SET {change} FROM stage.{name}_rank AS r "
        f"WHERE s.rowid = r.row AND {rows}",
    )


def _ascends(reading: _Reading) -> bool:
    """Whether every row's key is after the one before it: then none stands twice.

    Most exports are sorted by their ids, and to see that costs an eighth of grouping by them.
    Shorter keys go before longer ones, as e-9 before e-10.
    """
    if reading.plan.key is None:
        return False
    found = run(
        reading.connection,
        f"FROM (SELECT row_key, lag(row_key) OVER () AS before FROM stage.{reading.name} "
        "WHERE problem = 0) "
        "WHERE before IS NOT NULL "
        "AND (length(row_key), row_key) <= (length(before), before) LIMIT 1",
    )
    return not found


def _rows(reading: _Reading) -> int:
    return int(run(reading.connection, f"SELECT count(*) FROM stage.{reading.name}")[0][0])


def _counts(reading: _Reading) -> dict[int, int]:
    counts = f"SELECT problem, count(*) FROM stage.{reading.name} GROUP BY ALL"
    return dict(run(reading.connection, counts))


def _rejects(reading: _Reading, line: str) -> Iterator[Reject]:
    plan, location = reading.plan, reading.prepared.source.location
    keys = ", ".join(f"{identifier(column)}::VARCHAR" for column in key_columns(plan))
    found = run(
        reading.connection,
        f"SELECT problem, raw, {line}, concat_ws(' ', {keys}) FROM stage.{reading.name} AS s "
        f"WHERE problem BETWEEN 1 AND {_CONFLICT} ORDER BY s.rowid",
    )
    for number, raw, at, key in found:
        if number == _CONFLICT:
            column = _file_column(plan, plan.table.id_column)
            reason = "is the key of several rows with different content; keep one"
            yield Reject(location, at, column, key, reason, raw)
            continue
        problem = reading.cleaning.problems[number - 1]
        column = _file_column(plan, problem.column)
        value = _value(plan, problem.column, column, raw)
        yield Reject(location, at, column, value, problem.reason(value or ""), raw)


def _value(plan: Plan, column: str | None, file_column: str | None, raw: str) -> str | None:
    """Return what a refused row has in a column: of the source, or given for all rows."""
    constant = plan.constants.get(column or "")
    value: str | None = json.loads(raw).get(file_column, constant)
    return value


def _file_column(plan: Plan, column: str | None) -> str | None:
    """Return what the source calls a column of the table."""
    if column is None:
        return None
    if column == plan.table.id_column and plan.key is not None:
        return plan.names[plan.key]
    return plan.names[plan.taken[column]] if column in plan.taken else column
