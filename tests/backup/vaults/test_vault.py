"""Prices, and the record of how vaults fare."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.backup.vaults.objects import make_object

from pnlbook.backup.errors import VaultError
from pnlbook.backup.vaults.folder import FolderVault
from pnlbook.backup.vaults.observation import Observation, observed
from pnlbook.backup.vaults.vault import FREE, UNKNOWN_PRICE, ObjectMissing, Price

if TYPE_CHECKING:
    from pathlib import Path


NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
CHARGES = st.none() | st.decimals(0, 100, places=4)


def clock() -> datetime:
    return NOW


@pytest.mark.parametrize(
    ("price", "size", "cost"),
    [
        (UNKNOWN_PRICE, 10**9, None),
        (FREE, 10**15, "0"),
        (Price(Decimal(8), None, Decimal(0)), 10**9, "8"),
        (Price(None, Decimal("0.023"), Decimal(12)), 2 * 10**9, "0.552"),
        (Price(Decimal(1), Decimal("0.5"), Decimal("1.5")), 10**9, "1.75"),
        (Price(Decimal("0.001"), None, Decimal(0)), 1, "0.000000000001"),
        (Price(Decimal("0.0005"), None, Decimal(0)), 1, "0.000000000001"),  # half up
        (Price(Decimal("0.0004"), None, Decimal(0)), 1, "0"),
        (Price(Decimal(8), None, Decimal(0)), 0, "0"),
    ],
)
def test_cost(price: Price, size: int, cost: str | None) -> None:
    assert price.cost(size) == (None if cost is None else Decimal(cost))


def test_cost_has_twelve_decimals() -> None:
    cost = Price(Decimal(8), None, Decimal(0)).cost(123)
    assert cost is not None
    assert f"{cost:f}" == "0.000000984000"


@settings(max_examples=50)
@given(CHARGES, CHARGES, st.integers(0, 120), st.integers(0, 10**12), st.integers(0, 10**12))
def test_larger_objects_never_cost_less(
    once: Decimal | None, monthly: Decimal | None, months: int, size: int, more: int
) -> None:
    price = Price(once, monthly, Decimal(months))
    small, large = price.cost(size), price.cost(size + more)
    assert (small is None) == (large is None) == (once is None and monthly is None)
    if small is not None and large is not None:
        assert small <= large
        assert abs(large - small - (price.cost(more) or 0)) <= Decimal("2e-12")


def test_each_operation_is_recorded(tmp_path: Path) -> None:
    thing = make_object(tmp_path, b"observed")
    records: list[Observation] = []
    vault = observed(FolderVault("local", tmp_path / "vault"), records, clock=clock)
    vault.put(thing.name, thing.path)
    vault.get(thing.name, tmp_path / "back")
    assert vault.head(thing.name) == 8
    assert [found.name for found in vault.list()] == [thing.name]
    vault.delete(thing.name)
    assert vault.head(thing.name) is None
    assert [(r.operation, r.size_bytes) for r in records] == [
        ("put", 8),
        ("get", 8),
        ("head", 8),
        ("list", None),
        ("delete", None),
        ("head", None),
    ]
    assert {(r.vault, r.started_at, r.error) for r in records} == {("local", NOW, None)}
    assert all(0 <= r.seconds < 5 for r in records)


def test_the_wrapper_shows_what_the_vault_is(tmp_path: Path) -> None:
    vault = observed(FolderVault("local", tmp_path), [])
    assert (vault.name, vault.kind, vault.price, vault.permanent) == (
        "local",
        "folder",
        FREE,
        False,
    )


def test_a_failure_is_recorded_with_its_sentence(tmp_path: Path) -> None:
    records: list[Observation] = []
    (tmp_path / "vault").mkdir()
    vault = observed(FolderVault("local", tmp_path / "vault"), records)
    with pytest.raises(ObjectMissing) as raised:
        vault.get("a" * 64, tmp_path / "back")
    assert [(r.operation, r.error) for r in records] == [("get", str(raised.value))]
    assert records[0].started_at.tzinfo is UTC


def test_a_failing_list_is_recorded_once(tmp_path: Path) -> None:
    records: list[Observation] = []
    vault = observed(FolderVault("local", tmp_path / "none"), records)
    with pytest.raises(VaultError):
        list(vault.list())
    assert [(r.operation, "no folder" in (r.error or "")) for r in records] == [("list", True)]


def test_a_list_left_early_is_no_failure(tmp_path: Path) -> None:
    records: list[Observation] = []
    vault = observed(FolderVault("local", tmp_path / "vault"), records)
    for data in (b"1", b"2"):
        thing = make_object(tmp_path, data)
        vault.put(thing.name, thing.path)
    assert len(list(itertools.islice(vault.list(), 1))) == 1
    assert [(r.operation, r.error) for r in records[2:]] == [("list", None)]


def test_an_interruption_is_recorded_by_its_kind(tmp_path: Path) -> None:
    def interrupt(count: int) -> None:
        raise KeyboardInterrupt(count)

    records: list[Observation] = []
    thing = make_object(tmp_path, b"interrupted")
    vault = observed(FolderVault("local", tmp_path / "vault"), records)
    with pytest.raises(KeyboardInterrupt):
        vault.put(thing.name, thing.path, interrupt)
    assert [(r.operation, r.error) for r in records] == [("put", "KeyboardInterrupt")]
    assert list(vault.list()) == []
