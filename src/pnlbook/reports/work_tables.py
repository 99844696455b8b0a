"""The work report in tiles and tables, as HTML that a screen reader can follow."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from pnlbook.reports.backup_words import cost, seconds
from pnlbook.reports.figures import NO_DATA, count, money, percent, signed_money
from pnlbook.reports.tables import arrow, html_row, html_table, incomplete, mark, tile
from pnlbook.reports.work_charts import at_least, class_label, model_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import polars as pl

    from pnlbook.reports.work import Comparison, Timeline, Work
    from pnlbook.reports.work_lanes import Lanes

_TOKENS = {
    "Input, not cached": "input_tokens",
    "Cache read": "cache_read_tokens",
    "Cache write 5 min": "cache_write_5m_tokens",
    "Cache write 1 h": "cache_write_1h_tokens",
    "Output": "output_tokens",
}
_LINES = ("Class of file", "Changes", "Files", "Lines added", "Lines deleted", "Without lines")
_LINES_PER_HOUR = ("Added per session hour", "Deleted per session hour")


def key_figures(work: Work) -> str:
    """Return the hours, what one of them earned, tasks and model costs as tiles."""
    row, since = work.figures, work.comparison
    unpriced = incomplete(row["unpriced_rows"])
    timeless = row["sessions_without_time"]
    tiles = [
        tile("Session hours", money(row["session_hours"]), _change(since, "session_hours"), "h"),
        tile("Wall hours", money(row["wall_hours"]), _change(since, "wall_hours"), "h"),
        tile("Agent hours", money(row["agent_hours"]), _change(since, "agent_hours"), "h"),
        tile(
            "Sessions",
            f"{row['sessions']:,}",
            _change(since, "sessions", _number),
            marks=mark(f"{timeless:,} without a known time, in no hours") if timeless else "",
        ),
        tile(
            "Earnings per session hour",
            money(row["revenue_per_session_hour"]),
            _others(row, "revenue") + _left_out(row) + _change(since, "revenue_per_session_hour"),
            "USD",
            unpriced,
        ),
        tile(
            "Profit per session hour",
            money(row["profit_per_session_hour"]),
            _others(row, "profit") + _change(since, "profit_per_session_hour"),
            "USD",
            unpriced,
        ),
        tile("Tasks", f"{row['tasks']:,}", _success(row) + _change(since, "tasks", _number)),
        tile(
            "Model cost, at least" if row["at_least"] else "Model cost",
            cost(row["model_cost_usd"]),
            _change(since, "model_cost_usd", cost),
            "USD",
            "<br>".join(mark(reason) for reason in lower_bound(row)),
        ),
    ]
    return f'<dl class="pnl-tiles">{"".join(tiles)}</dl>'


def lower_bound(row: dict[str, Any]) -> list[str]:
    """Return why tokens and costs of models are only at least so many."""
    reasons = {
        "messages_not_final": "not final",
        "unpriced_messages": "without a price",
        "messages_without_tokens": "without tokens",
    }
    return [
        f"{count(row[name], 'message')} {reason}" for name, reason in reasons.items() if row[name]
    ]


def timeline_note(drawn: Lanes, timeline: Timeline, timezone: str) -> str:
    """Return how much of a timeline is drawn, and on which clock."""
    if drawn.sessions < timeline.sessions:
        shown = f"the newest {drawn.sessions:,} of {count(timeline.sessions, 'session')}"
    else:
        shown = count(timeline.sessions, "session")
    return f"{shown}, a lane for each day and subagent; times in {escape(timezone)}"


def resolution_table(resolution: pl.DataFrame) -> str:
    """Return the rows of error_resolution, in all and by class of error."""
    body = "".join(
        html_row(
            "All" if at == 0 else _class(row["error_class"]),
            [
                f"{row['episodes']:,}",
                f"{row['failures']:,}",
                f"{row['resolved']:,}",
                f"{row['unresolved']:,}",
                percent(row["unresolved_pct"]),
                seconds(row["median_seconds"]),
            ],
            "pnl-sum" if at == 0 else "",
        )
        for at, row in enumerate(resolution.iter_rows(named=True))
    )
    heads = (
        "Class of error",
        "Failing things",
        "Failures",
        "Resolved",
        "Unresolved",
        "Share unresolved",
        "Median time to resolve",
    )
    return html_table(
        "From a tool's first failure on a file or command to its next success in the session",
        _heads(heads),
        body,
    )


def models_table(models: pl.DataFrame) -> str:
    """Return the tokens of each kind and their cost by model."""
    body = "".join(
        html_row(
            model_label(row["model"]),
            [
                f"{row['messages']:,}",
                *(_number(row[column]) for column in _TOKENS.values()),
                at_least(row),
                escape(row["cost_basis"] or NO_DATA),
                "<br>".join(mark(reason) for reason in lower_bound(row)),
            ],
        )
        for row in models.iter_rows(named=True)
    )
    heads = ("Model", "Messages", *_TOKENS, "Cost", "Basis", "At least, because of")
    return html_table("Tokens of each kind and their cost in USD by model", _heads(heads), body)


def lines_table(activity: pl.DataFrame, source: str, *, per_hour: bool) -> str:
    """Return the lines of one source by class of file; the two sources hold the same lines.

    per_hour: whether the hours of sessions are those of the lines.
    """
    body = "".join(
        html_row(class_label(row["file_class"]), _lines(row, per_hour=per_hour))
        for row in activity.iter_rows(named=True)
    )
    heads = _LINES + (_LINES_PER_HOUR if per_hour else ())
    return html_table(f"{source}, by class of file", _heads(heads), body)


def _change(
    since: Comparison | None,
    column: str,
    told: Callable[[Any], str] = money,
) -> str:
    """Return the change on the period before, empty where nothing is known of one."""
    if since is None or since.before[column] is None:
        return ""
    now, before = since.now[column], since.before[column]
    if now == before == 0:
        return ""
    head = f"{since.name}: {told(now)}<br>" if since.name else ""
    if now is None:
        return f"{head}before: {told(before)}"
    change = now - before
    words = signed_money(change) if told is money else ("+" if change > 0 else "") + told(change)
    return f"{head}{arrow(change)} {words} from {told(before)}"


def _others(row: dict[str, Any], what: str) -> str:
    per = {kind: row[f"{what}_per_{kind}_hour"] for kind in ("wall", "agent")}
    return "".join(
        f"{money(amount)} per {kind} hour<br>" for kind, amount in per.items() if amount is not None
    )


def _left_out(row: dict[str, Any]) -> str:
    other = row["revenue_without_hours_usd"]
    return f"{money(other)} of nodes without hours left out<br>" if other else ""


def _success(row: dict[str, Any]) -> str:
    known = row["tasks_succeeded"] + row["tasks_failed"]
    if not known:
        return "not known whether they succeeded<br>" if row["tasks"] else ""
    of = f" of the {known:,} known" if known < row["tasks"] else ""
    return f"{percent(row['task_success_rate_pct'])}{of} succeeded<br>"


def _lines(row: dict[str, Any], *, per_hour: bool) -> list[str]:
    columns = ("changes", "files", "lines_added", "lines_deleted", "changes_without_lines")
    hourly = ("lines_added_per_session_hour", "lines_deleted_per_session_hour")
    return [
        *(_number(row[column]) for column in columns),
        *(money(row[column]) for column in hourly if per_hour),
    ]


def _number(value: int | None) -> str:
    return NO_DATA if value is None else f"{value:,}".replace("-", "\N{MINUS SIGN}")


def _class(error_class: str | None) -> str:
    return "not known" if error_class is None else error_class.replace("_", " ")


def _heads(names: Sequence[str] | Iterable[str]) -> str:
    return "".join(f'<th scope="col">{name}</th>' for name in names)
