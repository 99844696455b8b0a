"""The sample book reproduces the published tables to the cent, and its script its files."""

from __future__ import annotations

import csv
import json
import runpy
from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from pnlbook import migrate
from pnlbook.book import open_book, run
from pnlbook.load import LoadOptions, load

pytestmark = pytest.mark.core

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
NODES = {
    "alex-architect-ai": ("Alex the Architect", "5000.00", "280.00", "4720.00", "94.40"),
    "betty-backend-ai": ("Betty Backend Bot", "3200.00", "195.00", "3005.00", "93.91"),
}
MONTHS = {
    "2025-10": ("45000.00", "2100.00", "42900.00", "95.33"),
    "2025-09": ("38500.00", "1950.00", "36550.00", "94.94"),
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "book.duckdb"
    migrate.create(path)
    load(path, [str(SAMPLE)], LoadOptions())
    return path


def rows(book: Path, statement: str) -> list[tuple[Any, ...]]:
    with open_book(book) as connection:
        return run(connection, statement)


def read(name: str) -> list[dict[str, str]]:
    path = SAMPLE / name
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if path.suffix == ".json":
        found: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def percent(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole * 100).quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize("node", NODES)
def test_node_table(node: str, book: Path) -> None:
    name, revenue, costs, net, margin = NODES[node]
    (found,) = rows(
        book,
        "SELECT node_name, total_revenue_usd, total_costs_usd, net_profit_usd, "
        f"profit_margin_percentage FROM node_profit_summary WHERE node_id = '{node}'",
    )
    assert found == (name, Decimal(revenue), Decimal(costs), Decimal(net), Decimal(margin))


@pytest.mark.parametrize("month", MONTHS)
def test_platform_table(month: str, book: Path) -> None:
    (found,) = rows(
        book,
        "SELECT total_revenue_usd, deployment_costs_usd, net_profit_usd, profit_margin_pct "
        f"FROM platform_profit_summary WHERE strftime(month, '%Y-%m') = '{month}'",
    )
    assert found == tuple(Decimal(figure) for figure in MONTHS[month])


def test_tables_from_the_files_alone() -> None:
    earned: dict[str, Decimal] = defaultdict(Decimal)
    spent: dict[str, Decimal] = defaultdict(Decimal)
    revenue: dict[str, Decimal] = defaultdict(Decimal)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for row in read("node_earnings.csv"):
        if row["payment_status"] != "failed":
            earned[row["node_id"]] += Decimal(row["gross_amount_usd"])
            revenue[row["earned_at"][:7]] += Decimal(row["gross_amount_usd"])
    for row in read("deployment_costs.csv"):
        spent[row["node_id"]] += Decimal(row["amount_usd"])
        costs[row["incurred_at"][:7]] += Decimal(row["amount_usd"])
    for row in read("marketplace_revenue.csv"):
        revenue[row["collected_at"][:7]] += Decimal(row["amount_usd"])
    for row in read("subscription_revenue.json"):
        revenue[row["billed_at"][:7]] += Decimal(row["amount_usd"])
    for node, (_, in_, out, net, margin) in NODES.items():
        assert (earned[node], spent[node]) == (Decimal(in_), Decimal(out))
        assert earned[node] - spent[node] == Decimal(net)
        assert percent(earned[node] - spent[node], earned[node]) == Decimal(margin)
    assert set(revenue) == set(costs) == set(MONTHS)
    for month, (in_, out, net, margin) in MONTHS.items():
        assert (revenue[month], costs[month]) == (Decimal(in_), Decimal(out))
        assert revenue[month] - costs[month] == Decimal(net)
        assert percent(revenue[month] - costs[month], revenue[month]) == Decimal(margin)


def test_work_of_alex(book: Path) -> None:
    ((sessions, seconds, between),) = rows(
        book,
        "SELECT count(*), sum(total_duration_seconds), "
        "sum(epoch(completed_at) - epoch(started_at))::BIGINT "
        "FROM work_sessions WHERE node_id = 'alex-architect-ai'",
    )
    ((lines,),) = rows(
        book, "SELECT sum(lines_added) FROM file_changes WHERE node_id = 'alex-architect-ai'"
    )
    assert (sessions, seconds, between, lines) == (45, 67.5 * 3600, 67.5 * 3600, 12_450)
    per_hour = Decimal(5000) / (Decimal(seconds) / 3600)
    assert per_hour.quantize(Decimal("0.01"), ROUND_HALF_UP) == Decimal("74.07")


def test_productivity_and_profit_per_hour_of_alex(book: Path) -> None:
    (found,) = rows(
        book,
        "SELECT node_name, total_sessions, completed_tasks, task_success_rate_pct, "
        "total_lines_added, wall_hours, session_hours, agent_hours, lines_per_hour, "
        "earnings_usd, earnings_per_hour "
        "FROM node_productivity_summary WHERE node_id = 'alex-architect-ai'",
    )
    tasks = [task for task in read("work_tasks.jsonl") if task["node_id"] == "alex-architect-ai"]
    completed = sum(task["status"] == "completed" for task in tasks)
    succeeded = Decimal(sum(bool(task["success"]) for task in tasks))
    assert found == (
        "Alex the Architect",
        45,
        completed,
        percent(succeeded, Decimal(len(tasks))),
        12_450,
        *(Decimal("67.5"),) * 3,
        (Decimal(12_450) / Decimal("67.5")).quantize(Decimal("0.01"), ROUND_HALF_UP),
        Decimal(5000),
        Decimal("74.07"),
    )
    profit = rows(
        book,
        "SELECT net_profit_usd, profit_per_session_hour FROM work_profit() "
        "WHERE node_id = 'alex-architect-ai'",
    )
    per_hour = (Decimal(4720) / Decimal("67.5")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert profit == [(Decimal(4720), per_hour)]


def test_hours_of_all_sessions_are_those_of_the_files(book: Path) -> None:
    sessions = read("work_sessions.jsonl")
    seconds = sum(Decimal(session["total_duration_seconds"]) for session in sessions)
    minutes = {
        minute
        for session in sessions
        for begun in [datetime.fromisoformat(session["started_at"]).timestamp() // 60]
        for minute in range(int(begun), int(begun) + int(session["total_duration_seconds"]) // 60)
    }
    ((wall, total, agents),) = rows(book, "SELECT COLUMNS('_us') FROM work_hours(NULL)")
    assert (total, agents) == (seconds * 1_000_000, seconds * 1_000_000)
    assert wall == len(minutes) * 60_000_000 < total
    ((of_days,),) = rows(book, "SELECT sum(session_seconds) FROM work_metrics_daily")
    assert of_days == seconds


def test_the_settled_earning(book: Path) -> None:
    ((gross, deducted, net),) = rows(
        book,
        "SELECT gross_amount_usd, costs_deducted_usd, amount_usd FROM node_earnings "
        "WHERE project_id = 'proj-123' AND node_id = 'alex-architect-ai'",
    )
    assert (gross, deducted, net) == (Decimal("500.00"), Decimal("2.86"), Decimal("497.14"))
    costs = rows(
        book,
        "SELECT sum(amount_usd) FROM deployment_costs "
        "WHERE project_id = 'proj-123' AND node_id = 'alex-architect-ai'",
    )
    assert costs == [(Decimal("2.86"),)]


def test_nodes_and_unattributed_make_the_platform(book: Path) -> None:
    nodes = rows(
        book,
        "SELECT sum(total_revenue_usd), sum(total_costs_usd), sum(net_profit_usd) "
        "FROM node_profit()",
    )
    platform = rows(
        book,
        "SELECT sum(total_revenue_usd), sum(total_costs_usd), sum(net_profit_usd) "
        "FROM platform_profit()",
    )
    assert nodes == platform == [(Decimal(83_500), Decimal(4_050), Decimal(79_450))]


def test_the_script_writes_these_files(tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "data" / "make_sample.py"))
    script["main"].__globals__["FOLDER"] = tmp_path
    script["main"]()
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in SAMPLE.iterdir()}
