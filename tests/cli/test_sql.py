"""`pnlbook sql`: its bytes are a contract."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from tests.cli.running import Pnlbook, check_golden, start, write

from pnlbook.cli.sql import TABLE_ROWS

pytestmark = [pytest.mark.core, pytest.mark.usefixtures("book")]

# One row of each kind of value, one of NULLs, one of what is awkward in each form.
EVERYTHING = """
WITH awkward(number, "text", amount) AS (
    VALUES (1, 'plain', 4720.000000000000::DECIMAL(24, 12)),
           (2, NULL, NULL),
           (3, 'a "quoted", | and' || chr(10) || 'two lines é', 0.123456789012::DECIMAL(24, 12)),
           (4, '', -0.5::DECIMAL(24, 12)))
SELECT number, "text", amount,
    number = 1 AS yes,
    1e20::DOUBLE * number AS "double",
    CASE number WHEN 1 THEN 'nan' WHEN 2 THEN 'inf' WHEN 3 THEN '-inf' END::DOUBLE AS odd,
    DATE '2025-10-26' + number::INTEGER AS "day",
    TIMESTAMPTZ '2025-10-26 00:30:00Z' + INTERVAL 1 HOUR * (number - 1) AS instant,
    TIMESTAMP '2025-01-01 10:00:00.5' AS "local",
    170141183460469231731687303715884105727::HUGEINT AS huge,
    {'amount': amount, 'at': [TIMESTAMPTZ '2025-10-26 00:30:00Z']} AS nested,
    MAP {'k': amount} AS pairs,
    '{"a": 1.10}'::JSON AS "json",
    [number, NULL] AS number
FROM awkward ORDER BY number
"""


@pytest.mark.parametrize("form", ["table", "csv", "json", "jsonl", "markdown"])
def test_bytes_of_every_format(pnlbook: Pnlbook, book: Path, form: str) -> None:
    write(book, "UPDATE book_settings SET value = 'Europe/Berlin' WHERE name = 'timezone'")
    outcome = pnlbook("sql", EVERYTHING, "--format", form)
    assert (outcome.code, outcome.err) == (0, "")
    check_golden(f"everything.{form}", outcome.out)


def test_json_is_exact(pnlbook: Pnlbook) -> None:
    rows = json.loads(pnlbook("sql", EVERYTHING, "--json").out)
    assert [row["amount"] for row in rows] == ["4720.00", None, "0.123456789012", "-0.50"]
    assert [row["odd"] for row in rows] == ["nan", "inf", "-inf", None]
    assert [row["number"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["number_2"] == [1, None]
    assert rows[0]["instant"] == "2025-10-26T00:30:00+00:00"
    assert rows[2]["text"] == 'a "quoted", | and\ntwo lines é'


@pytest.mark.parametrize(
    ("form", "expected"), [("csv", "a,b\n"), ("json", "[]\n"), ("jsonl", ""), ("table", "a  b\n")]
)
def test_no_rows(pnlbook: Pnlbook, form: str, expected: str) -> None:
    outcome = pnlbook("sql", "SELECT 1 AS a, 2 AS b WHERE false", "--format", form)
    assert outcome.code == 0
    assert outcome.out.startswith(expected)


def test_csv_comes_back_as_it_was(pnlbook: Pnlbook) -> None:
    pnlbook("sql", EVERYTHING, "--output", "out.csv")
    rows = duckdb.execute(
        "SELECT text, amount FROM read_csv('out.csv', all_varchar = true, nullstr = '', "
        "allow_quoted_nulls = false)"
    ).fetchall()
    assert [text for text, _ in rows] == ["plain", None, 'a "quoted", | and\ntwo lines é', ""]
    assert [amount for _, amount in rows] == ["4720.00", None, "0.123456789012", "-0.50"]


def test_parquet_keeps_types(pnlbook: Pnlbook) -> None:
    query = (
        "SELECT 1.5::DECIMAL(38, 18) AS d, TIMESTAMPTZ '2025-10-26 00:30:00Z' AS t, "
        "sum(x)::HUGEINT AS h, 1 AS h FROM (VALUES (9007199254740993)) v(x)"
    )
    assert pnlbook("sql", query, "--output", "out.parquet").code == 0
    columns = duckdb.execute("DESCRIBE FROM 'out.parquet'").fetchall()
    assert [(name, kind) for name, kind, *_ in columns] == [
        ("d", "DECIMAL(38,18)"),
        ("t", "TIMESTAMP WITH TIME ZONE"),
        ("h", "DECIMAL(38,0)"),
        ("h_2", "INTEGER"),
    ]
    assert duckdb.execute("SELECT h FROM 'out.parquet'").fetchall() == [
        (Decimal(9007199254740993),)
    ]


def test_parquet_through_a_pipe() -> None:
    process = start("sql", "SELECT 42 AS x", "--format", "parquet")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    Path("piped.parquet").write_bytes(out)
    assert duckdb.execute("FROM 'piped.parquet'").fetchall() == [(42,)]


def test_query_from_stdin_with_comments(pnlbook: Pnlbook) -> None:
    query = "SET threads = 1; -- first\nSELECT 'a;b' AS x -- then\n;\n-- end ; of it\n"
    assert pnlbook("sql", "-", "--format", "csv", stdin=query).out == "x\na;b\n"


@pytest.mark.parametrize("query", ["", "\n-- nothing", "CREATE TEMP TABLE t (a INTEGER)"])
def test_statement_without_result(pnlbook: Pnlbook, query: str) -> None:
    outcome = pnlbook("sql", query, "--format", "csv")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


@pytest.mark.parametrize(
    "query",
    [
        "EXPLAIN SELECT 1",
        "DESCRIBE nodes",
        "SHOW TABLES",
        "SUMMARIZE nodes",
        "PRAGMA database_list",
        "CALL pragma_version()",
        "PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t",
        "VALUES (1)",
    ],
)
def test_statements_of_every_sort(pnlbook: Pnlbook, query: str) -> None:
    outcome = pnlbook("sql", query, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert json.loads(outcome.out)


def test_order_is_kept(pnlbook: Pnlbook) -> None:
    query = "SELECT range FROM range(300000) ORDER BY hash(range)"
    expected = [str(row[0]) for row in duckdb.execute(query).fetchall()]
    assert pnlbook("sql", query, "--format", "csv").out.split() == ["range", *expected]


def test_a_name_is_never_a_variable_of_the_program(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("sql", "FROM rows")
    assert outcome.code == 1
    assert "rows does not exist" in outcome.err


def test_writing_is_refused(pnlbook: Pnlbook, book: Path) -> None:
    before = book.read_bytes()
    outcome = pnlbook("sql", "DELETE FROM book_settings")
    assert outcome.code == 1
    assert outcome.out == ""
    assert "read-only" in outcome.err
    assert book.read_bytes() == before


def test_table_shows_the_first_rows(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("sql", f"FROM range({TABLE_ROWS + 5})")
    assert len(outcome.out.splitlines()) == TABLE_ROWS + 2
    assert outcome.err == f"These are the first {TABLE_ROWS} rows; --format csv prints all.\n"
    assert pnlbook("sql", f"FROM range({TABLE_ROWS + 5})", "--quiet").err == ""


def test_control_characters_do_nothing_to_a_terminal(pnlbook: Pnlbook) -> None:
    assert "\\x1b[31m" in pnlbook("sql", "SELECT chr(27) || '[31m' AS x").out


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "md", "txt", "parquet"])
def test_file_holds_what_stdout_shows(pnlbook: Pnlbook, ending: str) -> None:
    forms = {"md": "markdown", "txt": "table"}
    outcome = pnlbook("sql", "SELECT 1.50 AS a, NULL AS b", "--output", f"out.{ending}")
    assert (outcome.code, outcome.out) == (0, "")
    if ending != "parquet":
        shown = pnlbook("sql", "SELECT 1.50 AS a, NULL AS b", "-f", forms.get(ending, ending))
        assert Path(f"out.{ending}").read_bytes() == shown.out.encode()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_file_is_whole_or_as_before(pnlbook: Pnlbook, ending: str) -> None:
    output = Path(f"out.{ending}")
    output.write_text("before", encoding="utf-8")
    # In one thread: of several, DuckDB 1.5 may tell the error of one that the other interrupted.
    rows = "SELECT unnest(range(2000000)) AS n"
    query = f"SELECT CASE WHEN n = 1900000 THEN error('late') ELSE n END FROM ({rows})"
    outcome = pnlbook("sql", query, "--output", str(output))
    assert outcome.code == 1
    assert "late" in outcome.err
    assert output.read_text(encoding="utf-8") == "before"
    assert sorted(path.name for path in Path().iterdir()) == ["book.duckdb", output.name]


def test_folder_of_the_output_is_missing(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("sql", "SELECT 1", "--output", "nowhere/out.csv")
    assert outcome.code == 1
    assert outcome.err.startswith("error: cannot write nowhere/out.csv: No such file or directory.")


def test_ending_says_no_format(pnlbook: Pnlbook) -> None:
    outcome = pnlbook("sql", "SELECT 1", "--output", "out.xyz")
    assert outcome.code == 2
    assert "Give --format: table, csv" in outcome.err


def test_output_to_a_pipe_is_written_directly() -> None:
    process = start("sql", "SELECT 1 AS x", "--format", "csv", "--output", "/dev/stdout")
    assert process.communicate() == (b"x\n1\n", b"")


def test_reader_that_leaves_early_is_no_error() -> None:
    process = start("sql", "FROM range(10000000)", "--format", "csv")
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline() == b"range\n"
    process.stdout.close()
    assert process.wait(30) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_full_disk_of_stdout() -> None:
    with Path("/dev/full").open("wb") as full:
        process = start("sql", "FROM range(10)", "--format", "csv", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 1
    assert err == b"error: No space left on device.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_query_without_a_word(number: signal.Signals) -> None:
    query = "SELECT count(*) FROM range(100000000000) AS t(n) WHERE sqrt(n) > 5"
    process = start("sql", query, "--output", "out.csv")
    _wait_for_part()
    process.send_signal(number)
    assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 128 + number
    assert [path.name for path in Path().iterdir()] == ["book.duckdb"]


def _wait_for_part() -> None:
    """Wait until the program has begun to write its output."""
    end = time.monotonic() + 30
    while not list(Path().glob(".out.csv.*/*")):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_big_result_takes_little_memory() -> None:
    measured = (
        "import resource, sys\n"
        "from pnlbook.cli.app import run\n"
        "code = run(sys.argv[1:])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    query = "SELECT range, 'some text ' || range AS t, range / 7 AS x FROM range({rows})"

    def peak(rows: int) -> int:
        done = subprocess.run(
            [sys.executable, "-c", measured, "sql", query.format(rows=rows), "-o", "out.csv"],
            check=True,
            capture_output=True,
        )
        return int(done.stderr)

    small = peak(30_000)
    assert peak(3_000_000) < small + 100
    with Path("out.csv").open("rb") as file:
        assert sum(1 for _ in file) == 3_000_001
