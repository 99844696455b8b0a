"""Make a book, or files to load into one, of any size: made-up facts that look like real ones.

The same arguments make the same bytes on any number of threads. Rows come in three batches, to be
loaded in this order: what arrived in time, what arrived late, and corrections of rows of both.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = "generated"
CHUNK = 1_000_000  # rows a transaction; bounds the memory that the index of a primary key takes
EXAMPLES = """examples:
  python data/generate.py --facts 1e6 --out facts
      a million facts as CSV files; load facts/1-main, then facts/2-late, then facts/3-corrected
  python data/generate.py --facts 1e7 --book big.duckdb
      ten million facts straight into a new book, the three batches as loads of their own
  python data/generate.py --rows node_earnings=5e6 --rows deployment_costs=5e6 --book b.duckdb
      exactly so many rows of these tables, and no other facts
  python data/generate.py --rows node_earnings=5e6 --plain --out facts --format parquet
      five million earnings in USD alone, with the eight columns of the specification
"""


@dataclass(frozen=True)
class Table:
    """A table that rows are made for.

    key: its column of text keys; instants: its columns of instants, first the one that dates a row;
    share: its part of all facts, none for a reference table; kind: what generate.sql calls its
    rows; dated: whether a row is of one time; extra: columns that a plain file leaves out.
    """

    key: str
    instants: tuple[str, ...]
    share: float = 0
    kind: str = ""
    dated: bool = True
    extra: tuple[str, ...] = ()


_TOKEN = ("token", "token_amount")
_SETTLED = ("gross_amount_usd", "costs_deducted_usd", "net_of_costs", "is_correction")
TABLES = {
    "nodes": Table("node_id", ("created_at",), dated=False),
    "projects": Table("project_id", ("created_at", "completed_at"), dated=False),
    "deployments": Table("deployment_id", ("deployed_at", "ended_at")),
    "token_prices": Table("token", ("priced_at",)),
    "node_earnings": Table(
        "earning_id", ("earned_at", "paid_at"), 0.50, "earning", extra=(*_SETTLED, *_TOKEN)
    ),
    "deployment_costs": Table("cost_id", ("incurred_at", "paid_at"), 0.44, "cost", extra=_TOKEN),
    "marketplace_revenue": Table("revenue_id", ("collected_at",), 0.05, "fee", extra=_TOKEN),
    "subscription_revenue": Table(
        "revenue_id",
        ("billed_at", "paid_at", "period_start", "period_end"),
        0.01,
        "bill",
        extra=_TOKEN,
    ),
}
FACTS = tuple(name for name, table in TABLES.items() if table.share)


@dataclass(frozen=True)
class Plan:
    """What to make.

    facts: rows of all fact tables together, unless `rows` says how many of each; tables: those
    wanted; nodes, projects: how many, by default as fits the facts; until: the Monday on which the
    books close; late, corrected: shares of the facts; plain: only USD, and payments as made.
    """

    facts: int = 100_000
    rows: dict[str, int] = field(default_factory=dict)
    tables: tuple[str, ...] = tuple(TABLES)
    seed: int = 1
    nodes: int = 0
    projects: int = 0
    weeks: int = 104
    until: date = date(2025, 11, 3)
    late: float = 0.02
    corrected: float = 0.005
    plain: bool = False

    def counts(self) -> dict[str, int]:
        """Return how many rows each table gets, those not wanted included."""
        facts = self.rows or {name: round(self.facts * TABLES[name].share) for name in FACTS}
        total = sum(facts.values())
        projects = self.projects or min(max(total // 100, 50), 100_000)
        return facts | {
            "nodes": self.nodes or min(max(total // 500, 20), 20_000),
            "projects": projects,
            "deployments": 2 * projects,
            "token_prices": 4 * (7 * self.weeks + 11),
        }

    def closing(self) -> datetime:
        """Return the instant at which the books close."""
        return datetime.combine(self.until, time(), UTC)


@dataclass(frozen=True)
class Part:
    """The rows of a table in one batch: a range of row numbers, half-open, and a filter on it.

    prompt: rows of the table that arrive in time; version: 1 as corrected, 0 as first reported.
    """

    batch: str
    table: str
    first: int
    last: int
    prompt: int
    version: int = 0
    where: str = "true"

    def query(self, columns: str) -> str:
        """Return a query for `columns` of these rows."""
        rows = f"{self.table}_rows({self.first}, {self.last}, {self.prompt}, {self.version})"
        return f"FROM {rows} SELECT {columns} WHERE {self.where}"

    def chunks(self) -> Iterator[Part]:
        """Yield the rows in parts of bounded size."""
        for first in range(self.first, self.last, CHUNK):
            yield replace(self, first=first, last=min(first + CHUNK, self.last))


def parts(plan: Plan) -> list[Part]:
    """Return what is to be made, in the order of loading."""
    main, late, corrected = [], [], []
    counts = plan.counts()
    for table in (name for name in TABLES if name in plan.tables and name in counts):
        count, kind = counts[table], TABLES[table].kind
        prompt = count - int(count * plan.late) if kind else count
        main.append(Part("1-main", table, 0, prompt, prompt))
        if prompt < count:
            late.append(Part("2-late", table, prompt, count, prompt))
        if kind and plan.corrected:
            where = f"corrected(i, '{kind}')"
            corrected.append(Part("3-corrected", table, 0, count, prompt, 1, where))
    return [*main, *late, *corrected]


def connect(plan: Plan, *, threads: int = 0) -> duckdb.DuckDBPyConnection:
    """Return an in-memory database that makes the rows of `plan`."""
    counts = plan.counts()
    began = plan.closing() - timedelta(weeks=plan.weeks)
    variables = {
        "seed": f"'{plan.seed}'",
        "nodes": counts["nodes"],
        "projects": counts["projects"],
        "weeks": plan.weeks,
        "growth": f"{0.007 * plan.weeks:.3f}",
        "began": int(began.timestamp()),
        "until": int(plan.closing().timestamp()),
        "corrected": plan.corrected,
        "plain": plan.plain,
    }
    connection = duckdb.connect()
    for name, value in variables.items():
        connection.execute(f"SET VARIABLE {name} = {value}")
    connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'")
    if threads:
        connection.execute(f"SET threads = {threads}")
    connection.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
    return connection


def write_files(plan: Plan, folder: Path, form: str = "csv", *, threads: int = 0) -> list[Path]:
    """Write the rows to `folder`/BATCH/TABLE.`form` and return the paths in order of loading.

    CSV writes instants as text in several time zones, Parquet as instants.
    """
    options = "FORMAT csv, HEADER" if form == "csv" else "FORMAT parquet, COMPRESSION zstd"
    written = []
    with connect(plan, threads=threads) as connection:
        for part in parts(plan):
            path = folder / part.batch / f"{part.table}.{form}"
            path.parent.mkdir(parents=True, exist_ok=True)
            query = part.query(_file_columns(plan, part.table, form))
            target = str(path).replace("'", "''")
            connection.execute(f"COPY ({query}) TO '{target}' ({options})")
            written.append(path)
    return written


def _file_columns(plan: Plan, name: str, form: str) -> str:
    table = TABLES[name]
    shown = "as_text({0}, form) AS {0}" if form == "csv" else "instant({0}) AS {0}"
    instants = ", ".join(shown.format(column) for column in table.instants)
    left_out = ("i", "form", *(table.extra if plan.plain else ()))
    return f"* EXCLUDE ({', '.join(left_out)}) REPLACE ({instants})"


def write_book(plan: Plan, path: Path, *, threads: int = 0) -> None:
    """Make a new book at `path`, as if the CSV files had been loaded into it one batch a day."""
    from pnlbook import migrate  # noqa: PLC0415 - files are made without pnlbook

    if path.exists():
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        unfinished = Path(folder, "book.duckdb")
        migrate.create(unfinished)
        with connect(plan, threads=threads) as connection:
            literal = str(unfinished).replace("'", "''")
            connection.execute(f"ATTACH '{literal}' AS book")
            _fill(connection, plan)
        unfinished.rename(path)


def _fill(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Insert first versions that still hold, then corrected ones with what they replaced."""
    made = parts(plan)
    load_ids = {(part.batch, part.table): number for number, part in enumerate(made, start=1)}
    for part in made:
        load_id = load_ids[part.batch, part.table]
        if TABLES[part.table].kind and not part.version:
            still_holds = f"NOT corrected(i, '{TABLES[part.table].kind}')"
            for chunk in replace(part, where=still_holds).chunks():
                _insert(connection, chunk, f"i - {part.first} + 2", load_id)
        else:
            _insert(connection, part, "row_number() OVER (ORDER BY i) + 1", load_id)
        if part.version:
            _insert_history(connection, part, load_ids)
    for part in made:
        batch_id = min(number for (batch, _), number in load_ids.items() if batch == part.batch)
        _record(connection, plan, part, load_ids[part.batch, part.table], batch_id)


def _insert(connection: duckdb.DuckDBPyConnection, part: Part, line: str, load_id: int) -> None:
    columns = f"{_book_columns(part.table)}, {line} AS source_line, {load_id} AS load_id"
    connection.execute(f"INSERT INTO book.{part.table} BY NAME {part.query(columns)}")


def _insert_history(
    connection: duckdb.DuckDBPyConnection, part: Part, load_ids: dict[tuple[str, str], int]
) -> None:
    """Insert the versions that the rows of `part` replaced."""
    main = load_ids["1-main", part.table]
    late = load_ids.get(("2-late", part.table), main)
    columns = f"""{_book_columns(part.table)},
        if(i < {part.prompt}, i, i - {part.prompt}) + 2 AS source_line,
        if(i < {part.prompt}, {main}, {late}) AS load_id,
        {load_ids[part.batch, part.table]} AS superseded_by"""
    query = replace(part, version=0).query(columns)
    connection.execute(f"INSERT INTO book.{part.table}_history BY NAME {query}")


def _book_columns(name: str) -> str:
    """Return the columns of a row in the book, but for what only its load knows."""
    table = TABLES[name]
    changed = [f"instant({column}) AS {column}" for column in table.instants]
    key = table.key
    if name == "token_prices":
        key = "token || '|' || instant(priced_at)"
    if table.kind:
        value = f"coalesce(amount_usd, worth(token_amount, token, {table.instants[0]}))"
        changed += [f"i + 1 AS {table.key}", f"{value} AS amount_usd"]
        if name == "node_earnings":
            gross = f"coalesce(gross_amount_usd, {value})"
            deducted = "coalesce(costs_deducted_usd, 0)"
            changed.append(f"if(net_of_costs, NULL, {gross}) AS gross_amount_usd")
            changed.append(f"if(net_of_costs, NULL, {deducted}) AS costs_deducted_usd")
    return (
        f"* EXCLUDE (i, form) REPLACE ({', '.join(changed)}), "
        f"'{SOURCE}' AS source, {key} AS source_key"
    )


def _record(
    connection: duckdb.DuckDBPyConnection, plan: Plan, part: Part, load_id: int, batch_id: int
) -> None:
    """Write the row of `loads` for the part that came in as `load_id`."""
    from pnlbook import __version__  # noqa: PLC0415 - files are made without pnlbook

    table = TABLES[part.table]
    moment = table.instants[0] if table.dated else "NULL::TIMESTAMPTZ"
    amount = "coalesce(sum(amount_usd), 0)" if table.kind else "NULL"
    unpriced = "amount_usd IS NULL" if table.kind else "false"
    committed = plan.closing() + timedelta(days=int(part.batch[0]) - 1, seconds=load_id)
    versions = f"FROM book.{part.table} UNION ALL BY NAME FROM book.{part.table}_history"
    connection.execute(
        f"""INSERT INTO book.loads BY NAME
        FROM ({versions})
        SELECT $load_id AS load_id, $batch_id AS batch_id, 'loaded' AS status,
            $table_name AS table_name, $source AS source, $location AS location, 'csv' AS format,
            count(*) AS rows_read,
            if($version = 0, count(*), 0) AS rows_added,
            if($version = 1, count(*), 0) AS rows_superseded,
            min({moment}) AS first_at, max({moment}) AS last_at,
            {amount} AS amount_usd, count(*) FILTER ({unpriced}) AS unpriced_rows,
            $started_at AS started_at, $committed_at AS committed_at,
            'generate.py' AS loaded_by, $program_version AS program_version
        WHERE load_id = $load_id""",
        {
            "load_id": load_id,
            "batch_id": batch_id,
            "table_name": part.table,
            "source": SOURCE,
            "location": f"{part.batch}/{part.table}.csv",
            "version": part.version,
            "started_at": committed - timedelta(minutes=1),
            "committed_at": committed,
            "program_version": __version__,
        },
    )


def _count(text: str) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if number < 1 or number != number.to_integral_value():
        message = f"{text!r} is no number of rows; write 250000 or 5e6"
        raise argparse.ArgumentTypeError(message)
    return int(number)


def _table_count(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in FACTS:
        message = f"{name!r} is no table of facts; choose from {', '.join(FACTS)}"
        raise argparse.ArgumentTypeError(message)
    return name, _count(number)


def _monday(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min + timedelta(days=1)
    if day.weekday():
        message = f"{text!r} is no Monday; write one as YYYY-MM-DD"
        raise argparse.ArgumentTypeError(message)
    return day


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, n = parser.add_argument, "N"
    plan = Plan()
    add("--out", type=Path, metavar="DIR", help="write files into folders of DIR, one a batch")
    add("--book", type=Path, metavar="PATH", help="make a new book at PATH")
    add("--format", choices=("csv", "parquet"), default="csv", help="of the files (default: csv)")
    add("--facts", type=_count, default=plan.facts, metavar=n, help="facts in all (default: 1e5)")
    rows_help = "so many rows of a table of facts, none of those not named; repeatable"
    add("--rows", type=_table_count, action="append", default=[], metavar="TABLE=N", help=rows_help)
    tables_help = f"only these: {', '.join(TABLES)}"
    add("--tables", nargs="+", choices=TABLES, default=TABLES, metavar="TABLE", help=tables_help)
    add("--seed", type=int, default=plan.seed, help="another seed, other facts (default: 1)")
    add("--nodes", type=_count, default=0, metavar=n, help="default: facts / 500, 20 to 20000")
    add("--projects", type=_count, default=0, metavar=n, help="default: facts / 100, 50 to 100000")
    add("--weeks", type=_count, default=plan.weeks, metavar=n, help="time covered (default: 104)")
    until_help = f"Monday on which the books close (default: {plan.until})"
    add("--until", type=_monday, default=plan.until, metavar="DAY", help=until_help)
    late_help = "share of the facts that arrives in the second batch (default: 0.02)"
    add("--late", type=float, default=plan.late, metavar="SHARE", help=late_help)
    corrected_help = "share of the facts that the third batch reports anew (default: 0.005)"
    add("--corrected", type=float, default=plan.corrected, metavar="SHARE", help=corrected_help)
    add("--plain", action="store_true", help="only USD, no refunds of earnings, nothing deducted")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    out, book, form = (options.pop(name) for name in ("out", "book", "format"))
    if out is None and book is None:
        parser.error("say where to: --out DIR, --book PATH or both")
    plan = Plan(**options | {"rows": dict(options["rows"]), "tables": tuple(options["tables"])})
    if out is not None:
        for path in write_files(plan, out, form):
            print(path)
    if book is not None:
        try:
            write_book(plan, book)
        except FileExistsError:
            parser.error(f"{book} exists already; remove it, or name another")
        print(book)
    return 0


if __name__ == "__main__":
    sys.exit(main())
