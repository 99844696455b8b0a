from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from data import generate
from data.generate import FACTS, TABLES, Plan

from pnlbook import migrate, sql
from pnlbook.load import LoadOptions, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = Plan(facts=20_000, seed=7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("facts")
    generate.write_files(PLAN, path)
    return path


@pytest.fixture(scope="module")
def files(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give every CSV file as a view of text, named TABLE_BATCH; TABLE is main and late together."""
    with duckdb.connect() as connection:
        for path in folder.glob("*/*.csv"):
            view = f"{path.stem}_{path.parent.name[2:]}"
            connection.read_csv(str(path), all_varchar=True).create_view(view)
        for table in FACTS:
            views = f"FROM {table}_main UNION ALL FROM {table}_late"
            connection.execute(f"CREATE VIEW {table} AS {views}")
        yield connection


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("book") / "made.duckdb"
    generate.write_book(PLAN, path)
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def digests(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
    }


@pytest.mark.core
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_seed_makes_the_same_bytes_on_any_number_of_threads(
    tmp_path: Path, form: str
) -> None:
    for threads in (1, 4):
        generate.write_files(PLAN, tmp_path / str(threads), form, threads=threads)
    assert digests(tmp_path / "1") == digests(tmp_path / "4")


@pytest.mark.core
def test_another_seed_makes_other_facts(tmp_path: Path, folder: Path) -> None:
    generate.write_files(Plan(facts=20_000, seed=8), tmp_path)
    name = "1-main/node_earnings.csv"
    assert digests(tmp_path)[name] != digests(folder)[name]


@pytest.mark.core
def test_the_facts_are_shared_out_among_the_tables(files: duckdb.DuckDBPyConnection) -> None:
    counts = {table: ask(files, f"FROM {table} SELECT count(*)")[0] for table in FACTS}
    assert counts == {table: 20_000 * TABLES[table].share for table in FACTS}


@pytest.mark.core
@pytest.mark.parametrize("table", FACTS)
def test_every_key_stands_once(files: duckdb.DuckDBPyConnection, table: str) -> None:
    key = TABLES[table].key
    total, distinct = ask(files, f"FROM {table} SELECT count(*), count(DISTINCT {key})")
    assert total == distinct


@pytest.mark.core
def test_keys_are_text_of_one_width(files: duckdb.DuckDBPyConnection) -> None:
    first, last = ask(files, "SELECT min(earning_id), max(earning_id) FROM node_earnings")
    assert (first, last) == ("ern-000001", "ern-010000")


@pytest.mark.core
@pytest.mark.parametrize("table", FACTS)
def test_amounts_have_two_decimals_and_sums_are_exact(
    files: duckdb.DuckDBPyConnection, table: str
) -> None:
    rows = files.execute(f"FROM {table} SELECT amount_usd WHERE amount_usd IS NOT NULL").fetchall()
    amounts = [amount for (amount,) in rows]
    assert all(re.fullmatch(r"-?(0|[1-9]\d*)\.\d\d", amount) for amount in amounts)
    total = ask(files, f"FROM {table} SELECT sum(amount_usd::DECIMAL(18, 2))")[0]
    assert total == sum(map(Decimal, amounts))


@pytest.mark.core
@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        ("payment_status = 'failed'", 0.01, 0.03),
        ("payment_status = 'pending'", 0.03, 0.08),
        ("payment_status = 'paid'", 0.89, 0.96),
        ("node_id IS NULL", 0.005, 0.02),
        ("node_id LIKE 'former-%'", 0.001, 0.006),
        ("project_id IS NULL", 0.005, 0.02),
        ("token IS NOT NULL", 0.03, 0.05),
        ("token = 'GNK'", 0.001, 0.01),
        ("net_of_costs = 'true'", 0.01, 0.05),
        ("is_correction = 'true'", 0.001, 0.01),
        ("gross_amount_usd IS NOT NULL", 0.05, 0.15),
        ("strptime(left(earned_at, 10), '%Y-%m-%d') >= '2025-05-05'", 0.28, 0.50),
        ("isodow(left(earned_at, 10)::DATE) > 5", 0.05, 0.20),
        ("earned_at LIKE '%Z'", 0.05, 0.60),
        ("earned_at LIKE '%+05:30'", 0.05, 0.60),
    ],
)
def test_earnings_are_of_every_kind(
    files: duckdb.DuckDBPyConnection, share: str, low: float, high: float
) -> None:
    found = ask(files, f"FROM node_earnings SELECT count(*) FILTER ({share}) / count(*)")[0]
    assert low <= found <= high


@pytest.mark.core
def test_what_is_paid_and_only_that_has_a_day_of_payment(files: duckdb.DuckDBPyConnection) -> None:
    for table in ("node_earnings", "deployment_costs", "subscription_revenue"):
        wrong = "(payment_status = 'paid') <> (paid_at IS NOT NULL)"
        assert ask(files, f"FROM {table} SELECT count(*) WHERE {wrong}") == (0,)


@pytest.mark.core
def test_few_nodes_earn_most(files: duckdb.DuckDBPyConnection) -> None:
    largest, nodes = ask(
        files,
        "SELECT max(rows) / sum(rows), count(*) FROM "
        "(SELECT count(*) AS rows FROM node_earnings WHERE node_id LIKE 'node-%' GROUP BY node_id)",
    )
    assert nodes == generate.Plan(facts=20_000).counts()["nodes"]
    assert largest > 3 / nodes


@pytest.mark.core
@pytest.mark.parametrize("table", ["node_earnings", "deployment_costs", "marketplace_revenue"])
def test_costs_and_fees_have_refunds(files: duckdb.DuckDBPyConnection, table: str) -> None:
    negative = ask(files, f"FROM {table} SELECT count(*) WHERE amount_usd LIKE '-%'")[0]
    assert 0 < negative < 0.02 * 20_000 * TABLES[table].share


@pytest.mark.core
def test_late_rows_were_earned_long_before_they_arrive(files: duckdb.DuckDBPyConnection) -> None:
    late, early = ask(
        files,
        "SELECT count(*), count(*) FILTER (earned_at < '2025') FROM node_earnings_late",
    )
    assert late == 0.02 * 10_000
    assert early > late / 4


@pytest.mark.core
@pytest.mark.parametrize("table", FACTS)
def test_a_corrected_row_has_the_same_key_and_other_content(
    files: duckdb.DuckDBPyConnection, table: str
) -> None:
    key, instant = TABLES[table].key, TABLES[table].instants[0]
    was, now = (f"coalesce({v}.amount_usd, {v}.token_amount)" for v in ("old", "new"))
    total, kept, changed = ask(
        files,
        f"""FROM {table}_corrected AS new LEFT JOIN {table} AS old USING ({key})
        SELECT count(*), count(*) FILTER (old.{instant} = new.{instant}),
            count(*) FILTER ({was} <> {now})""",
    )
    assert total == kept == changed
    assert 0 <= total < 0.02 * 20_000 * TABLES[table].share


@pytest.mark.core
def test_a_correction_brings_overdue_payments(files: duckdb.DuckDBPyConnection) -> None:
    paid = ask(
        files,
        "SELECT count(*) FROM node_earnings_corrected AS new JOIN node_earnings AS old "
        "USING (earning_id) WHERE old.payment_status = 'pending' AND new.payment_status = 'paid'",
    )[0]
    assert paid > 0


@pytest.mark.core
def test_parquet_says_what_csv_says(tmp_path: Path, folder: Path) -> None:
    generate.write_files(PLAN, tmp_path, "parquet")
    with duckdb.connect() as connection:
        for path in sorted(folder.glob("*/*.csv")):
            other = f"FROM '{tmp_path / path.parent.name / path.stem}.parquet'"
            described = connection.execute(f"DESCRIBE {other}").fetchall()
            types = {name: kind for name, kind, *_ in described}
            csv = f"FROM read_csv('{path}', types = {types})"
            differing = f"FROM (({csv} EXCEPT {other}) UNION ALL ({other} EXCEPT {csv}))"
            assert connection.execute(differing).fetchall() == []


@pytest.mark.core
def test_plain_earnings_have_the_columns_of_the_specification(tmp_path: Path) -> None:
    plan = Plan(rows={"node_earnings": 1000}, tables=("node_earnings",), plain=True)
    paths = generate.write_files(plan, tmp_path)
    columns = (
        "earning_id,node_id,project_id,amount_usd,payment_type,payment_status,earned_at,paid_at"
    )
    assert [path.stem for path in paths] == ["node_earnings"] * 3
    assert paths[0].read_text(encoding="utf-8").splitlines()[0] == columns
    with duckdb.connect() as connection:
        amounts = ask(connection, f"FROM '{paths[0]}' SELECT count(amount_usd), count(*)")
    assert amounts == (980, 980)


@pytest.mark.parametrize("table", TABLES)
def test_the_book_holds_every_key_in_its_latest_version(
    book: duckdb.DuckDBPyConnection, files: duckdb.DuckDBPyConnection, table: str
) -> None:
    kind = TABLES[table].kind
    rows = f"FROM {table} SELECT count(*), count(DISTINCT source_key)"
    count = ask(files, f"FROM {table if kind else table + '_main'} SELECT count(*)")[0]
    assert ask(book, rows) == (count, count)
    if kind:
        corrected = ask(files, f"FROM {table}_corrected SELECT count(*)")[0]
        history = f"FROM {table}_history SELECT count(*), count(*) FILTER (load_id < superseded_by)"
        assert ask(book, history) == (corrected, corrected)


def test_the_book_leads_from_each_row_to_its_line(
    book: duckdb.DuckDBPyConnection, folder: Path
) -> None:
    versions = "FROM node_earnings UNION ALL BY NAME FROM node_earnings_history"
    rows = book.execute(
        f"FROM ({versions}) JOIN loads USING (load_id) SELECT location, source_line, source_key"
    ).fetchall()
    lines = {
        location: (folder / location).read_text(encoding="utf-8").splitlines()
        for location in {row[0] for row in rows}
    }
    assert len(lines) == 3
    assert all(lines[location][line - 1].startswith(key + ",") for location, line, key in rows)


def test_loads_account_for_every_row(book: duckdb.DuckDBPyConnection) -> None:
    for table in TABLES:
        added, superseded = ask(
            book,
            f"FROM loads SELECT sum(rows_added), sum(rows_superseded) WHERE table_name = '{table}'",
        )
        assert ask(book, f"FROM {table} SELECT count(*)") == (added,)
        assert ask(book, f"FROM {table}_history SELECT count(*)") == (superseded,)


@pytest.mark.parametrize("table", FACTS)
def test_tokens_are_valued_at_the_last_price(book: duckdb.DuckDBPyConnection, table: str) -> None:
    instant = TABLES[table].instants[0]
    total, wrong, unpriced = ask(
        book,
        f"""FROM (
            FROM {table} SELECT token, token_amount::DECIMAL(19, 9) AS held, amount_usd, {instant}
            WHERE token IS NOT NULL
        ) AS fact
        ASOF LEFT JOIN token_prices AS price
            ON fact.token = price.token AND fact.{instant} >= price.priced_at
        SELECT count(*), count(*) FILTER (
            coalesce(amount_usd, -1)
                <> coalesce((held * price_usd::DECIMAL(15, 6))::DECIMAL(24, 12), -1)
        ), count(*) FILTER (amount_usd IS NULL)""",
    )
    assert wrong == 0
    assert unpriced < total


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, folder: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Make the book, and load the files batch by batch into another."""
    made, loaded = (tmp_path_factory.mktemp("both") / name for name in ("made", "loaded"))
    generate.write_book(PLAN, made)
    migrate.create(loaded)
    for batch in sorted(folder.iterdir()):
        load(loaded, [str(batch)], LoadOptions(source=generate.SOURCE))
    with duckdb.connect() as connection:
        for path in (made, loaded):
            connection.execute(f"ATTACH '{path}' AS {path.name} (READ_ONLY)")
        yield connection


@pytest.mark.parametrize("table", [*TABLES, *(f"{table}_history" for table in FACTS)])
def test_the_book_is_what_loading_the_files_makes(
    both: duckdb.DuckDBPyConnection, table: str
) -> None:
    name = table.removesuffix("_history")
    numbers = ["load_id", *(["superseded_by"] if name != table else [])]
    numbers += [TABLES[name].key] if TABLES[name].kind else []
    made, loaded = (
        f"FROM {book}.{table} SELECT * EXCLUDE ({', '.join(numbers)})"
        for book in ("made", "loaded")
    )
    differing = f"({made} EXCEPT ALL {loaded}) UNION ALL ({loaded} EXCEPT ALL {made})"
    assert ask(both, f"FROM ({differing}) SELECT count(*)") == (0,)


def test_its_loads_are_what_loading_records(both: duckdb.DuckDBPyConnection) -> None:
    columns = (
        "table_name, source, format, rows_read, rows_added, rows_superseded, rows_unchanged, "
        "rows_refused, first_at, last_at, amount_usd, unpriced_rows"
    )
    made, loaded = (f"FROM {book}.loads SELECT {columns}" for book in ("made", "loaded"))
    differing = f"({made} EXCEPT ALL {loaded}) UNION ALL ({loaded} EXCEPT ALL {made})"
    assert ask(both, f"FROM ({differing}) SELECT count(*)") == (0,)


def test_the_book_passes_every_data_check(book: duckdb.DuckDBPyConnection) -> None:
    for check in sql.checks():
        if check.severity == "fail":
            assert book.execute(check.sql).fetchall() == [], check.name


def test_a_book_cut_short_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "_fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        generate.write_book(PLAN, tmp_path / "book.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_a_book_that_exists_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "book.duckdb"
    arguments = ["--facts", "100", "--book", str(path)]
    assert generate.main(arguments) == 0
    before = path.read_bytes()
    with pytest.raises(SystemExit, match="2"):
        generate.main(arguments)
    assert path.read_bytes() == before
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "say where to"),
        (["--facts", "many", "--out", "x"], "write 250000 or 5e6"),
        (["--facts", "0", "--out", "x"], "write 250000 or 5e6"),
        (["--rows", "nodes=5", "--out", "x"], "no table of facts"),
        (["--until", "2025-11-04", "--out", "x"], "no Monday"),
    ],
)
def test_a_wrong_argument_is_told_apart(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        generate.main(arguments)
    assert problem in capsys.readouterr().err


def test_help_teaches_by_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        generate.main(["--help"])
    assert capsys.readouterr().out.count("python data/generate.py") >= 4
