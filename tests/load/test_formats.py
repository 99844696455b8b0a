"""The same rows come in the same, whatever the format they are written in."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import xlsxwriter
import zstandard
from tests.load import books

from pnlbook.load import FileRejected

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.core

ROWS: list[dict[str, Any]] = [
    {
        "earning_id": f"e{i}",
        "node_id": node,
        "amount_usd": amount,
        "payment_type": "bonus",
        "payment_status": "paid",
        "earned_at": f"2025-10-0{i}T10:00:00+02:00",
    }
    for i, (node, amount) in enumerate(
        [("alex", "5000.10"), (None, "0.000000000001"), ('q"u,o\nte', "123456789012.123456789012")],
        1,
    )
]


def _csv(delimiter: str) -> bytes:
    def cell(value: Any) -> str:  # noqa: ANN401
        text = "" if value is None else str(value)
        quote = any(mark in text for mark in ('"', delimiter, "\n"))
        return '"' + text.replace('"', '""') + '"' if quote else text

    lines = [delimiter.join(ROWS[0])]
    lines += [delimiter.join(cell(value) for value in row.values()) for row in ROWS]
    return ("\n".join(lines) + "\n").encode()


def _json(row: dict[str, Any]) -> str:
    """Write the amount as a number with all its digits."""
    text = json.dumps(row)
    return text.replace(f'"{row["amount_usd"]}"', row["amount_usd"])


def _parquet() -> bytes:
    frame = pl.DataFrame(ROWS).with_columns(
        pl.col("amount_usd").str.to_decimal(scale=12),
        pl.col("earned_at").str.to_datetime(time_zone="UTC"),
    )
    data = io.BytesIO()
    frame.write_parquet(data)
    return data.getvalue()


def _excel() -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, list(ROWS[0]))
        for i, row in enumerate(ROWS, 1):
            sheet.write_row(i, 0, ["" if value is None else value for value in row.values()])
    return data.getvalue()


FILES = {
    "e.csv": _csv(","),
    "semicolon.csv": _csv(";"),
    "pipe.csv": _csv("|"),
    "e.tsv": _csv("\t"),
    "e.csv.gz": gzip.compress(_csv(",")),
    "e.csv.zst": zstandard.ZstdCompressor().compress(_csv(",")),
    "e.json": ("[" + ",\n".join(map(_json, ROWS)) + "]").encode(),
    "wrapped.json": ('{"count": 3, "rows": [' + ",".join(map(_json, ROWS)) + "]}").encode(),
    "e.jsonl": "\n\n".join(map(_json, ROWS)).encode(),
    "e.jsonl.gz": gzip.compress("\n".join(map(_json, ROWS)).encode()),
    "e.parquet": _parquet(),
    "e.xlsx": _excel(),
}
EXPECTED = [
    ("e1", "alex", Decimal("5000.10"), "2025-10-01 08:00:00+00"),
    ("e2", None, Decimal("0.000000000001"), "2025-10-02 08:00:00+00"),
    ("e3", 'q"u,o\nte', Decimal("123456789012.123456789012"), "2025-10-03 08:00:00+00"),
]
LINES = {"e.json": [1, 2, 3], "wrapped.json": [1, 1, 1], "e.jsonl": [1, 3, 5], "e.xlsx": [2, 3, 4]}
LINES |= {"e.jsonl.gz": [1, 2, 3], "e.parquet": [1, 2, 3]}


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    result = books.load_into(book, books.write(tmp_path, name, FILES[name]))
    assert (result.rows_read, result.rows_added) == (3, 3)
    assert result.amount_usd == sum(Decimal(row["amount_usd"]) for row in ROWS)
    found = books.rows(
        book,
        "SELECT source_key, node_id, amount_usd, earned_at::VARCHAR "
        "FROM node_earnings ORDER BY source_key",
    )
    assert found == EXPECTED
    lines = books.rows(book, "SELECT source_line FROM node_earnings ORDER BY source_key")
    assert [line for (line,) in lines] == LINES.get(name, [2, 3, 4])


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = books.new_book(tmp_path)
    for data in (FILES["e.csv.gz"], FILES["e.parquet"]):
        stdin = io.TextIOWrapper(io.BytesIO(data))
        monkeypatch.setattr(sys, "stdin", stdin)
        books.load_into(book, "-")
    locations = books.rows(
        book, "SELECT location, rows_added, rows_unchanged FROM loads ORDER BY 1, 2"
    )
    assert locations == [("stdin", 0, 3), ("stdin", 3, 0)]


def test_a_folder_and_a_glob(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    folder = tmp_path / "in" / "deeper"
    folder.mkdir(parents=True)
    books.write(folder, "a.csv", books.earnings("a,alex,1,bonus,paid,2025-10-01"))
    books.write(folder, "b.csv", books.earnings("b,alex,2,bonus,paid,2025-10-01"))
    books.write(folder, ".hidden.csv", "no table at all")
    books.write(folder, "notes.txt", "no table either")
    result = books.load_into(book, tmp_path / "in")
    assert result.rows_added == 2
    assert [note for note in result.notes if "notes.txt" in note]
    assert all(
        file.skipped for file in books.load_into(book, tmp_path / "in" / "**" / "*.csv").files
    )


def test_lines_stay_right_beside_long_cells_blank_and_broken_lines(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    text = books.earnings(
        'e1,"two\nlines",1,bonus,paid,2025-10-01',
        "",
        "e2,broken",
        "e3,alex,3,bonus,paid,2025-10-01",
        '"e4\n\n",alex,4,bonus,paid,2025-10-01',
        "e5,broken,too",
        "e6,alex,6,bonus,paid,2025-10-01",
    )
    path = books.write(tmp_path, "e.csv", text)
    result = books.load_into(book, path, max_rejects=None)
    assert [reject.line for reject in result.files[0].rejects] == [5, 10]
    found = books.rows(book, "SELECT amount_usd::INT, source_line FROM node_earnings ORDER BY 1")
    assert found == [(1, 2), (3, 6), (4, 7), (6, 11)]


def test_a_mapping_file(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    books.write(
        tmp_path,
        "load.toml",
        """
        source = "payroll"
        [[file]]
        match = "auszahlung*.csv"
        table = "node_earnings"
        delimiter = ";"
        decimal = ","
        date_format = "%d.%m.%Y %H:%M"
        timezone = "Europe/Berlin"
        nulls = ["NULL"]
        ignore = ["Notiz"]
        [file.columns]
        earning_id = "Nummer"
        node_id = "Knoten"
        amount_usd = "Betrag"
        earned_at = "Datum"
        payment_status = "Stand"
        [file.constants]
        payment_type = "bonus"
        [file.values.payment_status]
        bezahlt = "paid"
        """,
    )
    path = books.write(
        tmp_path,
        "auszahlung-10.csv",
        "Nummer;Knoten;Betrag;Datum;Stand;Notiz\n7;NULL;1.234,50;26.10.2025 12:00;bezahlt;x\n",
    )
    result = books.load_into(book, path)
    assert result.files[0].notes == ()
    found = books.rows(
        book,
        "SELECT source, source_key, node_id, amount_usd::VARCHAR, earned_at::VARCHAR, "
        "payment_type, payment_status FROM node_earnings",
    )
    assert found == [
        ("payroll", "7", None, "1234.500000000000", "2025-10-26 11:00:00+00", "bonus", "paid")
    ]


@pytest.mark.parametrize(
    ("form", "text"),
    [("epoch_s", "1759312800"), ("epoch_ms", "1759312800000"), ("epoch_us", "1759312800000000")],
)
def test_epochs(form: str, text: str, tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    mapping = books.write(tmp_path, "m.toml", f'date_format = "{form}"')
    path = books.write(tmp_path, "e.csv", books.earnings(f"e,alex,1,bonus,paid,{text}"))
    books.load_into(book, path, mapping=mapping)
    (found,) = books.rows(book, "SELECT epoch_us(earned_at) FROM node_earnings")
    assert found == (int(dt.datetime(2025, 10, 1, 10, tzinfo=dt.UTC).timestamp()) * 1_000_000,)


def test_zones_of_naive_and_written_instants(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    text = books.earnings(
        "a,alex,1,bonus,paid,2025-10-01 12:00:00",
        "b,alex,1,bonus,paid,2025-10-01",
        "c,alex,1,bonus,paid,2025-10-01T12:00:00Z",
        "d,alex,1,bonus,paid,2025-10-01T12:00:00-05:00",
        "f,alex,1,bonus,paid,2025-10-01T12:00:00.250+0530",
    )
    books.load_into(book, books.write(tmp_path, "e.csv", text), timezone="America/New_York")
    found = books.rows(
        book,
        "SELECT strftime(timezone('UTC', earned_at), '%d %H:%M:%S.%g') FROM node_earnings "
        "ORDER BY source_key",
    )
    assert [at for (at,) in found] == [
        "01 16:00:00.000",
        "01 04:00:00.000",
        "01 12:00:00.000",
        "01 17:00:00.000",
        "01 06:30:00.250",
    ]


def test_the_table_is_recognised_and_said(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    costs = "id,agent,cost,incurred_at\nc1,alex,2.50,2025-10-01\n"
    nodes = "node_id,name\nalex,Alex\n"
    files = [books.write(tmp_path, "x1.csv", costs), books.write(tmp_path, "nodes.csv", nodes)]
    result = books.load_into(book, *files)
    told = {file.table: file.recognised_by for file in result.files}
    assert told["deployment_costs"].startswith("by its columns (amount_usd, ")
    assert told["nodes"] == "by the file's name"


def test_a_table_that_fits_only_in_part_is_named(tmp_path: Path) -> None:
    book = books.new_book(tmp_path)
    path = books.write(tmp_path, "x.csv", "earned_at,amount_usd,node\n2025-10-01,5,alex\n")
    with pytest.raises(FileRejected, match=r"nearest is node_earnings.*--set payment_type="):
        books.load_into(book, path)
    constants = (("payment_type", "bonus"), ("payment_status", "paid"))
    assert books.load_into(book, path, constants=constants).rows_added == 1
