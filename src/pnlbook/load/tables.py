"""The tables that can be loaded: keys, instants, amounts, and other names of their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pnlbook.book import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

LINEAGE = ("source", "source_key", "source_line", "load_id")
# The tables that intervals and days of work are made of; the rows of a log go to all of them.
WORK = (
    "work_sessions",
    "work_tasks",
    "file_changes",
    "tool_usage",
    "communication_log",
    "error_log",
)
WORK_LOG = "work log"  # what `loads` says of a log
_NODE = ("node", "agent", "agent_id", "worker", "worker_id", "miner")
_PROJECT = ("project", "job", "job_id")
_USD = ("usd", "amount_in_usd", "usd_amount", "value_usd")
_TOKEN = {"token": ("currency", "coin", "asset"), "token_amount": ("quantity", "amount_token")}
_WORK = {"node_id": _NODE, "project_id": _PROJECT, "session_id": ("session",), "task_id": ("task",)}


@dataclass(frozen=True)
class Table:
    """A table that can be loaded.

    key: the columns that identify a row; numbered: the book numbers rows by `id_column` itself, and
    a file's column of that name is the row's key in its source. required: columns a file must give
    (one of each group). aliases: other names that files use for a column. made: columns that no
    file gives, for the book makes them, with the columns that a load makes them of.
    """

    name: str
    id_column: str
    key: tuple[str, ...]
    time: str | None
    required: tuple[tuple[str, ...], ...]
    amount: str | None = None
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    made: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def numbered(self) -> bool:
        """Whether the book numbers the rows itself."""
        return self.key == ("source", "source_key")

    def gives(self, column: str) -> bool:
        """Whether a file may give a column of that name."""
        return column not in LINEAGE and column not in self.made

    @property
    def history(self) -> str:
        """Name of the table of replaced versions."""
        return f"{self.name}_history"


@dataclass(frozen=True)
class Column:
    """A column of the schema; `default` is an SQL expression."""

    name: str
    type: str
    required: bool
    default: str | None


@dataclass(frozen=True)
class Rule:
    """A CHECK of the schema; `choices` when it is a list of the values that `column` may have."""

    expression: str
    column: str | None
    choices: tuple[str, ...]


def _fact(
    name: str,
    id_column: str,
    time: str,
    *required: tuple[str, ...],
    amount: str | None = None,
    aliases: Mapping[str, tuple[str, ...]],
) -> Table:
    key = ("source", "source_key")
    names = {id_column: ("id", "key", "reference"), **aliases}
    return Table(name, id_column, key, time, ((time,), *required), amount, names)


def _entity(
    name: str,
    id_column: str,
    time: str | None,
    *required: tuple[str, ...],
    aliases: Mapping[str, tuple[str, ...]],
) -> Table:
    return Table(name, id_column, (id_column,), time, ((id_column,), *required), None, aliases)


_MONEY = ("amount_usd", "token_amount")
_RATES = (
    "input_usd_per_mtok",
    "cache_read_usd_per_mtok",
    "cache_write_5m_usd_per_mtok",
    "cache_write_1h_usd_per_mtok",
    "output_usd_per_mtok",
)
TABLES: tuple[Table, ...] = (
    Table(
        "token_prices",
        "token",
        ("token", "priced_at"),
        "priced_at",
        (("token",), ("priced_at",), ("price_usd",)),
        aliases={"priced_at": ("date", "time", "timestamp"), "price_usd": ("price", "close")},
    ),
    Table(
        "model_prices",
        "price_id",
        ("price_id",),
        None,
        (("model",), _RATES),
        aliases={"model": ("model_name", "model_id"), "valid_from": ("since", "from")},
        made={"price_id": ("model", "valid_from", "from_input_tokens")},
    ),
    _entity("nodes", "node_id", None, aliases={"node_name": ("name",), "node_type": ("type",)}),
    _entity("projects", "project_id", None, aliases={"project_name": ("name",)}),
    _entity(
        "deployments",
        "deployment_id",
        "deployed_at",
        aliases={"node_id": _NODE, "project_id": _PROJECT, "deployment_type": ("type",)},
    ),
    _fact(
        "deployment_costs",
        "cost_id",
        "incurred_at",
        _MONEY,
        amount="amount_usd",
        aliases={
            "node_id": _NODE,
            "project_id": _PROJECT,
            "amount_usd": (*_USD, "cost_usd", "cost"),
            "incurred_at": ("incurred", "charged_at"),
            "category": ("cost_type", "cost_category"),
            "payment_status": ("status",),
            **_TOKEN,
        },
    ),
    _entity(
        "arweave_uploads",
        "upload_id",
        "uploaded_at",
        ("uploaded_at",),
        aliases={"size_bytes": ("size", "bytes")},
    ),
    _entity("akash_deployments", "akash_id", "started_at", ("started_at",), aliases={}),
    _fact(
        "node_earnings",
        "earning_id",
        "earned_at",
        ("amount_usd", "gross_amount_usd", "token_amount"),
        ("payment_type",),
        ("payment_status",),
        amount="amount_usd",
        aliases={
            "node_id": _NODE,
            "project_id": _PROJECT,
            "amount_usd": (*_USD, "earnings_usd", "earned_usd"),
            "gross_amount_usd": ("gross_usd", "gross"),
            "earned_at": ("earned",),
            "paid_at": ("paid",),
            "payment_status": ("status",),
            **_TOKEN,
        },
    ),
    _fact(
        "marketplace_revenue",
        "revenue_id",
        "collected_at",
        _MONEY,
        ("fee_type",),
        amount="amount_usd",
        aliases={
            "project_id": _PROJECT,
            "amount_usd": (*_USD, "fee_usd"),
            "fee_percentage": ("fee_percent", "fee_pct"),
            **_TOKEN,
        },
    ),
    _fact(
        "subscription_revenue",
        "revenue_id",
        "billed_at",
        _MONEY,
        amount="amount_usd",
        aliases={"amount_usd": _USD, "subscription_id": ("subscription",), **_TOKEN},
    ),
    _entity("work_sessions", "session_id", "started_at", ("started_at",), aliases=_WORK),
    _entity(
        "work_tasks",
        "task_id",
        "started_at",
        ("task_name", "task_type"),
        ("started_at",),
        aliases={**_WORK, "task_id": ()},
    ),
    _fact(
        "file_changes",
        "change_id",
        "changed_at",
        ("file_path",),
        ("change_type",),
        aliases={**_WORK, "file_path": ("path", "file")},
    ),
    _fact(
        "tool_usage",
        "usage_id",
        "used_at",
        ("tool_name",),
        aliases={**_WORK, "tool_name": ("tool",)},
    ),
    Table(
        "communication_log",
        "message_id",
        ("message_id",),
        "sent_at",
        (("message_id",), ("role",), ("sent_at",)),
        aliases=_WORK,
        made={"price_id": ()},
    ),
    _fact(
        "error_log",
        "error_id",
        "occurred_at",
        ("error_type",),
        aliases={**_WORK, "error_message": ("message",)},
    ),
)
BY_NAME = {table.name: table for table in TABLES}


@dataclass(frozen=True)
class Schema:
    """Columns and CHECKs of every table, as a book has them."""

    columns: Mapping[str, tuple[Column, ...]]
    rules: Mapping[str, tuple[Rule, ...]]


def read_schema(connection: duckdb.DuckDBPyConnection) -> Schema:
    """Read the schema of the book that is the default database of `connection`."""
    columns: dict[str, list[Column]] = {}
    for table, *rest in run(
        connection,
        "SELECT table_name, column_name, data_type, NOT is_nullable, column_default "
        "FROM duckdb_columns() WHERE NOT internal AND database_name = current_database() "
        "ORDER BY table_name, column_index",
    ):
        columns.setdefault(table, []).append(Column(*rest))
    rules: dict[str, list[Rule]] = {table: [] for table in columns}
    for table, expression in run(
        connection,
        "SELECT table_name, expression FROM duckdb_constraints() "
        "WHERE constraint_type = 'CHECK' AND database_name = current_database() "
        "ORDER BY table_name, constraint_index",
    ):
        rules[table].append(_rule(expression))
    return Schema(
        {table: tuple(found) for table, found in columns.items()},
        {table: tuple(found) for table, found in rules.items()},
    )


def _rule(expression: str) -> Rule:
    choice = re.fullmatch(r"""\(*"?(\w+)"? IN \((.+?)\)\)*""", expression)
    if choice is None:
        return Rule(expression, None, ())
    return Rule(expression, choice.group(1), tuple(re.findall(r"'([^']*)'", choice.group(2))))
