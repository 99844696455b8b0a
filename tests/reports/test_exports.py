from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
from polars.testing import assert_frame_equal

from pnlbook.reports import exports
from pnlbook.reports.filters import Filters, WorkFilters

EXACT = Decimal("12345678901234567890123456.123456789012")
FRAME = pl.DataFrame(
    {
        "node": ["a,b", None],
        "amount_usd": [EXACT, None],
        "counted_at": [datetime(2025, 10, 31, 23, 30, tzinfo=UTC), None],
    },
    schema_overrides={
        "amount_usd": pl.Decimal(38, 12),
        "counted_at": pl.Datetime("us", "Europe/Berlin"),
    },
)


def test_csv_keeps_every_digit_and_the_offset() -> None:
    assert exports.csv(FRAME).decode().splitlines() == [
        "node,amount_usd,counted_at",
        f'"a,b",{EXACT},2025-11-01T00:30:00+01:00',
        ",,",
    ]


def test_parquet_gives_the_same_frame_back() -> None:
    assert_frame_equal(pl.read_parquet(io.BytesIO(exports.parquet(FRAME))), FRAME)


def test_file_names_say_what_they_hold_and_suit_any_disk() -> None:
    filters = Filters(date(2025, 9, 1), date(2025, 10, 31))
    assert exports.file_name("nodes", filters, "csv") == "profit-nodes-2025-09-01-2025-10-31.csv"
    narrow = Filters(node="../a b/ü", basis="cash")
    assert exports.file_name("rows", narrow, "png") == "profit-rows-cash-.._a_b_ü.png"


def test_pictures_tell_what_they_cover() -> None:
    filters = Filters(date(2025, 9, 1), date(2025, 10, 31), node="n", project="p")
    assert exports.scope(filters) == "2025-09-01 to 2025-10-31 · accrual · node n · project p"


def test_files_of_work_say_what_waiting_counts() -> None:
    filters = WorkFilters(date(2025, 9, 1), date(2025, 10, 31), idle=60)
    assert exports.scope(filters) == "2025-09-01 to 2025-10-31 · waiting up to 60 s counts"
    name = exports.file_name("node hours", filters, "png")
    assert name == "work-node_hours-2025-09-01-2025-10-31-idle-60s.png"
    assert exports.file_name("tools", WorkFilters(), "csv") == "work-tools.csv"
