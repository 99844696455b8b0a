from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode

from hypothesis import given
from hypothesis import strategies as st

from pnlbook.reports.filters import (
    BASES,
    GRAINS,
    RANKS,
    Filters,
    WorkFilters,
    from_query,
    work_from_query,
    write_query,
)

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
DAYS = st.none() | st.dates()
FILTERS = st.builds(
    Filters,
    first=DAYS,
    last=DAYS,
    node=TEXTS,
    project=TEXTS,
    basis=st.sampled_from(BASES),
    grain=st.sampled_from(GRAINS),
    rank=st.sampled_from(RANKS),
    opened=TEXTS,
)

WORK_FILTERS = st.builds(
    WorkFilters,
    first=DAYS,
    last=DAYS,
    node=TEXTS,
    project=TEXTS,
    idle=st.integers(0, 99_999_999),
    opened=TEXTS,
)


@given(FILTERS)
def test_a_url_restores_the_filters(filters: Filters) -> None:
    url = urlencode(filters.to_query())
    assert from_query(parse_qs(url, keep_blank_values=True)) == filters


@given(WORK_FILTERS)
def test_a_url_restores_the_filters_of_the_work_report(filters: WorkFilters) -> None:
    url = urlencode(filters.to_query())
    assert work_from_query(parse_qs(url, keep_blank_values=True)) == filters


@given(st.text())
def test_a_wrong_threshold_keeps_the_default(text: str) -> None:
    idle = work_from_query({"idle": text}).idle
    assert idle == WorkFilters().idle or (text.isdecimal() and idle == int(text))


@given(FILTERS, FILTERS)
def test_a_live_url_is_brought_up_to_date_and_keeps_what_is_not_ours(
    before: Filters, after: Filters
) -> None:
    query = {"theme": "dark", **before.to_query()}
    write_query(after, query)
    assert query == {"theme": "dark", **after.to_query()}


@given(st.dictionaries(st.sampled_from(["first", "last", "basis", "grain", "rank"]), st.text()))
def test_nonsense_in_a_url_keeps_the_defaults(query: dict[str, str]) -> None:
    found = from_query(query)
    assert found.basis in BASES
    assert found.grain in GRAINS
    assert found.rank in RANKS


def test_defaults_stay_out_of_the_url() -> None:
    assert Filters().to_query() == {}
    assert Filters(basis="cash").to_query() == {"basis": "cash"}


@given(st.dates(max_value=date.max - timedelta(days=1)))
def test_the_range_ends_before_the_day_after_the_last(last: date) -> None:
    assert Filters(last=last).until == last + timedelta(days=1)


def test_the_last_day_of_all_has_no_day_after() -> None:
    assert Filters(last=date.max).until is None


def test_open_ends_are_filled_and_a_range_the_wrong_way_round_is_dropped() -> None:
    first, last = date(2025, 9, 1), date(2025, 10, 31)
    assert Filters().within(first, last) == Filters(first=first, last=last)
    chosen = Filters(first=date(2025, 10, 1))
    assert chosen.within(first, last) == Filters(first=date(2025, 10, 1), last=last)
    reversed_ = Filters(first=last, last=first, node="n")
    assert reversed_.within(first, last) == Filters(first=first, last=last, node="n")
