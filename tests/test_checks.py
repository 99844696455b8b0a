"""Data checks: each finds what breaks its rule, nothing else does, and a clean book passes all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pnlbook import migrate, sql
from pnlbook.load.derive import rollup
from pnlbook.load.tables import BY_NAME, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Row = tuple[str | None, ...]

pytestmark = pytest.mark.core

MONTH = "2025-10-01 00:00:00+00"
EARLIER = "2025-09-01 00:00:00+00"
LONG_AGO = "2025-01-01 00:00:00+00"
TOMORROW = (datetime.now(UTC) + timedelta(hours=20)).isoformat()
NEXT_YEAR = "2999-01-01 00:00:00+00"
NEVER = "the superseding load is unknown"
NOT_LATER = "superseded by no later load"
PAID = {"payment_status": "paid", "paid_at": MONTH}
REQUIRED: dict[str, dict[str, object]] = {
    "token_prices": {"token": "SOL", "priced_at": MONTH, "price_usd": 100},
    "model_prices": {"model": "m", "input_usd_per_mtok": 3},
    "deployment_costs": {"amount_usd": 1, "incurred_at": MONTH, **PAID},
    "arweave_uploads": {"uploaded_at": MONTH},
    "akash_deployments": {"started_at": MONTH},
    "node_earnings": {
        "gross_amount_usd": 10,
        "costs_deducted_usd": 0,
        "amount_usd": 10,
        "payment_type": "bonus",
        "earned_at": MONTH,
        **PAID,
    },
    "marketplace_revenue": {"amount_usd": 1, "fee_type": "platform_fee", "collected_at": MONTH},
    "subscription_revenue": {"amount_usd": 1, "billed_at": MONTH, **PAID},
    "work_sessions": {"started_at": MONTH},
    "work_tasks": {"started_at": MONTH},
    "file_changes": {"file_path": "a", "change_type": "created", "changed_at": MONTH},
    "tool_usage": {"tool_name": "edit", "used_at": MONTH},
    "communication_log": {"role": "user", "sent_at": MONTH},
    "error_log": {"error_type": "timeout", "occurred_at": MONTH},
}
NODE_TABLES = (
    "akash_deployments",
    "arweave_uploads",
    "communication_log",
    "deployment_costs",
    "deployments",
    "error_log",
    "file_changes",
    "node_earnings",
    "tool_usage",
    "work_sessions",
    "work_tasks",
)
MONEY_TABLES = ("deployment_costs", "marketplace_revenue", "node_earnings", "subscription_revenue")
FACTS = sorted(table.name for table in TABLES if table.numbered)


@dataclass
class Book:
    """A book in memory; a row put into it is recorded as a load of its own, in order."""

    connection: duckdb.DuckDBPyConnection
    loads: int = field(default=0)

    def put(self, table: str, **columns: object) -> int:
        """Put a row into a table or its history and return its load."""
        load_id = self.put_unrecorded(table, **columns)
        self.record(table.removesuffix("_history"), load_id)
        return load_id

    def put_unrecorded(self, table: str, **columns: object) -> int:
        """Put a row into a table or its history, without its load."""
        home = BY_NAME[table.removesuffix("_history")]
        self.loads += 1
        key = f"k{self.loads}"
        row = {"source": "s", "source_key": key, "load_id": self.loads}
        row |= {home.id_column: self.loads if home.numbered else key}
        row |= REQUIRED.get(home.name, {}) | columns
        self.insert(table, row)
        return self.loads

    def record(self, table: str, load_id: int, **columns: object) -> None:
        """Record a load; by default of one added row."""
        row = {"load_id": load_id, "batch_id": load_id, "status": "loaded", "table_name": table}
        row |= dict.fromkeys(("source", "location", "format", "loaded_by", "program_version"), "s")
        row |= dict.fromkeys(("started_at", "committed_at"), MONTH)
        row |= {"rows_read": 1, "rows_added": 1} | columns
        self.insert("loads", row)
        self.loads = max(self.loads, load_id)

    def insert(self, table: str, row: dict[str, Any]) -> None:
        """Insert a row as it is."""
        marks = ", ".join("?" for _ in row)
        self.connection.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values())
        )

    def replace(self, table: str) -> tuple[int, int]:
        """Put a row that a later load replaced; return the two loads."""
        old, new = self.loads + 1, self.loads + 2
        self.put(f"{table}_history", source_key="same", superseded_by=new)
        self.put_unrecorded(table, source_key="same")
        self.record(table, new, rows_added=0, rows_superseded=1)
        return old, new

    def without_constraints(self, table: str) -> None:
        """Make a table anew that takes any row."""
        self.connection.execute(
            f"CREATE TABLE free AS FROM {table}; DROP TABLE {table}; "
            f"ALTER TABLE free RENAME TO {table};"
        )

    def offending(self, name: str) -> list[Row]:
        """Return what a check finds, as texts."""
        check = next(check for check in sql.checks() if check.name == name)
        query = check.sql.rstrip().removesuffix(";")
        return self.connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM (\n{query}\n)").fetchall()


@pytest.fixture(scope="module")
def clean() -> Iterator[Book]:
    """Return a book that holds sound rows of every table, and replaced ones."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        migrate.install(connection)
        clean = Book(connection)
        clean.put("nodes", node_id="n")
        clean.put("projects", project_id="p")
        clean.put("deployments", deployment_id="d", node_id="n", project_id="p")
        clean.put("token_prices")
        for table in REQUIRED.keys() - {"token_prices"}:
            clean.put(table, **{name: value for name, value in KNOWN.items() if has(table, name)})
            clean.put(table)
        clean.replace("node_earnings")
        clean.replace("file_changes")
        clean.record("nodes", clean.loads + 1, rows_added=0, rows_unchanged=1)
        clean.record("nodes", clean.loads + 1, status="refused", rows_added=0, rows_refused=1)
        put_log(clean)
        rollup(connection)
        yield clean


@pytest.fixture
def book(clean: Book) -> Iterator[Book]:
    """Return the clean book; what a test does to it is undone."""
    clean.connection.execute("BEGIN")
    yield Book(clean.connection, clean.loads)
    clean.connection.execute("ROLLBACK")


KNOWN = {"node_id": "n", "project_id": "p", "deployment_id": "d"}


def has(table: str, column: str) -> bool:
    """Whether a table says which node, project or deployment a row belongs to."""
    if column == "node_id":
        return table in NODE_TABLES
    if column == "project_id":
        return table in (*NODE_TABLES, "marketplace_revenue")
    return table in {"deployment_costs", "arweave_uploads", "akash_deployments"}


def put_log(book: Book, name: str = "log") -> int:
    """Put a log, one load whose rows go to several tables and replace one, and return its load."""
    old = book.put("work_sessions_history", session_id=name, superseded_by=book.loads + 2)
    load = old + 1
    lineage_ = {"source": "s", "load_id": load}
    session = {"session_id": name, "source_key": name, "started_at": MONTH, **lineage_}
    book.insert("work_sessions", session | {"completed_at": "2025-10-01 01:00:00+00"})
    for number in range(2):
        row = {"session_id": name, "source_key": f"{name} {number}", **lineage_}
        row |= {"usage_id": 2_000_000 + 10 * load + number, "node_id": "n", "project_id": "p"}
        book.insert("tool_usage", row | REQUIRED["tool_usage"])
    book.record("work log", load, rows_read=3, rows_added=2, rows_superseded=1)
    return load


def put_backup(book: Book, backup_id: str, cost: object, copies: list[object]) -> None:
    """Put a backup with the cost of each of its copies."""
    book.insert(
        "arweave_backups",
        {"backup_id": backup_id, "backup_type": "full", "cost_usd": cost, "created_at": MONTH}
        | {"file_size_bytes": 1, "compressed_size_bytes": 1, "checksum_sha256": "0" * 64},
    )
    for number, copy_cost in enumerate(copies):
        copy = {"backup_id": backup_id, "vault": f"v{number}", "vault_kind": "s3"}
        book.insert("backup_copies", copy | {"state": "verified", "cost_usd": copy_cost})


def backup_cost_differs(book: Book) -> list[Row]:
    put_backup(book, "dear", 2, [1])
    put_backup(book, "twice", 1, [1, 1])
    # as much as its copies, of which some or all are not known, without a copy
    put_backup(book, "same", 3, [1, 2])
    put_backup(book, "free", 0, [0])
    put_backup(book, "part", 1, [1, None])
    put_backup(book, "bare", 1, [])
    one, two = "1.000000000000", "2.000000000000"
    return [("dear", MONTH, "1", one, two), ("twice", MONTH, "2", two, one)]


def backup_needs_lost(book: Book) -> list[Row]:
    needs = {
        "whole": None,
        "step": ["whole", "step"],
        "gone": ["gone"],
        "broken": ["broken"],
        "after": ["whole", "gone", "broken", "unknown", "after"],
    }
    for backup_id, needed in needs.items():
        put_backup(book, backup_id, 0, [])
        book.connection.execute(
            "UPDATE arweave_backups SET needs = ? WHERE backup_id = ?", [needed, backup_id]
        )
    book.connection.execute(
        f"UPDATE arweave_backups SET removed_at = '{MONTH}' WHERE backup_id = 'gone';"
        "UPDATE arweave_backups SET restorable = false WHERE backup_id = 'broken';"
    )
    return [("after", MONTH, needed) for needed in ("broken", "gone", "unknown")]


def deducted_above_costs(book: Book) -> list[Row]:
    amounts = {"gross_amount_usd": 10, "costs_deducted_usd": 3, "amount_usd": 7}
    for node, project in (("n", None), (None, "p"), (None, None)):
        book.put("node_earnings", node_id=node, project_id=project, **amounts)
    # costs enough, deducted by the source, not known yet, a payment that failed
    book.put("projects", project_id="enough")
    book.put("node_earnings", project_id="enough", **amounts)
    book.put("deployment_costs", project_id="enough", amount_usd=1)
    book.put("deployment_costs", project_id="enough", amount_usd=2)
    book.put("nodes", node_id="m")
    book.put("node_earnings", node_id="m", **amounts, net_of_costs=True)
    book.put("node_earnings", node_id="m", **amounts, payment_status="failed")
    return [
        ("n", None, "3.000000000000", "0.000000000000", "3.000000000000", "1", "0"),
        (None, "p", "3.000000000000", "0.000000000000", "3.000000000000", "1", "0"),
        (None, None, "3.000000000000", "1.000000000000", "2.000000000000", "1", "1"),
    ]


def duplicate_fact(book: Book) -> list[Row]:
    found: list[Row] = []
    for table in FACTS:
        first = book.put(table, source_key="twice")
        last = book.put(table, source_key="twice")
        book.put(table, source_key="twice", source="another")
        ids = (str(first), str(last))
        found.append((table, "s", "twice", "2", *ids, *ids))
    return found


def earning_does_not_add_up(book: Book) -> list[Row]:
    book.without_constraints("node_earnings")
    amounts = {"gross_amount_usd": 10, "costs_deducted_usd": 0, "amount_usd": 8}
    now = book.put("node_earnings", **amounts, source_key="a")
    book.put("node_earnings", **amounts | {"amount_usd": None, "token": "SOL"})
    book.connection.execute("UPDATE node_earnings SET amount_usd = 10 WHERE amount_usd IS NULL")
    old = book.put("node_earnings_history", **amounts, source_key="b", superseded_by=0)
    book.put_unrecorded("node_earnings")
    book.record("node_earnings", book.loads, rows_added=0, rows_superseded=1)
    book.connection.execute(
        f"UPDATE node_earnings_history SET superseded_by = {book.loads} WHERE superseded_by = 0"
    )
    usd = ("10.000000000000", "0.000000000000", "8.000000000000", "2.000000000000")
    return [
        ("node_earnings", str(now), "s", "a", str(now), *usd),
        ("node_earnings_history", str(old), "s", "b", str(old), *usd),
    ]


def history_out_of_order(book: Book) -> list[Row]:
    found: list[Row] = []
    for table in BY_NAME:
        old = book.put(f"{table}_history", superseded_by=10_000)
        key = {"SOL"} if table == "token_prices" else {f"k{old}", str(old)}
        ours = book.connection.execute(
            f"SELECT {BY_NAME[table].id_column}::VARCHAR FROM {table}_history "
            "WHERE superseded_by = 10000"
        ).fetchone()
        assert ours is not None
        assert ours[0] in key
        found.append((f"{table}_history", ours[0], "s", f"k{old}", str(old), "10000", NEVER))
    # a version that its own load replaced: the load counts fit
    one = book.put_unrecorded("projects_history", superseded_by=book.loads + 1)
    book.record("projects", one, rows_added=0, rows_superseded=1)
    found.append(("projects_history", f"k{one}", "s", f"k{one}", str(one), str(one), NOT_LATER))
    return sorted(found, key=lambda row: (str(row[0]), str(row[1])))


def instant_in_future(book: Book) -> list[Row]:
    found: list[Row] = []
    for table, column in FUTURE:
        unpaid = {"payment_status": "pending", "paid_at": None} if is_due(table, column) else {}
        load = book.put(table, **unpaid, **{column: NEXT_YEAR})
        key = "SOL" if table == "token_prices" else f"k{load}"
        key = str(load) if BY_NAME[table].numbered else key
        line = (table, key, "s", f"k{load}", None, str(load), column, NEXT_YEAR)
        found.append(line)
    book.put("file_changes", changed_at=TOMORROW)
    book.put("subscription_revenue", period_end=NEXT_YEAR)
    return found


def is_due(table: str, column: str) -> bool:
    """Whether a column says since when a payment was due."""
    return column == BY_NAME[table].time and "paid_at" in REQUIRED.get(table, {})


FUTURE = (
    *((table.name, table.time) for table in TABLES if table.time is not None),
    ("nodes", "created_at"),
    ("projects", "created_at"),
    ("work_sessions", "completed_at"),
    ("work_tasks", "completed_at"),
    ("error_log", "resolved_at"),
    *(
        (table, "paid_at")
        for table in ("deployment_costs", "node_earnings", "subscription_revenue")
    ),
)


def load_rows_differ(book: Book) -> list[Row]:
    lost = book.loads + 1
    book.record("tool_usage", lost, rows_read=2, rows_added=2)
    book.insert("tool_usage", REQUIRED["tool_usage"] | lineage(1_000_001, "a", lost))
    past = book.put("nodes")
    book.insert("nodes", {"node_id": "x"} | lineage(None, "x", past))
    elsewhere = book.put_unrecorded("projects")
    book.record("nodes", elsewhere)
    refused = book.put_unrecorded("nodes")
    book.record("nodes", refused, status="refused", rows_added=0)
    unkept = book.put_unrecorded("error_log")
    book.record("error_log", unkept, rows_added=0, rows_superseded=1)
    cut = put_log(book, "cut")
    book.connection.execute(f"DELETE FROM tool_usage WHERE load_id = {cut} AND usage_id % 10 = 1")
    return [
        ("error_log", str(unkept), "s", "s", "loaded", "0", "1", "1", "error_log", "0", None),
        ("nodes", str(past), "s", "s", "loaded", "1", "0", "2", "nodes", "0", None),
        ("nodes", str(elsewhere), "s", "s", "loaded", "1", "0", "1", "projects", "0", None),
        ("nodes", str(refused), "s", "s", "refused", "0", "0", "1", "nodes", "0", None),
        ("tool_usage", str(lost), "s", "s", "loaded", "2", "0", "1", "tool_usage", "0", None),
        ("work log", str(cut), "s", "s", "loaded", "2", "1", "2", "work log", "1", "work log"),
    ]


def unknown_session(book: Book) -> list[Row]:
    tables = ("communication_log", "error_log", "file_changes", "tool_usage", "work_tasks")
    return _unknown(book, "session_id", tables)


def work_ends_before_it_begins(book: Book) -> list[Row]:
    found: list[Row] = []
    for table in ("work_sessions", "work_tasks"):
        load = book.put(table, completed_at=EARLIER)
        book.put(table, completed_at=MONTH)
        found.append((table, f"k{load}", "s", f"k{load}", None, str(load), MONTH, EARLIER))
    return found


def work_ended_without_end(book: Book) -> list[Row]:
    book.put("work_sessions", status="completed", completed_at=MONTH)
    book.put("work_sessions", status="completed", total_duration_seconds=0)
    return [
        (f"k{load}", "s", f"k{load}", None, str(load), status, MONTH)
        for status in ("completed", "failed")
        for load in [book.put("work_sessions", status=status)]
    ]


def work_intervals_differ(book: Book) -> list[Row]:
    later = "2025-10-01 02:00:00+00"
    given = book.put("work_sessions", total_duration_seconds=7200)
    lasting = book.put("work_sessions", completed_at=later)
    rollup(book.connection)
    change = "UPDATE work_intervals SET {} WHERE session_id = '{}'"
    half = "started_at = started_at + INTERVAL 1 HOUR"
    book.connection.execute(change.format(half, f"k{given}"))
    book.connection.execute(f"DELETE FROM work_intervals WHERE session_id = 'k{lasting}'")
    gone = {"session_id": "gone", "started_at": MONTH, "ended_at": later, "kind": "busy"}
    book.insert("work_intervals", gone)
    book.connection.execute(
        "UPDATE work_intervals SET ended_at = ended_at - INTERVAL 50 MINUTE "
        "WHERE session_id = 'log';"
        "INSERT INTO work_intervals BY NAME SELECT * REPLACE (started_at + INTERVAL 30 MINUTE "
        "AS started_at, started_at + INTERVAL 1 HOUR AS ended_at) "
        "FROM work_intervals WHERE session_id = 'log'"
    )
    _rollup_days(book)
    hour = "2025-10-01 01:00:00+00"
    return [
        (f"k{given}", "", MONTH, later, hour, later, "true"),
        (f"k{lasting}", "", MONTH, later, None, None, None),
        ("gone", "", None, None, MONTH, later, "true"),
        ("log", "", MONTH, hour, MONTH, hour, "false"),
    ]


def _rollup_days(book: Book) -> None:
    """Make the days fit the intervals as they are."""
    book.connection.execute(
        "DELETE FROM work_metrics_daily; INSERT INTO work_metrics_daily BY NAME "
        "SELECT *, now() AS computed_at FROM work_daily()"
    )


def work_metrics_differ(book: Book) -> list[Row]:
    book.put("work_tasks", started_at=EARLIER, node_id="n")
    rollup(book.connection)
    book.connection.execute("UPDATE work_metrics_daily SET tasks = 5 WHERE day < '2025-10-01'")
    day = ("2025-09-01", "n", "", "0")
    zeros = ("0.000000", "0", "0", "0")
    return [("rows", *day, "1", *zeros), ("work_metrics_daily", *day, "5", *zeros)]


def lineage(number: int | None, key: str, load_id: int) -> dict[str, object]:
    """Return what says where a row comes from; number: of a row of tool_usage."""
    ours: dict[str, object] = {} if number is None else {"usage_id": number}
    return ours | {"source": "s", "source_key": key, "load_id": load_id}


def message_cost_differs(book: Book) -> list[Row]:
    priced = {"model": "m", "input_tokens": 1_000_000, "price_id": "p"}
    book.put("model_prices", price_id="p")
    # as the price says, at a price that was corrected, and what the source gave or nobody knows
    book.put("communication_log", **priced, cost_usd=3)
    old = book.loads + 1
    book.put_unrecorded("model_prices_history", price_id="q", superseded_by=old + 1)
    book.connection.execute("UPDATE model_prices_history SET input_usd_per_mtok = 7")
    book.record("model_prices", old)
    book.put_unrecorded("model_prices", price_id="q")
    book.record("model_prices", old + 1, rows_added=0, rows_superseded=1)
    book.put("communication_log", **priced | {"price_id": "q"}, cost_usd=7)
    book.put("communication_log", **priced | {"price_id": "q"}, cost_usd=3)
    book.put("communication_log", **priced | {"price_id": None}, cost_usd=4)
    book.put("communication_log", input_tokens=0)
    wrong = {
        "differs": priced | {"cost_usd": 4},
        "unknown price": priced | {"price_id": "gone", "cost_usd": 3},
        "no rate": priced | {"output_tokens": 1, "cost_usd": 3},
        "no cost": priced | {"input_tokens": 0, "cost_usd": None},
    }
    found: list[Row] = []
    for key, columns in wrong.items():
        load = book.put("communication_log", message_id=key, **columns)
        usd = None if columns["cost_usd"] is None else f"{columns['cost_usd']}.000000000000"
        lineage = ("s", f"k{load}", None, str(load))
        found.append(("communication_log", key, *lineage, "m", str(columns["price_id"]), usd))
    replaced = book.put(
        "communication_log_history", message_id="old", **priced, cost_usd=4, superseded_by=0
    )
    book.put_unrecorded("communication_log", message_id="old", **priced, cost_usd=3)
    book.record("communication_log", book.loads, rows_added=0, rows_superseded=1)
    book.connection.execute(
        f"UPDATE communication_log_history SET superseded_by = {book.loads} WHERE superseded_by = 0"
    )
    lineage = ("s", f"k{replaced}", None, str(replaced))
    found.append(("communication_log_history", "old", *lineage, "m", "p", "4.000000000000"))
    return found


def paid_before_due(book: Book) -> list[Row]:
    return [
        (table, str(load), "s", f"k{load}", None, str(load), amount, MONTH, EARLIER)
        for table, amount in PAYMENTS
        for load in [book.put(table, paid_at=EARLIER)]
    ]


def paid_without_date(book: Book) -> list[Row]:
    for table, _ in PAYMENTS:
        book.put(table, paid_at=None, payment_status="pending")
    return [
        (table, str(load), "s", f"k{load}", None, str(load), amount, MONTH)
        for table, amount in PAYMENTS
        for load in [book.put(table, paid_at=None)]
    ]


PAYMENTS = (
    ("deployment_costs", "1.000000000000"),
    ("node_earnings", "10.000000000000"),
    ("subscription_revenue", "1.000000000000"),
)


def stale_price(book: Book) -> list[Row]:
    token = {"token": "AKT", "token_amount": 1}
    book.put("token_prices", token="AKT", priced_at=EARLIER)  # noqa: S106 - a coin
    for table in MONEY_TABLES:
        time = str(BY_NAME[table].time)
        book.put(table, **token, **{time: "2025-09-08 00:00:00+00"})
        book.put(table, **token, **{time: MONTH})
        book.put(table, **token, **{time: LONG_AGO})
        book.put(table, token="USD", token_amount=1)  # noqa: S106 - a currency
    return [(table, "AKT", EARLIER, "1", "0", MONTH, MONTH) for table in MONEY_TABLES]


def timezone_differs(book: Book) -> list[Row]:
    book.connection.execute(
        "UPDATE book_settings SET value = 'Europe/Berlin' WHERE name = 'timezone'"
    )
    return [("Europe/Berlin", "UTC")]


def unknown_deployment(book: Book) -> list[Row]:
    tables = ("akash_deployments", "arweave_uploads", "deployment_costs")
    return _unknown(book, "deployment_id", tables)


def unknown_load(book: Book) -> list[Row]:
    found: list[Row] = []
    for table in BY_NAME:
        home = BY_NAME[table]
        load = book.put_unrecorded(
            table, **({"token": "AKT"} if home.name == "token_prices" else {})
        )
        key = "AKT" if table == "token_prices" else f"k{load}"
        key = str(load) if home.numbered else key
        found.append((table, key, "s", f"k{load}", str(load)))
    return found


def unknown_node(book: Book) -> list[Row]:
    return _unknown(book, "node_id", NODE_TABLES)


def unknown_project(book: Book) -> list[Row]:
    return _unknown(book, "project_id", sorted((*NODE_TABLES, "marketplace_revenue")))


def _unknown(book: Book, column: str, tables: tuple[str, ...] | list[str]) -> list[Row]:
    for table in tables:
        book.put(table, **{column: "ghost"})
        book.put(table, **{column: "ghost"})
    return [("ghost", table, "2") for table in tables]


def unpriced(book: Book) -> list[Row]:
    found: list[Row] = []
    unknown = {"amount_usd": None, "token": "XMR", "token_amount": 1}
    for table in MONEY_TABLES:
        gross = {"gross_amount_usd": None} if table == "node_earnings" else {}
        time = str(BY_NAME[table].time)
        first = book.put(table, **unknown, **gross, **{time: EARLIER})
        last = book.put(table, **unknown, **gross)
        found.append((table, "XMR", "2", EARLIER, MONTH, str(first), str(last)))
    used = {"model": "m", "output_tokens": 1}
    first = book.put("communication_log", **used, sent_at=EARLIER)
    last = book.put("communication_log", **used)
    found.append(("communication_log", "m", "2", EARLIER, MONTH, str(first), str(last)))
    # no tokens, a known cost
    book.put("communication_log", model="m", output_tokens=0)
    book.put("communication_log", **used, cost_usd=0)
    return found


CASES: dict[str, Callable[[Book], list[Row]]] = {
    case.__name__: case
    for case in (
        backup_cost_differs,
        backup_needs_lost,
        deducted_above_costs,
        duplicate_fact,
        earning_does_not_add_up,
        history_out_of_order,
        instant_in_future,
        load_rows_differ,
        message_cost_differs,
        paid_before_due,
        paid_without_date,
        stale_price,
        timezone_differs,
        unknown_deployment,
        unknown_load,
        unknown_node,
        unknown_project,
        unknown_session,
        unpriced,
        work_ended_without_end,
        work_ends_before_it_begins,
        work_intervals_differ,
        work_metrics_differ,
    )
}
NAMES = [check.name for check in sql.checks()]
DERIVED = ("work_intervals_differ", "work_metrics_differ")


def test_every_check_has_a_case_and_every_case_a_check() -> None:
    assert sorted(CASES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_clean_book_passes(book: Book, name: str) -> None:
    assert book.offending(name) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_book_fails_this_check_alone(book: Book, name: str) -> None:
    expected = CASES[name](book)
    if name not in DERIVED:
        rollup(book.connection)
    assert sorted(book.offending(name), key=str) == sorted(expected, key=str)
    assert [other for other in NAMES if other != name and book.offending(other)] == []
