"""The tests that stand below each macro, one item each, every one on a book of its own.

What stands before the first of them holds for each.
`assert_equal(actual, expected)` is true, or an error that shows both; where no row comes to be
compared, the test fails as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb
import pytest

from pnlbook import migrate, sql

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.core

ASSERT_EQUAL = """
CREATE TEMP MACRO assert_equal(actual, expected) AS CASE
    WHEN actual IS NOT DISTINCT FROM expected THEN true
    ELSE error('expected ' || coalesce(expected::VARCHAR, 'NULL')
        || ', found ' || coalesce(actual::VARCHAR, 'NULL'))
END
"""
MACROS = [definition for definition in sql.definitions() if definition.area != "views"]


def _cases() -> Iterator[tuple[str, str]]:
    for macro in MACROS:
        given, *parts = re.split(r"^-- test: (.+)$", f"\n{macro.tests}", flags=re.MULTILINE)
        for sentence, statements in zip(parts[::2], parts[1::2], strict=True):
            yield f"{macro.name}: {sentence}", given + statements


CASES = dict(_cases())


@pytest.fixture(scope="module")
def book() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrate.install(connection)
        connection.execute(ASSERT_EQUAL)
        connection.execute("SET TimeZone = 'Asia/Tokyo'")  # no figure may depend on a session's
        yield connection


@pytest.mark.parametrize("case", CASES)
def test_macro(case: str, book: duckdb.DuckDBPyConnection) -> None:
    book.execute("BEGIN")
    try:
        run(book, CASES[case])
    finally:
        book.execute("ROLLBACK")


def run(book: duckdb.DuckDBPyConnection, statements: str) -> None:
    """Run a test; each of its assertions must meet at least one row."""
    for statement in book.extract_statements(statements):
        found = book.execute(statement).fetchall()
        if "assert_equal(" in statement.query:
            assert found, f"nothing was compared: no row came of {statement.query.strip()}"
            assert {value for row in found for value in row} == {True}


def test_assert_equal_can_fail(book: duckdb.DuckDBPyConnection) -> None:
    for statements in ("SELECT assert_equal(1, 2)", "SELECT assert_equal(1, 2); SELECT 1"):
        with pytest.raises(duckdb.InvalidInputException, match="expected 2, found 1"):
            run(book, statements)


def test_an_assertion_that_meets_no_row_fails(book: duckdb.DuckDBPyConnection) -> None:
    for statements in (
        "SELECT assert_equal(1, 1) WHERE false",
        "SELECT assert_equal(1, 1) WHERE false; SELECT 1",
    ):
        with pytest.raises(AssertionError, match="nothing was compared"):
            run(book, statements)


@pytest.mark.parametrize("macro", MACROS, ids=lambda macro: macro.name)
def test_every_macro_is_tested_and_described(
    macro: sql.Definition, book: duckdb.DuckDBPyConnection
) -> None:
    assert any(name.startswith(f"{macro.name}: ") for name in CASES), "no '-- test:' below it"
    described = book.execute(
        "SELECT bool_and(comment IS NOT NULL) FROM duckdb_functions() WHERE function_name = ? "
        "AND NOT internal",
        [macro.name],
    ).fetchall()
    assert described == [(True,)], "no COMMENT ON MACRO"
