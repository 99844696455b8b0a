"""Every bad input ends in a clear sentence and the right code, with the facts as they were."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.load import books

from pnlbook.errors import ExitCode, PnlbookError
from pnlbook.load import DataRejected, FileRejected, LoadOptions, SourceError, load

if TYPE_CHECKING:
    from pathlib import Path

    from pnlbook.load import Progress

pytestmark = pytest.mark.core

GOOD = "e1,alex,5.00,bonus,paid,2025-10-01T10:00:00Z"


def row(amount: str = "5.00", at: str = "2025-10-01T10:00:00Z", key: str = "e2") -> str:
    quoted = f'"{amount}"' if "," in amount else amount
    return f"{key},alex,{quoted},bonus,paid,{at}"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return books.new_book(tmp_path)


def refusal(book: Path, path: Path, **options: object) -> PnlbookError:
    """Load a file that must be refused and return the error; the facts must be as before."""
    before = books.facts(book)
    with pytest.raises((DataRejected, FileRejected, SourceError)) as caught:
        books.load_into(book, path, **options)
    assert books.facts(book) == before
    assert books.rows(book, "SELECT count(*) FROM loads WHERE status = 'loaded'") == [(0,)]
    return caught.value


BAD_ROWS = {
    "thousands": (row("1,234.50"), "amount_usd", "holds a comma"),
    "brackets": (row("(12.00)"), "amount_usd", "in brackets"),
    "currency sign": (row("$5"), "amount_usd", "currency sign"),
    "huge exponent": (row("1e400"), "amount_usd", "too large"),
    "not a number": (row("NaN"), "amount_usd", "is not a number"),
    "25 digits": (row("1234567890123456789012345"), "amount_usd", "too large"),
    "30 decimals": (row("1.123456789012345678901234567890"), "amount_usd", "12 decimals"),
    "small exponent": (row("1.5e-13"), "amount_usd", "12 decimals"),
    "no such day": (row(at="2025-02-30"), "earned_at", "no date or time that exists"),
    "slashes": (row(at="31/02/2025"), "earned_at", "date_format"),
    "month 13": (row(at="2025-13-01"), "earned_at", "no date or time that exists"),
    "epoch seconds": (row(at="1759312800"), "earned_at", "epoch_s"),
    "epoch milliseconds": (row(at="1759312800000"), "earned_at", "epoch_ms"),
    "infinity": (row(at="infinity"), "earned_at", "1970"),
    "year 25": (row(at="25-10-01"), "earned_at", "1970"),
    "no instant": (row(at=""), "earned_at", "empty"),
    "no amount": (row(""), "amount_usd", "empty"),
    "no key": (row(key=""), "earning_id", "empty"),
    "negative": (row("-5.00"), "amount_usd", "is_correction"),
    "unknown status": (
        "e2,alex,5.00,bonus,refunded,2025-10-01",
        "payment_status",
        "pending, paid, failed",
    ),
    "capital status": ("e2,alex,5.00,bonus,Paid,2025-10-01", "payment_status", "not one of"),
    "unknown type": ("e2,alex,5.00,tip,paid,2025-10-01", "payment_type", "not one of"),
    "extra cell": ("e2,alex,5.00,bonus,paid,2025-10-01,more", None, "more cells"),
    "missing cell": ("e2,alex,5.00,bonus,paid", None, "fewer cells"),
    "text after quote": ('e2,alex,5.00,"bonus"x,paid,2025-10-01', None, "quote"),
    "open quote": ('e2,alex,5.00,"bonus,paid,2025-10-01', None, "never closed"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused_with_its_place(name: str, book: Path, tmp_path: Path) -> None:
    bad, column, words = BAD_ROWS[name]
    path = books.write(tmp_path, "earnings.csv", books.earnings(GOOD, bad))
    error = refusal(book, path)
    assert isinstance(error, DataRejected)
    assert error.exit_code is ExitCode.REJECTED
    (reject,) = error.result.files[0].rejects
    assert (reject.location, reject.line, reject.column) == (str(path), 3, column)
    assert words in reject.reason
    assert reject.raw
    if column is not None and name not in {"no instant", "no amount", "no key"}:
        assert reject.value
        assert reject.value in bad.replace('"', "")
    recorded = books.rows(book, "SELECT location, line, column_name, value, reason FROM rejects")
    assert recorded == [(str(path), 3, column, reject.value, reject.reason)]


@pytest.mark.parametrize("name", sorted(set(BAD_ROWS) - {"open quote"}))
def test_good_rows_come_in_when_asked(name: str, book: Path, tmp_path: Path) -> None:
    lines = [GOOD, BAD_ROWS[name][0], row(key="e3")]
    path = books.write(tmp_path, "earnings.csv", books.earnings(*lines))
    result = books.load_into(book, path, max_rejects=None)
    assert (result.rows_read, result.rows_added, result.rows_refused) == (3, 2, 1)
    found = books.rows(book, "SELECT source_key, source_line FROM node_earnings ORDER BY ALL")
    assert found == [("e1", 2), ("e3", 4)]
    assert books.load_into(book, path, max_rejects=None).files[0].skipped


def test_a_refused_row_is_kept_whole(book: Path, tmp_path: Path) -> None:
    bad = f'e2,"{"long " * 5_000}\nand ""quoted""",5.00,bonus'
    path = books.write(tmp_path, "e.csv", books.earnings(GOOD, bad, row(key="e3")))
    books.load_into(book, path, max_rejects=None)
    assert books.rows(book, "SELECT line, raw FROM rejects") == [(3, bad)]
    assert books.rows(book, "SELECT max(source_line) FROM node_earnings") == [(5,)]


def test_max_rejects_is_a_bound(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", books.earnings(GOOD, row("x"), row("y", key="e3")))
    refusal(book, path, max_rejects=1)
    assert books.load_into(book, path, max_rejects=2).rows_added == 1


def test_a_correction_may_be_negative(book: Path, tmp_path: Path) -> None:
    text = f"{books.HEADER},is_correction\n{row('-5.00')},true\n"
    path = books.write(tmp_path, "e.csv", text)
    assert books.load_into(book, path).rows_added == 1


FILES = {
    "empty": (b"", "is empty"),
    "blank header": (b"\n\n", "line 1 is blank"),
    "missing column": (b"earning_id,amount_usd,payment_type,payment_status\n", "earned_at"),
    "wrong delimiter": (books.earnings(GOOD).replace(",", "^").encode(), "--delimiter"),
    "no table": (b"colour,shape\nred,round\n", "Does line 1 name the columns"),
    "column twice": (books.HEADER.encode() + b",node_id\n", "more than once"),
    "truncated gzip": (gzip.compress(books.earnings(*[GOOD] * 999).encode())[:-9], "cut short"),
    "utf-16 without mark": (
        books.earnings(GOOD).encode("utf-16-le"),
        "fit no table",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_as_a_whole(name: str, book: Path, tmp_path: Path) -> None:
    data, words = FILES[name]
    path = books.write(tmp_path, "earnings.csv", data)
    error = refusal(book, path)
    assert error.exit_code is ExitCode.REJECTED
    assert words in str(error)
    assert str(path) in str(error)


def test_a_header_alone_is_no_error(book: Path, tmp_path: Path) -> None:
    result = books.load_into(book, books.write(tmp_path, "e.csv", books.HEADER + "\n"))
    assert (result.rows_read, result.rows_added) == (0, 0)
    assert "holds no rows" in result.files[0].notes[-1]


def test_an_extra_column_is_told(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", f"{books.HEADER},colour\n{GOOD},red\n")
    (file,) = books.load_into(book, path).files
    assert file.rows_added == 1
    assert "colour" in file.notes[0]
    assert "ignore" in file.notes[0]


ENCODINGS = {
    "utf-8 with mark": ("utf-8-sig", None),
    "utf-16 with mark": ("utf-16", None),
    "latin-1": ("latin-1", "latin-1"),
    "cp1252": ("cp1252", "cp1252"),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_encodings_are_read(name: str, book: Path, tmp_path: Path) -> None:
    encoding, option = ENCODINGS[name]
    text = books.earnings("é1,andré,5.00,bonus,paid,2025-10-01")
    books.load_into(book, books.write(tmp_path, "e.csv", text.encode(encoding)), encoding=option)
    assert books.rows(book, "SELECT source_key, node_id FROM node_earnings") == [("é1", "andré")]


def test_latin_1_unannounced_is_refused_with_the_way_out(book: Path, tmp_path: Path) -> None:
    text = books.earnings(GOOD, "e2,andré,5.00,bonus,paid,2025-10-01")
    error = refusal(book, books.write(tmp_path, "e.csv", text.encode("latin-1")))
    assert isinstance(error, DataRejected)
    (reject,) = error.result.files[0].rejects
    assert reject.line == 3
    assert "--encoding" in reject.reason
    assert "andr\\xe9" in reject.raw


@pytest.mark.parametrize("ends", ["\r\n", "\r", "mixed"])
def test_line_ends_are_read(ends: str, book: Path, tmp_path: Path) -> None:
    text = books.earnings(GOOD, row())
    if ends == "mixed":
        lines = text.splitlines()
        text = f"{lines[0]}\r\n{lines[1]}\n{lines[2]}\r\n"
    else:
        text = text.replace("\n", ends)
    assert books.load_into(book, books.write(tmp_path, "e.csv", text.encode())).rows_added == 2


def test_ten_megabytes_in_one_cell(book: Path, tmp_path: Path) -> None:
    cell = "x" * 10_000_000
    header = "message_id,role,sent_at,content"
    path = books.write(tmp_path, "log.csv", f"{header}\nm1,user,2025-10-01,{cell}\n")
    assert books.load_into(book, path, table="communication_log").rows_added == 1
    assert books.rows(book, "SELECT length(content) FROM communication_log") == [(10_000_000,)]


def test_a_cell_beyond_all_bounds_is_refused(book: Path, tmp_path: Path) -> None:
    header = "message_id,role,sent_at,content"
    text = f"{header}\nm1,user,2025-10-01,{'x' * 20_000_000}\n"
    error = refusal(book, books.write(tmp_path, "log.csv", text), table="communication_log")
    assert "16 MB" in str(error) or "16 MB" in error.result.files[0].rejects[0].reason  # type: ignore[attr-defined]


def test_an_instant_in_the_gap_of_a_clock_change(book: Path, tmp_path: Path) -> None:
    text = books.earnings(row(at="2025-03-30 02:30:00"), row(at="2025-03-30 03:30:00", key="e3"))
    path = books.write(tmp_path, "e.csv", text)
    error = refusal(book, path, timezone="Europe/Berlin")
    assert isinstance(error, DataRejected)
    (reject,) = error.result.files[0].rejects
    assert "clocks were put forward" in reject.reason
    assert books.load_into(book, path, timezone="UTC").rows_added == 2


def test_rows_with_one_key_and_two_contents(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", books.earnings(GOOD, row("6.00"), row("7.00")))
    error = refusal(book, path)
    assert isinstance(error, DataRejected)
    lines = [(r.line, r.value) for r in error.result.files[0].rejects]
    assert lines == [(3, "e2"), (4, "e2")]


def test_equal_rows_with_one_key_count_once(book: Path, tmp_path: Path) -> None:
    result = books.load_into(book, books.write(tmp_path, "e.csv", books.earnings(GOOD, GOOD)))
    assert (result.rows_added, result.rows_unchanged) == (1, 1)


def test_a_parquet_file_cut_in_half(book: Path, tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pl.DataFrame({"earning_id": [f"e{i}" for i in range(999)]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut short" in str(refusal(book, path))


def test_a_json_array_cut_in_half(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.json", '[{"earning_id": "e1"},\n {"earning_id": "e2"')
    assert re.search(r"line 2, character \d+", str(refusal(book, path)))


def test_a_torn_line_of_json(book: Path, tmp_path: Path) -> None:
    good = (
        '{"earning_id": "e1", "amount_usd": 1.10, "payment_type": "bonus", '
        '"payment_status": "paid", "earned_at": "2025-10-01"}'
    )
    path = books.write(tmp_path, "e.jsonl", f'{good}\n[1]\n{{"a": 1, "a": 2}}\n{{"earn')
    error = refusal(book, path)
    assert isinstance(error, DataRejected)
    reasons = [(r.line, r.reason) for r in error.result.files[0].rejects]
    assert [line for line, _ in reasons] == [2, 3, 4]
    assert "must be an object" in reasons[0][1]
    assert "stands twice" in reasons[1][1]
    assert "not JSON" in reasons[2][1]


def test_one_bad_file_in_a_folder(book: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    books.write(folder, "a.csv", books.earnings(GOOD))
    books.write(folder, "b.parquet", b"PAR1 and nothing more")
    assert "b.parquet" in str(refusal(book, folder))
    result = books.load_into(book, folder, max_rejects=None)
    assert (result.rows_added, result.rows_refused) == (1, 1)
    statuses = books.rows(book, "SELECT status, rows_refused FROM loads ORDER BY load_id")
    assert sorted(statuses) == [("loaded", 0), ("refused", 1)]


def test_a_file_that_grows_while_it_is_read(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", books.earnings(GOOD))

    def grow(progress: Progress) -> None:
        if progress.stage == "reading":
            with path.open("a") as file:
                file.write(row() + "\n")

    with pytest.raises(SourceError, match="changed while it was read"):
        load(book, [str(path)], LoadOptions(), on_progress=grow)
    assert books.rows(book, "SELECT count(*) FROM node_earnings") == [(0,)]


def test_no_such_file(book: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        books.load_into(book, tmp_path / "nowhere.csv")


def test_no_permission_to_read(book: Path, tmp_path: Path) -> None:
    path = books.write(tmp_path, "e.csv", books.earnings(GOOD))
    path.chmod(0)
    program = (
        "from pathlib import Path; from pnlbook.load import load, LoadOptions\n"
        f"load(Path({str(book)!r}), [{str(path)!r}], LoadOptions())"
    )
    # root reads everything unless it gives that right away first
    given_away = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = subprocess.run(
        [*given_away, sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "SourceError" in done.stderr
    assert "permission denied" in done.stderr
    assert books.rows(book, "SELECT count(*) FROM loads") == [(0,)]
