"""Loading is idempotent, corrections supersede into history, and as_of brings any state back."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.load import books

from pnlbook.book import BookLocked

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return books.new_book(tmp_path)


def test_the_same_file_twice_adds_nothing(book: Path, tmp_path: Path) -> None:
    text = books.earnings("e1,alex,5,bonus,paid,2025-10-01", "e2,,6,bonus,paid,2025-10-01")
    path = books.write(tmp_path, "e.csv", text)
    books.load_into(book, path)
    before = books.facts(book)
    (again,) = books.load_into(book, path).files
    assert again.skipped
    copy = books.write(tmp_path, "copy.csv", text + "\n")
    (other,) = books.load_into(book, copy).files
    assert (other.rows_added, other.rows_superseded, other.rows_unchanged) == (0, 0, 2)
    assert books.facts(book) == before


def test_a_correction_supersedes_into_history(book: Path, tmp_path: Path) -> None:
    first = "e1,alex,5,bonus,paid,2025-10-01", "e2,alex,6,bonus,paid,2025-10-01"
    books.load_into(book, books.write(tmp_path, "a.csv", books.earnings(*first)))
    second = "e1,alex,7,bonus,paid,2025-10-01", "e2,alex,6.00,bonus,paid,2025-10-01T00:00:00Z"
    result = books.load_into(book, books.write(tmp_path, "b.csv", books.earnings(*second)))
    assert (result.rows_added, result.rows_superseded, result.rows_unchanged) == (0, 1, 1)
    now = books.rows(
        book,
        "SELECT earning_id, amount_usd::INT, gross_amount_usd::INT, load_id FROM node_earnings "
        "ORDER BY source_key",
    )
    assert now == [(1, 7, 7, 2), (2, 6, 6, 1)]
    history = books.rows(
        book,
        "SELECT earning_id, amount_usd::INT, load_id, superseded_by FROM node_earnings_history",
    )
    assert history == [(1, 5, 1, 2)]


def test_a_correction_keeps_what_its_file_does_not_have(book: Path, tmp_path: Path) -> None:
    full = f"{books.HEADER},project_id\ne1,alex,5,bonus,pending,2025-10-01,p1\n"
    books.load_into(book, books.write(tmp_path, "a.csv", full))
    part = books.earnings("e1,alex,5,bonus,paid,2025-10-01")
    books.load_into(book, books.write(tmp_path, "b.csv", part))
    found = books.rows(book, "SELECT project_id, payment_status FROM node_earnings")
    assert found == [("p1", "paid")]


def test_equal_payments_without_a_key_stay_apart(book: Path, tmp_path: Path) -> None:
    header = books.HEADER.removeprefix("earning_id,")
    line = "alex,5,bonus,paid,2025-10-01\n"
    other = "betty,5,bonus,paid,2025-10-01\n"
    october = books.write(tmp_path, "october.csv", f"{header}\n{line}{line}")
    both = books.write(tmp_path, "both.csv", f"{header}\n{line}{other}{line}{line}")
    assert books.load_into(book, october).rows_added == 2
    result = books.load_into(book, both)
    assert (result.rows_added, result.rows_unchanged) == (2, 2)
    counts = books.rows(book, "SELECT node_id, count(*) FROM node_earnings GROUP BY ALL ORDER BY 1")
    assert counts == [("alex", 3), ("betty", 1)]


def test_sources_do_not_share_keys(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", books.earnings("1,alex,5,bonus,paid,2025-10-01"))
    assert books.load_into(book, path, source="a").rows_added == 1
    assert books.load_into(book, path, source="b").rows_added == 1
    assert books.rows(book, "SELECT source FROM node_earnings ORDER BY 1") == [("a",), ("b",)]


def test_a_name_is_corrected(book: Path, tmp_path: Path) -> None:
    books.load_into(book, books.write(tmp_path, "nodes.csv", "node_id,node_name\nalex,Al\n"))
    books.load_into(book, books.write(tmp_path, "nodes.csv", "node_id,node_name\nalex,Alex\n"))
    assert books.rows(book, "SELECT node_name, load_id FROM nodes") == [("Alex", 2)]
    assert books.rows(book, "SELECT node_name, superseded_by FROM nodes_history") == [("Al", 2)]


def test_a_dry_run_changes_nothing(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", books.earnings("e1,alex,5,bonus,paid,2025-10-01"))
    before = books.facts(book)
    result = books.load_into(book, path, dry_run=True)
    assert (result.dry_run, result.rows_added) == (True, 1)
    assert books.facts(book) == before
    assert books.rows(book, "SELECT count(*) FROM loads") == [(0,)]
    assert books.load_into(book, path).rows_added == 1


def test_amounts_gross_deducted_and_net(book: Path, tmp_path: Path) -> None:
    header = (
        "earning_id,gross_amount_usd,costs_deducted_usd,amount_usd,net_of_costs,"
        "payment_type,payment_status,earned_at"
    )
    tail = "bonus,paid,2025-10-01"
    text = "\n".join(
        [
            header,
            f"a,500,2.86,497.14,,{tail}",
            f"b,500,2.86,,,{tail}",
            f"c,500,,497.14,,{tail}",
            f"d,,2.86,497.14,,{tail}",
            f"e,,,497.14,,{tail}",
            f"f,,,497.14,true,{tail}",
            f"g,,2.86,497.14,true,{tail}",
        ]
    )
    books.load_into(book, books.write(tmp_path, "e.csv", text))
    found = books.rows(
        book,
        "SELECT source_key, gross_amount_usd, costs_deducted_usd, amount_usd "
        "FROM node_earnings ORDER BY source_key",
    )
    gross, deducted, net = Decimal(500), Decimal("2.86"), Decimal("497.14")
    assert found == [
        *[(key, gross, deducted, net) for key in "abcd"],
        ("e", net, Decimal(0), net),
        ("f", None, None, net),
        ("g", gross, deducted, net),
    ]
    wrong = books.write(tmp_path, "w.csv", f"{header}\nx,500,2.86,498,,{tail}\n")
    result = books.load_into(book, wrong, max_rejects=None)
    assert "less costs_deducted_usd" in result.files[0].rejects[0].reason


MORE, TAIL = "payment_type,payment_status,earned_at", "bonus,paid,2025-10-01"
PARTS = {
    ("amount_usd", "7.5"): ((), "7.5", "0", "7.5"),
    ("token,token_amount", "USD,7.5"): ((), "7.5", "0", "7.5"),
    ("token,token_amount", "SOL,7.5"): ((), None, "0", None),
    ("amount_usd,net_of_costs", "7.5,true"): ((), None, None, "7.5"),
    ("node_id,amount_usd", "n,7.5"): ((("net_of_costs", "true"),), None, None, "7.5"),
    ("project_id,amount_usd", "p,7.5"): ((("costs_deducted_usd", "2.5"),), "10", "2.5", "7.5"),
}


@pytest.mark.parametrize("given", PARTS, ids=lambda given: given[0])
def test_amounts_that_a_file_does_not_tell(
    given: tuple[str, str], book: Path, tmp_path: Path
) -> None:
    constants, *expected = PARTS[given]
    columns, cells = (f"{part},{rest}" for part, rest in zip(given, (MORE, TAIL), strict=True))
    text = f"earning_id,{columns}\ne1,{cells}\n"
    books.load_into(book, books.write(tmp_path, "e.csv", text), constants=constants)
    told = "SELECT gross_amount_usd, costs_deducted_usd, amount_usd FROM node_earnings"
    amounts = tuple(None if amount is None else Decimal(amount) for amount in expected)
    assert books.rows(book, told) == [amounts]
    again = books.write(tmp_path, "again.csv", f"{text}e2,{cells}\n")
    result = books.load_into(book, again, constants=constants)
    assert (result.rows_unchanged, result.rows_added, result.rows_superseded) == (1, 1, 0)


def test_tokens_are_valued_at_the_price_of_their_time(book: Path, tmp_path: Path) -> None:
    prices = "token,priced_at,price_usd\nSOL,2025-10-01,100.5\nSOL,2025-10-02,200\n"
    header = "earning_id,token,token_amount,payment_type,payment_status,earned_at"
    tail = "bonus,paid"
    earned = "\n".join(
        [
            header,
            f"before,SOL,1,{tail},2025-09-30",
            f"first,sol,0.000000000001,{tail},2025-10-01T23:59:59Z",
            f"second,SOL,1.5,{tail},2025-10-02",
            f"stale,SOL,1,{tail},2025-10-20",
            f"other,AKT,1,{tail},2025-10-02",
            f"dollars,USD,3.25,{tail},2025-10-02",
        ]
    )
    files = (
        books.write(tmp_path, "t.csv", earned),
        books.write(tmp_path, "token_prices.csv", prices),
    )
    result = books.load_into(book, *files)
    assert result.unpriced_rows == 3
    statement = "SELECT source_key, amount_usd FROM node_earnings ORDER BY source_key"
    valued = [
        ("before", None),
        ("dollars", Decimal("3.25")),
        ("first", Decimal("0.000000000101")),
        ("other", None),
        ("second", Decimal(300)),
        ("stale", None),
    ]
    assert books.rows(book, statement) == valued
    later = prices + "SOL,2025-10-01T12:00:00Z,999\n"
    books.load_into(book, books.write(tmp_path, "token_prices.csv", later))
    result = books.load_into(book, books.write(tmp_path, "t2.csv", earned + "\n"))
    assert (result.rows_unchanged, result.rows_superseded) == (6, 0)
    assert books.rows(book, statement) == valued


def test_the_summary_tells_of_unknown_nodes_and_replaced_files(book: Path, tmp_path: Path) -> None:
    lines = [f"e{i},node-{i},5,bonus,paid,2025-10-01" for i in range(5)]
    first = books.load_into(book, books.write(tmp_path, "a.csv", books.earnings(*lines)))
    (note,) = first.files[0].notes
    assert "node-0, node-1, node-2 and 2 more" in note
    odd = books.earnings(f'odd,"two\nlines{" and more" * 20}",5,bonus,paid,2025-10-01')
    (note,) = books.load_into(book, books.write(tmp_path, "odd.csv", odd)).files[0].notes
    assert re.search(r": two lines and more.{1,60}…\. Load", note)
    books.load_into(book, books.write(tmp_path, "nodes.csv", "node_id\nnode-0\n"))
    again = books.earnings("e0,node-0,6,bonus,paid,2025-10-01")
    (note,) = books.load_into(book, books.write(tmp_path, "b.csv", again)).files[0].notes
    assert "a.csv were superseded" in note
    assert "--source" in note


def test_a_load_records_what_it_did(book: Path, tmp_path: Path) -> None:
    text = books.earnings("e1,alex,5.25,bonus,paid,2025-10-01", "e2,,6,bonus,paid,2025-10-03")
    path = books.write(tmp_path, "e.csv", text)
    (file,) = books.load_into(book, path).files
    assert (file.first_at, file.last_at) == (
        "2025-10-01T00:00:00+00:00",
        "2025-10-03T00:00:00+00:00",
    )
    assert file.amount_usd == Decimal("11.25")
    found = books.rows(
        book,
        "SELECT location, table_name, status, content_bytes, rows_read, amount_usd, loaded_by "
        "FROM loads",
    )
    ((location, table, status, size, read, amount, who),) = found
    assert (location, table, status, size) == (str(path), "node_earnings", "loaded", len(text))
    assert (read, amount) == (2, Decimal("11.25"))
    assert "@" in who


def test_a_locked_book_is_waited_for_and_named(book: Path, tmp_path: Path) -> None:

    path = books.write(tmp_path, "e.csv", books.earnings("e1,alex,5,bonus,paid,2025-10-01"))
    program = f"import duckdb; c = duckdb.connect({str(book)!r}); print(1, flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BookLocked, match=f"process {holder.pid}"):
            books.load_into(book, path, lock_timeout=0.3)
    finally:
        holder.communicate(b"\n")
    assert books.load_into(book, path).rows_added == 1


_amounts = st.integers(0, 10**14).map(lambda n: Decimal(n).scaleb(-4))
_earnings = st.lists(
    st.tuples(st.sampled_from(["alex", "betty", ""]), _amounts, st.integers(1, 28)),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(facts=_earnings, data=st.data(), keyed=st.booleans())
def test_order_splitting_and_repeating_do_not_matter(
    facts: list[tuple[str, Decimal, int]], data: st.DataObject, keyed: bool, tmp_path: Path
) -> None:
    if not keyed:
        facts = list(dict.fromkeys(facts))
    lines = [
        f"{f'e{i}' if keyed else ''},{node},{amount},bonus,paid,2025-10-{day:02d}"
        for i, (node, amount, day) in enumerate(facts)
    ]
    header = books.HEADER
    if not keyed:
        header, lines = header.split(",", 1)[1], [line.split(",", 1)[1] for line in lines]
    whole = tmp_path / "whole"
    parts = tmp_path / "parts"
    for folder in (whole, parts):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    one = books.new_book(whole)
    books.load_into(one, books.write(whole, "e.csv", "\n".join([header, *lines]) + "\n"))
    shuffled = data.draw(st.permutations(lines))
    cuts = sorted({0, len(lines), *data.draw(st.lists(st.integers(0, len(lines)), max_size=3))})
    many = books.new_book(parts)
    for start, end in itertools.pairwise(cuts):
        path = books.write(parts, f"{start}.csv", "\n".join([header, *shuffled[start:end]]) + "\n")
        books.load_into(many, path)
        books.load_into(many, path, lock_timeout=5)
    assert books.facts(one, lineage=False) == books.facts(many, lineage=False)
    total = books.rows(one, "SELECT coalesce(sum(amount_usd), 0) FROM node_earnings")
    assert total == [(sum(amount for _, amount, _ in facts),)]
