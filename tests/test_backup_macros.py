"""Backups in the book: their cost stands in the P&L once, and older books take the new columns."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnlbook import migrate, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.core

ZONES = ("UTC", "Europe/Berlin", "America/New_York")
MONTHS = (datetime(2025, 9, 30, 22, tzinfo=UTC), datetime(2025, 11, 1, 4, tzinfo=UTC))
NEAR = [timedelta(0), timedelta(microseconds=-1), timedelta(hours=2), timedelta(days=40)]
DIGEST = "0" * 64


@dataclass(frozen=True)
class Backup:
    """A backup with the cost of each of its copies; None: not known."""

    kind: str
    at: datetime
    size: int
    copies: tuple[Decimal | None, ...]

    @property
    def cost(self) -> Decimal | None:
        """Return the sum of what the copies cost; None where that of one is not known."""
        known = [cost for cost in self.copies if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(self.copies) else None


backups = st.lists(
    st.builds(
        Backup,
        kind=st.sampled_from(["full", "incremental", "schema", "data"]),
        at=st.builds(
            lambda month, near: month + near, st.sampled_from(MONTHS), st.sampled_from(NEAR)
        ),
        size=st.integers(0, 10**12),
        copies=st.lists(
            st.none() | st.integers(0, 10**15).map(lambda n: Decimal(n).scaleb(-12)), max_size=3
        ).map(tuple),
    ),
    max_size=8,
)


@pytest.fixture(scope="module", params=ZONES)
def zoned(request: pytest.FixtureRequest) -> Iterator[tuple[str, duckdb.DuckDBPyConnection]]:
    with duckdb.connect() as connection:
        migrate.install(connection)
        migrate.set_timezone(connection, request.param)
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        yield request.param, connection


@pytest.fixture
def book() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        migrate.install(connection)
        yield connection


def known_sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of the known amounts; None if none is known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def put(connection: duckdb.DuckDBPyConnection, made: list[Backup]) -> None:
    for number, backup in enumerate(made):
        connection.execute(
            "INSERT INTO arweave_backups (backup_id, backup_type, file_size_bytes, cost_usd, "
            "compressed_size_bytes, checksum_sha256, created_at) VALUES (?, ?, 1, ?, ?, ?, ?)",
            [f"b{number}", backup.kind, backup.cost, backup.size, DIGEST, backup.at],
        )
        for at, cost in enumerate(backup.copies):
            connection.execute(
                "INSERT INTO backup_copies (backup_id, vault, vault_kind, state, cost_usd) "
                "VALUES (?, ?, 'folder', 'verified', ?)",
                [f"b{number}", f"v{at}", cost],
            )


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query).fetchall()


def by_month(made: list[Backup], zone: str) -> dict[date, list[Backup]]:
    months: dict[date, list[Backup]] = defaultdict(list)
    for backup in made:
        months[backup.at.astimezone(ZoneInfo(zone)).date().replace(day=1)].append(backup)
    return months


@given(made=backups)
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_a_backup_costs_once_however_many_copies_it_has(
    zoned: tuple[str, duckdb.DuckDBPyConnection], made: list[Backup]
) -> None:
    zone, connection = zoned
    months = by_month(made, zone)
    connection.execute("BEGIN")
    try:
        put(connection, made)
        expect_statement(connection, months)
        expect_costs(connection, months)
        assert rows(connection, "SELECT count(*), sum(cost_usd) FROM backup_list()") == [
            (len(made), known_sum(backup.cost for backup in made))
        ]
    finally:
        connection.execute("ROLLBACK")


def expect_statement(
    connection: duckdb.DuckDBPyConnection, months: dict[date, list[Backup]]
) -> None:
    """Compare what the P&L says with the months; those without backups between them are zeros."""
    costs = {month: known_sum(b.cost for b in made) for month, made in months.items()}
    shown = dict(rows(connection, "SELECT month, backup_costs_usd FROM platform_profit()"))
    assert {month: cost for month, cost in shown.items() if month in months} == costs
    assert all(cost == 0 for month, cost in shown.items() if month not in months)
    assert (
        dict(
            rows(
                connection,
                "SELECT period_start, amount_usd FROM pnl_statement() "
                "WHERE section = 'cost' AND kind = 'backup'",
            )
        )
        == costs
    )
    assert known_sum(
        cost for [cost] in rows(connection, "SELECT total_costs_usd FROM platform_profit()")
    ) == known_sum([*costs.values(), *(Decimal(0) for m in shown if m not in months)])


def expect_costs(connection: duckdb.DuckDBPyConnection, months: dict[date, list[Backup]]) -> None:
    """Compare backup_costs with the months."""
    expected = []
    for month in sorted(months, reverse=True):
        so_far = [b.cost for m, made in months.items() if m <= month for b in made]
        for kind in sorted({backup.kind for backup in months[month]}):
            of_kind = [backup for backup in months[month] if backup.kind == kind]
            costs = [backup.cost for backup in of_kind]
            size = sum(backup.size for backup in of_kind)
            head = (month, kind, len(of_kind), size)
            expected.append((*head, known_sum(costs), costs.count(None), known_sum(so_far)))
    assert (
        rows(
            connection,
            "SELECT month, backup_type, backup_count, size_bytes, cost_usd, unpriced_backups, "
            "running_cost_usd FROM backup_costs()",
        )
        == expected
    )


def test_two_copies_are_one_cost(book: duckdb.DuckDBPyConnection) -> None:
    at = datetime(2025, 10, 5, tzinfo=UTC)
    put(book, [Backup("full", at, 10**9, (Decimal("0.036"), Decimal("0.012")))])
    query = "SELECT backup_costs_usd, total_costs_usd, net_profit_usd FROM platform_profit()"
    cost = Decimal("0.048")
    assert rows(book, query) == [(cost, cost, -cost)]


def test_the_view_has_gigabytes(book: duckdb.DuckDBPyConnection) -> None:
    at = datetime(2025, 10, 5, tzinfo=UTC)
    put(book, [Backup("full", at, 1_500_000_001, (Decimal("0.036"),))] * 2)
    assert rows(
        book, "SELECT backup_count, total_gb_stored, total_cost_usd FROM backup_costs_summary"
    ) == [(2, Decimal("3.000000002"), Decimal("0.072"))]


def test_an_unknown_kind_is_an_error_even_without_backups(book: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.InvalidInputException, match="use full, incremental, schema or data"):
        rows(book, "FROM latest_backup(kind := 'Full')")


def test_moments_can_be_bound(book: duckdb.DuckDBPyConnection) -> None:
    at = datetime(2025, 10, 5, tzinfo=UTC)
    put(book, [Backup("full", at, 1, (Decimal(0),))])
    for macro in ("backup_health", "backup_warnings", "backup_figures"):
        count = f"SELECT count(*) FROM {macro}"
        by_default = rows(book, f"{count}()")
        assert book.execute(f"{count}(at := ?)", [None]).fetchall() == by_default != [(0,)]
    query = "SELECT latest_verified_age_seconds FROM backup_health(at := ?)"
    for moment in (at + timedelta(days=30), "2025-11-04", date(2025, 11, 4)):
        assert book.execute(query, [moment]).fetchall() == [(30 * 86400,)]


def test_thirty_days_are_as_long_in_every_zone(zoned: tuple[str, Any]) -> None:
    _, connection = zoned
    connection.execute("BEGIN")
    try:
        failed_at = datetime(2025, 10, 10, tzinfo=UTC)  # summer time ends within the 30 days
        connection.execute(
            "INSERT INTO backup_vault_checks (check_id, vault, operation, started_at, success) "
            "VALUES (1, 'disk', 'put', ?, false)",
            [failed_at],
        )
        query = "SELECT failures_30_days FROM backup_health(at := ?)"
        for near, failures in ((timedelta(seconds=-1), 1), (timedelta(0), 0)):
            for zone in ZONES:
                connection.execute(f"SET TimeZone = '{zone}'")
                moment = failed_at + timedelta(days=30) + near
                assert connection.execute(query, [moment]).fetchall() == [(failures,)]
    finally:
        connection.execute("ROLLBACK")


def test_backups_of_an_older_book_stay(tmp_path: Path) -> None:
    path = tmp_path / "book.duckdb"
    migrate.create(path)
    migrate.down(path, to=1)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "INSERT INTO arweave_backups (backup_id, backup_type, file_size_bytes, cost_usd, "
            f"compressed_size_bytes, checksum_sha256) VALUES ('old', 'full', 3, 0.5, 2, '{DIGEST}')"
        )
        before = rows(connection, "FROM arweave_backups SELECT * EXCLUDE (created_at)")
    assert [m.number for m in migrate.up(path).applied] == [m.number for m in sql.migrations()[1:]]
    with duckdb.connect(str(path)) as connection:
        [(needs, marked_at)] = rows(connection, "SELECT needs, marked_at FROM arweave_backups")
        assert (needs, marked_at) == (None, None)
        assert rows(connection, "SELECT backup_id, needs FROM latest_backup()") == [
            ("old", ["old"])
        ]
    migrate.down(path, to=1)
    with duckdb.connect(str(path)) as connection:
        assert rows(connection, "FROM arweave_backups SELECT * EXCLUDE (created_at)") == before


@pytest.mark.parametrize(
    ("table", "columns", "values"),
    [
        ("backup_copies", "backup_id, vault, vault_kind, state", "'b', 'disk', 'folder', 'lost'"),
        (
            "backup_vault_checks",
            "check_id, vault, operation, started_at, success",
            "1, 'disk', 'copy', now(), true",
        ),
        (
            "backup_vault_checks",
            "check_id, vault, operation, started_at, success, seconds",
            "1, 'disk', 'put', now(), true, -1",
        ),
    ],
)
def test_states_and_operations_are_those_known(
    book: duckdb.DuckDBPyConnection, table: str, columns: str, values: str
) -> None:
    with pytest.raises(duckdb.ConstraintException):
        book.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})")
