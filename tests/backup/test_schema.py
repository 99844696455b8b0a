"""Schemas: what a schema makes equals what it was written from, or the error names what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.backup.databases import catalogue, contents, databases, fill

from pnlbook import migrate
from pnlbook.backup.schema import Schema, dump_schema
from pnlbook.backup.statements import NotCarried
from pnlbook.book import identifier

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

pytestmark = pytest.mark.core

NEW = int(duckdb.__version__.partition(".")[0]) >= 2
# The oldest storage of DuckDB 1.5 keeps no types of macros' parameters.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "storage_compatibility_version": "latest",
    "python_enable_replacements": "false",
}
TRAPS = {
    "references": """
        CREATE SCHEMA "s x";
        CREATE TABLE "s x"."p("("a,b" INTEGER, "c)" VARCHAR, PRIMARY KEY ("a,b", "c)"));
        CREATE TABLE "s x"."a child"(x INTEGER, y VARCHAR,
            z INTEGER UNIQUE REFERENCES "s x"."a child"(z),
            FOREIGN KEY (x, y) REFERENCES "s x"."p(" ("a,b", "c)"));
    """,
    "views before what they use": """
        CREATE TABLE t(a INTEGER);
        CREATE VIEW z AS SELECT a FROM t;
        CREATE MACRO m(x) AS (SELECT max(a) + x FROM z);
        CREATE MACRO rows_of(n := 2) AS TABLE SELECT * FROM z LIMIT n;
        CREATE VIEW a AS SELECT m(1) AS one, * FROM rows_of();
        CREATE VIEW "a a"("p q", "select") AS SELECT one, a FROM a;
        CREATE VIEW recursion AS WITH RECURSIVE r AS (
            SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r;
    """,
    "macros": """
        CREATE SCHEMA s;
        CREATE TYPE mood AS ENUM ('it''s', '');
        CREATE MACRO "none"() AS 1;
        CREATE MACRO s."q""r"("a b", "c, d" := 'x, y := (z', e := NULL) AS concat("a b", "c, d", e);
        CREATE MACRO over(a INTEGER, b VARCHAR := E'two\\nlines') AS concat(a, b),
            (a VARCHAR) AS a || '!', (a, b, c) AS b;
        CREATE MACRO typed(a mood, b DECIMAL(10, 2) := 1.5, c DATE := DATE '2024-02-29') AS a;
        CREATE MACRO over(a, b := false) AS TABLE SELECT a ORDER BY 1;
        CREATE MACRO tables(a) AS TABLE (SELECT a ORDER BY 1), (a, b) AS TABLE (SELECT a, b);
    """,
    "tables that call macros": """
        CREATE MACRO twice(a) AS a * 2;
        CREATE SEQUENCE counter START 5;
        CREATE TABLE t(a INTEGER DEFAULT twice(4) CHECK (twice(a) > 3),
            b BIGINT DEFAULT nextval('counter'), c AS (twice(a)));
        CREATE VIEW v AS SELECT twice(a) AS a FROM t;
    """,
    "types": """
        CREATE SCHEMA s;
        CREATE TYPE s."it's" AS ENUM ('it''s', 'ü', '');
        CREATE TYPE nothing AS ENUM ();
        CREATE TYPE a_pair AS STRUCT("b ""c" s."it's"[], d DECIMAL(10, 2));
        CREATE TYPE pairs AS a_pair[3];
        CREATE TYPE choice AS UNION(a INTEGER, "b c" a_pair);
        CREATE TABLE t(a a_pair, b pairs, c s."it's" DEFAULT 'ü', d choice, e JSON,
            f VARCHAR COLLATE NOCASE DEFAULT 'a, b)' NOT NULL UNIQUE);
        COMMENT ON TYPE a_pair IS 'it''s';
    """,
    "sequences": """
        CREATE SEQUENCE a_new START 3 INCREMENT BY 2 MINVALUE 1 MAXVALUE 9 CYCLE;
        CREATE SEQUENCE used; SELECT nextval('used'), nextval('used');
        CREATE SEQUENCE down INCREMENT BY -2 MINVALUE -4 MAXVALUE 4 START 2; SELECT nextval('down');
        CREATE SEQUENCE round INCREMENT BY 1 MINVALUE 1 MAXVALUE 2 START 2 CYCLE;
        SELECT nextval('round');
        CREATE SEQUENCE "spent it" INCREMENT BY 1 MINVALUE 1 MAXVALUE 7 START 7;
        SELECT nextval('"spent it"');
        CREATE SEQUENCE "spent down" INCREMENT BY -5 MINVALUE 1 MAXVALUE 7 START 3;
        SELECT nextval('"spent down"');
        CREATE SEQUENCE last START 9223372036854775807;
    """,
    "comments": """
        CREATE SCHEMA "s x";
        CREATE TABLE "s x".t("select" INTEGER); CREATE INDEX "i x" ON "s x".t("select");
        CREATE VIEW "s x".v AS SELECT * FROM "s x".t; CREATE SEQUENCE "s x".n;
        CREATE MACRO "s x".m(a) AS a; CREATE MACRO "s x".m(a) AS TABLE SELECT a;
        COMMENT ON TABLE "s x".t IS 'it''s'; COMMENT ON COLUMN "s x".t."select" IS '';
        COMMENT ON INDEX "s x"."i x" IS 'two
lines'; COMMENT ON VIEW "s x".v IS '; --'; COMMENT ON COLUMN "s x".v."select" IS 'ü';
        COMMENT ON SEQUENCE "s x".n IS '"'; COMMENT ON MACRO "s x".m IS 'scalar';
        COMMENT ON MACRO TABLE "s x".m IS 'table';
    """,
    "names of databases": """
        CREATE SCHEMA memory; CREATE TABLE memory.scratch(a INTEGER);
        CREATE INDEX main ON memory.scratch((a + 1), a);
    """,
}
TRAPS_OF_2 = {
    "nested schemas": """
        CREATE SCHEMA s; CREATE SCHEMA s.main; CREATE SCHEMA s."in ner";
        CREATE TYPE s."in ner".mood AS ENUM ('a');
        CREATE TABLE s.main.t(a INTEGER PRIMARY KEY);
        CREATE TABLE s."in ner".t(a INTEGER, b s."in ner".mood);
        CREATE MACRO s."in ner".m(a, b := 2) AS a + b;
        COMMENT ON COLUMN s."in ner".t.a IS 'it''s';
    """,
    "triggers": """
        CREATE TABLE t(a INTEGER); CREATE TABLE seen(a INTEGER);
        CREATE TRIGGER "t r" AFTER INSERT ON t REFERENCING NEW TABLE AS fresh
            FOR EACH STATEMENT INSERT INTO seen SELECT a FROM fresh;
    """,
    "columns of views by another name": """
        CREATE VIEW v("p q") AS SELECT 1 AS a; COMMENT ON COLUMN v."p q" IS 'it''s';
    """,
    "defaults with types": """
        CREATE MACRO m(a := 0.1::DOUBLE, b := [1.5::FLOAT, NULL], c := X'00FF'::BLOB,
            d := INTERVAL 1 DAY, e := MAP {'a, b': 1::HUGEINT}) AS [typeof(a), typeof(e)];
    """,
}


def make(path: Path, statements: str) -> duckdb.DuckDBPyConnection:
    """Make a database file and open it again for reading, as backups find one."""
    with duckdb.connect(str(path), config=CONFIG) as connection:
        connection.execute(statements)
    return duckdb.connect(str(path), read_only=True, config=CONFIG)


def copy_of(connection: duckdb.DuckDBPyConnection, path: Path) -> duckdb.DuckDBPyConnection:
    return make(path, dump_schema(connection).text)


def test_a_book_comes_through(tmp_path: Path) -> None:
    migrate.create(tmp_path / "book.duckdb", timezone="Europe/Berlin")
    with duckdb.connect() as book:
        book.execute(f"ATTACH '{tmp_path / 'book.duckdb'}' AS \"my book\" (READ_ONLY)")
        book.execute('USE "my book"')
        with duckdb.connect(str(tmp_path / "copy.duckdb")) as connection:
            connection.execute(dump_schema(book).text)
        expected = catalogue(book)
        with duckdb.connect(str(tmp_path / "copy.duckdb"), read_only=True) as copy:
            assert catalogue(copy) == expected
        assert len(expected["functions"]) > 30
        assert len(expected["columns"]) > 100


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(statements=databases(), random=st.randoms(use_true_random=False))
def test_any_database_comes_through(
    tmp_path_factory: pytest.TempPathFactory, statements: list[str], random: Random
) -> None:
    folder = tmp_path_factory.mktemp("any")
    with duckdb.connect(str(folder / "one.duckdb"), config=CONFIG) as connection:
        for statement in statements:
            try:
                connection.execute(statement)
            except duckdb.SequenceException:
                assert statement.startswith("SELECT nextval")
        fill(connection, random)
    with duckdb.connect(str(folder / "one.duckdb"), read_only=True, config=CONFIG) as one:
        schema = dump_schema(one)
        with make(folder / "two.duckdb", schema.text) as two:
            assert catalogue(two) == catalogue(one)
            assert not any(contents(two).values())


@pytest.mark.parametrize("trap", TRAPS | (TRAPS_OF_2 if NEW else {}))
def test_traps_come_through(tmp_path: Path, trap: str) -> None:
    statements = (TRAPS | TRAPS_OF_2)[trap]
    with (
        make(tmp_path / "one.duckdb", statements) as one,
        copy_of(one, tmp_path / "two.duckdb") as two,
    ):
        assert catalogue(two) == catalogue(one)
        assert dump_schema(two) == dump_schema(one)


def test_sequences_go_on_as_they_would(tmp_path: Path) -> None:
    with (
        make(tmp_path / "one.duckdb", TRAPS["sequences"]) as one,
        copy_of(one, tmp_path / "two.duckdb"),
    ):
        pass
    found = []
    for name in ("one", "two"):
        with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
            found.append({s: [following(connection, s) for _ in range(5)] for s in SEQUENCES})
    assert found[0] == found[1]
    assert found[1]["a_new"] == [3, 5, 7, 9, 1]
    assert found[1]["used"][0] == 3
    assert found[1]["round"][:3] == [1, 2, 1]
    assert found[1]['"spent it"'] == [None] * 5


SEQUENCES = ("a_new", "used", "down", "round", '"spent it"', '"spent down"')


def following(connection: duckdb.DuckDBPyConnection, sequence: str) -> int | None:
    """Return the next value of a sequence; None: it has no more."""
    try:
        [value] = connection.execute("SELECT nextval(?)", [sequence]).fetchone() or [None]
    except duckdb.SequenceException:
        return None
    return value


def test_macros_answer_as_before(tmp_path: Path) -> None:
    calls = [
        'SELECT s."q""r"(1)',
        'SELECT s."q""r"(1, e := 2)',
        "SELECT over(7)",
        "SELECT over('x')",
        "SELECT over(1, 2, 3)",
        "FROM over(5)",
        "FROM tables(1, 2)",
        "SELECT typed(''::mood, c := DATE '2025-01-01')",
    ]
    with (
        make(tmp_path / "one.duckdb", TRAPS["macros"]) as one,
        copy_of(one, tmp_path / "two.duckdb") as two,
    ):
        for call in calls:
            assert two.execute(call).fetchall() == one.execute(call).fetchall()


def test_rows_load_between_the_two_halves(tmp_path: Path) -> None:
    statements = """
        CREATE TABLE z_parent(id INTEGER PRIMARY KEY, above INTEGER REFERENCES z_parent(id));
        CREATE TABLE a_child(id INTEGER REFERENCES z_parent(id), twice AS (id * 2));
        CREATE UNIQUE INDEX once ON a_child(id);
        CREATE VIEW families AS FROM a_child JOIN z_parent USING (id);
    """
    with make(tmp_path / "one.duckdb", statements) as one:
        schema = dump_schema(one)
    assert "INDEX" not in schema.before
    assert "VIEW" not in schema.before
    rows = """
        INSERT INTO z_parent VALUES (1, NULL); INSERT INTO z_parent VALUES (2, 1);
        INSERT INTO a_child VALUES (2);
    """
    with make(tmp_path / "two.duckdb", schema.before + rows + schema.after) as two:
        assert two.execute("FROM families").fetchall() == [(2, 4, 1)]


def test_names_of_the_database_are_left_out(tmp_path: Path) -> None:
    statements = """
        CREATE TABLE t(a INTEGER); CREATE MACRO m(a) AS a + 1;
        CREATE MACRO book_rows() AS TABLE SELECT 'book.main.t' AS text, a FROM book.main.t;
        CREATE VIEW v AS SELECT book.main.m(book.a) AS a FROM main.t AS book;
        CREATE TABLE d(a INTEGER DEFAULT book.main.m(1));
    """
    with make(tmp_path / "book.duckdb", statements) as book:
        schema = dump_schema(book)
    with make(tmp_path / "other.duckdb", schema.text + "INSERT INTO t VALUES (1);") as other:
        assert other.execute("FROM book_rows()").fetchall() == [("book.main.t", 1)]
        assert other.execute("FROM v").fetchall() == [(2,)]


def test_a_view_that_no_longer_works_is_named(tmp_path: Path) -> None:
    statements = """
        CREATE TABLE t(a INTEGER); CREATE VIEW works AS FROM t;
        CREATE TABLE gone(a INTEGER); CREATE VIEW "bro ken" AS FROM gone; DROP TABLE gone;
    """
    gone = [1, 2]  # a variable is no table
    with (
        make(tmp_path / "one.duckdb", statements) as one,
        pytest.raises(NotCarried, match=r'view "bro ken" cannot be backed up.*gone') as caught,
    ):
        dump_schema(one)
    assert (caught.value.kind, caught.value.name, gone) == ("view", '"bro ken"', [1, 2])


@pytest.mark.parametrize("default", ["0.1::DOUBLE", "1::HUGEINT", "'1'::BIT", "[1::TINYINT]"])
def test_a_default_keeps_its_type_or_is_named(tmp_path: Path, default: str) -> None:
    with make(tmp_path / "one.duckdb", f"CREATE MACRO m(a, b := {default}) AS b") as one:
        if not NEW:
            with pytest.raises(NotCarried, match='"m"'):
                dump_schema(one)
            return
        schema = dump_schema(one)
        query = "SELECT typeof(m(1)), m(1)"
        with make(tmp_path / "two.duckdb", schema.text) as two:
            assert two.execute(query).fetchone() == one.execute(query).fetchone()


def test_a_transaction_is_seen_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "one.duckdb"
    make(path, "CREATE MACRO m(a, b := 2) AS a + b; CREATE TABLE t(a INTEGER)").close()
    with duckdb.connect(str(path), config=CONFIG) as connection:
        connection.execute("BEGIN; CREATE TABLE fresh(a INTEGER); DROP TABLE t")
        schema = dump_schema(connection)
        connection.execute("INSERT INTO fresh SELECT m(1); COMMIT")
        assert connection.execute("FROM fresh").fetchall() == [(3,)]
    assert '"fresh"' in schema.before
    assert '"t"' not in schema.text


def test_only_what_the_default_database_keeps() -> None:
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute("CREATE TEMP TABLE passing(a INTEGER); CREATE TEMP VIEW v AS SELECT 1")
        connection.execute("CREATE TEMP MACRO m(a) AS a; ATTACH ':memory:' AS other")
        connection.execute("CREATE TABLE other.t(a INTEGER); CREATE VIEW other.w AS SELECT 1")
        assert dump_schema(connection) == Schema("", "")
        connection.execute("USE other")
        assert dump_schema(connection).text.count("CREATE") == 2


@pytest.mark.parametrize("name", ["select", 'quo"te', "日本", "a.b"])
def test_a_schema_runs_in_a_database_of_any_name(tmp_path: Path, name: str) -> None:
    statements = TRAPS["tables that call macros"]
    with make(tmp_path / "one.duckdb", statements) as one, duckdb.connect() as connection:
        connection.execute(f"ATTACH ':memory:' AS {identifier(name)}")
        connection.execute(f"USE {identifier(name)}")
        connection.execute(dump_schema(one).text)
        assert len(catalogue(connection)["functions"]) == 1
