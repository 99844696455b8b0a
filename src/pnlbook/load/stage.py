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
    from pathlib import Path

    from pnlbook.load.formats.raw import Raw
    from pnlbook.load.mapping import Mapping
    from pnlbook.load.plan import Plan
    from pnlbook.load.sources import Prepared
    from pnlbook.load.tables import Rule

_CONFLICT, REPEAT = 254, 255
_TICK = 0.2


@dataclass(frozen=True)
class Staged:
    """A source in the scratch database.

    name: its table there; line: SQL over that table (alias `s`) that gives a row's line.
    """

    prepared: Prepared
    plan: Plan
    name: str
    stored: tuple[str, ...]
    line: str
    rows_read: int
    rows_good: int
    rows_repeated: int
    rejects: list[Reject]

    @property
    def table(self) -> str:
        """The staged table, to be named from any database."""
        return f"stage.{self.name}"


def stage(
    scratch: duckdb.DuckDBPyConnection,
    prepared: Prepared,
    mapping: Mapping,
    name: str,
    make_plan: Callable[[tuple[str, ...]], Plan],
    rules: Callable[[str], tuple[Rule, ...]],
    on_progress: Callable[[Progress], None],
    folder: Path,
) -> Staged:
    """Read a source into `stage.<name>` and check every row.

    Raises FileRejected when it cannot be taken apart, SourceError when it changed meanwhile.
    """
    raw = formats.read(scratch, prepared, mapping, name)
    plan = make_plan(raw.columns)
    cleaning = make_cleaning(plan, rules(plan.table.name))
    try:
        _read(scratch, prepared, raw, cleaning, name, on_progress)
    except duckdb.InvalidInputException as error:
        if "state machine" not in str(error):
            raise FileRejected(prepared.source.location, _first_line(error)) from error
        prepared = with_unix_line_ends(prepared, folder)
        raw = formats.read(scratch, prepared, mapping, name)
        _read(scratch, prepared, raw, cleaning, name, on_progress)
    if stamp(prepared.source.path) != prepared.stamp:
        problem = "the file changed while it was read. Load it again once it is complete."
        raise SourceError(prepared.source.location, problem)
    _settle_repeats(scratch, name, cleaning, plan)
    counts = _counts(scratch, name)
    lines = raw.lines(sum(counts.values()))
    rejects = [*lines.rejects, *_rejects(scratch, prepared, name, plan, cleaning, lines.line)]
    rejects.sort(key=lambda reject: reject.line or 0)
    return Staged(
        prepared=prepared,
        plan=plan,
        name=name,
        stored=cleaning.stored,
        line=lines.line,
        rows_read=sum(counts.values()) + len(lines.rejects),
        rows_good=counts.get(0, 0),
        rows_repeated=counts.get(REPEAT, 0),
        rejects=rejects,
    )


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0].removeprefix("Invalid Input Error: ") + "."


def _read(
    scratch: duckdb.DuckDBPyConnection,
    prepared: Prepared,
    raw: Raw,
    cleaning: Cleaning,
    name: str,
    on_progress: Callable[[Progress], None],
) -> None:
    statement = _statement(raw, cleaning, name)
    location, size = prepared.source.location, prepared.size
    with _ticking(
        scratch, lambda done: on_progress(Progress("reading", location, 0, int(done * size), size))
    ):
        run(scratch, statement)


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


def _settle_repeats(
    scratch: duckdb.DuckDBPyConnection, name: str, cleaning: Cleaning, plan: Plan
) -> None:
    """Mark rows that share a key: equal ones as repeats, differing ones as a problem.

    Rows without a key of their own are told apart by counting equal ones, so that two equal
    payments stay two and the same file loaded again adds none.
    """
    keys = ", ".join(identifier(column) for column in key_columns(plan))
    twice = f"SELECT {keys} FROM stage.{name} WHERE problem = 0 GROUP BY ALL HAVING count(*) > 1"
    run(scratch, f"CREATE OR REPLACE TABLE stage.{name}_twice AS {twice}")
    if not run(scratch, f"SELECT 1 FROM stage.{name}_twice LIMIT 1"):
        return
    content = ", ".join(f"{identifier(c)} := {identifier(c)}" for c in cleaning.stored)
    run(
        scratch,
        f"CREATE OR REPLACE TABLE stage.{name}_rank AS "
        f"SELECT s.rowid AS row, row_number() OVER (PARTITION BY {keys} ORDER BY s.rowid) AS nth, "
        f"count(DISTINCT struct_pack({content})) OVER (PARTITION BY {keys}) AS versions "
        f"FROM stage.{name} AS s SEMI JOIN stage.{name}_twice USING ({keys}) WHERE problem = 0",
    )
    if plan.table.numbered and plan.key is None:
        run(
            scratch,
            f"UPDATE stage.{name} AS s SET row_key = s.row_key || '#' || r.nth "
            f"FROM stage.{name}_rank AS r WHERE s.rowid = r.row AND r.nth > 1",
        )
        return
    run(
        scratch,
        f"UPDATE stage.{name} AS s SET "
        f"problem = CASE WHEN r.versions > 1 THEN {_CONFLICT} ELSE {REPEAT} END, "
        f"raw = CASE WHEN r.versions > 1 THEN to_json(struct_pack({content}))::VARCHAR END "
        f"FROM stage.{name}_rank AS r WHERE s.rowid = r.row AND (r.nth > 1 OR r.versions > 1)",
    )


def _counts(scratch: duckdb.DuckDBPyConnection, name: str) -> dict[int, int]:
    found = run(scratch, f"SELECT problem, count(*) FROM stage.{name} GROUP BY ALL")
    return dict(found)


def _rejects(
    scratch: duckdb.DuckDBPyConnection,
    prepared: Prepared,
    name: str,
    plan: Plan,
    cleaning: Cleaning,
    line: str,
) -> Iterator[Reject]:
    keys = ", ".join(f"{identifier(column)}::VARCHAR" for column in key_columns(plan))
    found = run(
        scratch,
        f"SELECT problem, raw, {line}, concat_ws(' ', {keys}) FROM stage.{name} AS s "
        f"WHERE problem BETWEEN 1 AND {_CONFLICT} ORDER BY s.rowid",
    )
    for number, raw, at, key in found:
        reject = Reject(prepared.source.location, at, None, None, "", raw)
        if number == _CONFLICT:
            reason = f"key {key!r} stands in several rows with different content; keep one"
            yield replace(
                reject, column=_file_column(plan, plan.table.id_column), value=key, reason=reason
            )
            continue
        problem = cleaning.problems[number - 1]
        column = _file_column(plan, problem.column)
        cells = json.loads(raw)
        value = cells.get(column, plan.constants.get(problem.column or "")) if column else None
        yield replace(
            reject, column=column, value=value, reason=_sentence(problem.reason(value or ""), value)
        )


def _sentence(reason: str, value: str | None) -> str:
    shown = "" if value is None else f"{value[:60]!r} "
    return f"{shown}{reason}"


def _file_column(plan: Plan, column: str | None) -> str | None:
    """Return what the source calls a column of the table."""
    if column is None:
        return None
    if column == plan.table.id_column and plan.key is not None:
        return plan.names[plan.key]
    return plan.names[plan.taken[column]] if column in plan.taken else column
