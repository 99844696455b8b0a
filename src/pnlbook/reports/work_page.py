"""The parts of the work report in marimo: messages, controls and tables to search."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import marimo as mo
import polars as pl

from pnlbook.reports import nodes, page, work_charts, work_tables
from pnlbook.reports.backup_words import cost, seconds
from pnlbook.reports.figures import money, percent
from pnlbook.reports.work_charts import HUNDRED
from pnlbook.reports.work_lanes import lanes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pnlbook.reports.filters import WorkFilters
    from pnlbook.reports.work import Timeline

SAME_LINES = "In part the lines of edits once more, so the two are never added up."
_NO_HOURS = "No hours are known."
_MINUTES = "%Y-%m-%d %H:%M"
_IDLE = {"no time": 0, "1 minute": 60, "5 minutes": 300, "15 minutes": 900, "1 hour": 3600}
_CLASSES = {
    "tool_errors": "tool",
    "exit_code_errors": "exit code",
    "hook_blocks": "hook block",
    "user_rejects": "rejected by a person",
    "timeouts": "timeout",
    "api_errors": "API",
    "other_errors": "other",
}


def how_to_load() -> mo.Html:
    """Return what to do with a book that knows of no work."""
    words = mo.md(
        """
        Load logs of agents, histories of repositories or files of sessions, then reload this page:

        ```
        pnlbook load claude-code
        pnlbook load codex
        pnlbook load git:path/to/repository
        pnlbook load work_sessions.csv
        ```

        `pnlbook load --help` tells which logs and files are understood;
        `pnlbook demo` makes a book filled with sample data.
        """
    )
    return page.instead(page.section("No work in this book yet", words))


def idle_choice(chosen: int) -> mo.ui.dropdown:
    """Return how long waiting for a person may last to count, in seconds by label."""
    options = dict(_IDLE)
    if chosen not in options.values():
        options[f"{chosen:,} seconds"] = chosen
    label = next(label for label, value in options.items() if value == chosen)
    return mo.ui.dropdown(options, label, label="Waiting counts up to")


def grain_table(
    frame: pl.DataFrame,
    what: nodes.What,
    opened: str | None,
    on_open: Callable[[str | None], None],
) -> mo.ui.table:
    """Return hours and earnings by node or project; `on_open` gets `node:KEY` or `project:KEY`."""
    kind, _, key = (opened or "").partition(":")
    selected = nodes.position(frame, key) if kind == what else []
    columns = {
        "key": what + ":" + pl.col("key"),
        what.capitalize(): pl.col("label"),
        "Sessions": pl.col("total_sessions"),
        "Session h": pl.col("session_hours"),
        "Wall h": pl.col("wall_hours"),
        "Agent h": pl.col("agent_hours"),
        "Earned / session h": pl.col("revenue_per_session_hour"),
        "Profit / session h": pl.col("profit_per_session_hour"),
        "Profit / wall h": pl.col("profit_per_wall_hour"),
        "Profit / agent h": pl.col("profit_per_agent_hour"),
        "Tasks": pl.col("total_tasks"),
        "Success": pl.col("task_success_rate_pct"),
    }
    for name, column in (
        ("Time unknown", "sessions_without_time"),
        ("No price", "unpriced_rows"),
    ):
        if frame[column].sum():
            columns[name] = pl.col(column)
    money_columns = [name for name in columns if name.endswith(" h")]
    forms = dict.fromkeys(money_columns, money) | {"Success": percent}
    return page.open_table(frame.select(**columns), forms, selected, on_open)


def grain_charts(
    frame: pl.DataFrame, what: nodes.What, on_open: Callable[[str | None], None]
) -> tuple[object, object]:
    """Return the hours and what one of them earned; a click on a bar opens what it is of."""
    if work_charts.worked(frame).is_empty():
        return _NO_HOURS, _NO_HOURS
    hours, earned = (
        page.pickable(
            work_charts.groups_chart(frame, figures, what=what.capitalize()),
            lambda key: on_open(f"{what}:{key}" if key is not None else None),
        )
        for figures in (work_charts.HOURS, work_charts.EARNED)
    )
    return hours, earned


def grain_files(frame: pl.DataFrame, what: nodes.What, filters: WorkFilters) -> list[mo.download]:
    """Return the downloads of hours and earnings by node or project."""
    return [
        *page.table_files(f"{what}s", frame.drop("key", "label"), filters),
        *(
            page.picture_file(
                f"{what} {name}",
                f"{figures.title} by {what}",
                partial(work_charts.groups_chart, frame, figures, what=what.capitalize()),
                filters,
            )
            for name, figures in (("hours", work_charts.HOURS), ("earnings", work_charts.EARNED))
        ),
    ]


def sessions_table(sessions: pl.DataFrame) -> mo.ui.table:
    """Return the rows of session_list to search and sort."""
    shown = sessions.select(
        pl.col("started_at").dt.to_string(_MINUTES).alias("Began"),
        pl.col("session_hours").alias("Session h"),
        pl.col("agent_hours").alias("Agent h"),
        _label("node"),
        _label("project"),
        pl.col("status").str.replace_all("_", " ").fill_null("").alias("Status"),
        pl.col("subagents").alias("Subagents"),
        pl.col("tasks").alias("Tasks"),
        pl.col("tool_invocations").alias("Tools"),
        pl.col("tool_failures").alias("Failed tools"),
        pl.col("errors").alias("Errors"),
        pl.col("model_cost_usd").alias("Model cost"),
        pl.when("at_least").then(pl.lit("at least")).otherwise(pl.lit("")).alias("Bound"),
        pl.col("agent").fill_null("").alias("Agent"),
        pl.col("session_id").alias("Session"),
    )
    return page.data_table(
        shown,
        {"Session h": money, "Agent h": money, "Model cost": cost},
        selection=None,
    )


def hours_table(hours: pl.DataFrame) -> mo.ui.table:
    """Return the rows of work_profit with known hours: net profit per hour of each kind."""
    kinds = ("session", "wall", "agent")
    columns = {
        "Node": pl.col("label"),
        **{f"{kind.capitalize()} h": pl.col(f"{kind}_hours") for kind in kinds},
        **{f"Profit / {kind} h": pl.col(f"profit_per_{kind}_hour") for kind in kinds},
    }
    if hours["unpriced_rows"].sum():
        columns["No price"] = pl.col("unpriced_rows")
    forms = dict.fromkeys((name for name in columns if name.endswith(" h")), money)
    return page.data_table(hours.select(**columns), forms, selection=None)


def tools_table(tools: pl.DataFrame) -> mo.ui.table:
    """Return the rows of tool_success, told by their failures, to search and sort."""
    classes = [name for name in _CLASSES if tools[name].sum()]
    shown = tools.select(
        pl.col("tool_name").alias("Tool"),
        pl.col("invocations").alias("Uses"),
        pl.col("failures").alias("Failed"),
        (HUNDRED - pl.col("success_rate_pct")).alias("Failure rate"),
        (HUNDRED - pl.col("success_rate_high_pct")).alias("At least"),
        (HUNDRED - pl.col("success_rate_low_pct")).alias("At most"),
        pl.col("outcomes_unknown").alias("Outcome unknown"),
        *(pl.col(name).alias(f"Failed: {_CLASSES[name]}") for name in classes),
        (pl.col("median_duration_ms") / 1000).alias("Median time"),
        (pl.col("p95_duration_ms") / 1000).alias("95 % within"),
    )
    forms = dict.fromkeys(("Failure rate", "At least", "At most"), percent)
    return page.data_table(
        shown, forms | dict.fromkeys(("Median time", "95 % within"), seconds), selection=None
    )


def tools(rows: pl.DataFrame, table: mo.ui.table) -> object:
    """Return the rates of failure above the table of tools, or that no tool was used."""
    if rows.is_empty():
        return "No use of a tool is known."
    if rows["success_rate_pct"].is_null().all():
        return table  # of none is it known whether it succeeded
    return mo.vstack([work_charts.tools_chart(rows), table])


def resolution(rows: pl.DataFrame) -> str:
    """Return how failures were resolved, or that there is none to tell of."""
    if rows.is_empty():
        return "No failure of a tool on a file or command is known."
    return work_tables.resolution_table(rows)


def models(rows: pl.DataFrame, chart: object) -> object:
    """Return what models cost, with a chart where it is anything, or that none was asked."""
    if rows.is_empty():
        return "No message of a model is known."
    table = mo.Html(work_tables.models_table(rows))
    return mo.vstack([chart, table]) if work_charts.model_bars(rows) else table


def lines(activity: pl.DataFrame, source: str, *, per_hour: bool = False) -> object:
    """Return the lines of one source, or that there are none; per_hour as in the table."""
    if activity.is_empty():
        return "None are known."
    table = mo.Html(work_tables.lines_table(activity, source, per_hour=per_hour))
    return mo.vstack([work_charts.lines_chart(activity), table])


def patterns_table(patterns: pl.DataFrame) -> mo.ui.table:
    """Return the rows of error_patterns to search and sort."""
    shown = patterns.select(
        pl.col("error_class").str.replace_all("_", " ").fill_null("not known").alias("Class"),
        pl.col("tool_name").fill_null("").alias("Tool"),
        pl.coalesce("error_message", "error_type").alias("Error"),
        pl.col("errors").alias("Errors"),
        pl.col("share_pct").alias("Share"),
        pl.col("sessions").alias("Sessions"),
        pl.col("resolved").alias("Resolved"),
        pl.col("unresolved").alias("Unresolved"),
        pl.col("resolution_unknown").alias("Not known"),
        pl.col("last_at").dt.to_string(_MINUTES).alias("Last"),
    )
    return page.data_table(shown, {"Share": percent}, selection=None, wrapped_columns=["Error"])


def timeline(title: str, shown: Timeline, chart: object, timezone: str) -> mo.Html:
    """Return a timeline under its heading, which says how much of it is drawn."""
    if shown.intervals.is_empty():
        return page.section(title, "Nothing is known of when it was.")
    note = work_tables.timeline_note(lanes(shown.intervals), shown, timezone)
    return page.section(title, chart, note)


def _label(what: str) -> pl.Expr:
    """Return the name of a node or project, the id of one that the book does not know."""
    unknown = pl.col(f"{what}_name") == "unattributed"
    id_ = pl.col(f"{what}_id").fill_null("")
    return pl.when(unknown).then(id_).otherwise(f"{what}_name").alias(what.capitalize())
