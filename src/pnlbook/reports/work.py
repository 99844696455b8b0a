"""The figures of the work report: answers of macros, all from the same state of the book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from pnlbook.reports import nodes
from pnlbook.reports.memory import remembered
from pnlbook.reports.overview import month_end, read_overview
from pnlbook.reports.query import Call
from pnlbook.reports.statement import period_label

if TYPE_CHECKING:
    from datetime import date

    from pnlbook.reports.filters import Filters, Range, WorkFilters
    from pnlbook.reports.overview import Overview
    from pnlbook.reports.query import Arguments, Reader, Source

# By grain: the macro of what was done and the one of what it earned.
_GRAINS: dict[nodes.What, tuple[str, str]] = {
    "node": ("node_productivity", "work_profit"),
    "project": ("project_work", "project_work_profit"),
}
MOST_INTERVALS = 5000  # newest first, of all that a timeline may draw
_PERIODS = "SELECT period_before($1, $2) AS since, instant($1) AS until"


@dataclass(frozen=True)
class Comparison:
    """The figures of a period and of the one before it; name is empty for the whole range."""

    name: str
    now: dict[str, Any]
    before: dict[str, Any]


@dataclass(frozen=True)
class Timeline:
    """The newest intervals of a range, newest first, and how many sessions all of them are of."""

    intervals: pl.DataFrame
    sessions: int


@dataclass(frozen=True)
class Work:
    """What the macros say about the work of a range.

    figures: the row of work_figures; nodes, projects: node_productivity with work_profit and
    project_work with project_work_profit, most session hours first; resolution: error_resolution
    in all, then by class; the other frames are the answers of the macros of those names.
    """

    figures: dict[str, Any]
    comparison: Comparison | None
    timeline: Timeline
    sessions: pl.DataFrame
    nodes: pl.DataFrame
    projects: pl.DataFrame
    tools: pl.DataFrame
    resolution: pl.DataFrame
    patterns: pl.DataFrame
    models: pl.DataFrame
    activity: pl.DataFrame

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was done in the range."""
        frames = (self.sessions, self.tools, self.patterns, self.models, self.activity)
        timed = self.timeline.intervals
        return all(frame.is_empty() for frame in (*frames, timed)) and not self.figures["tasks"]


@dataclass(frozen=True)
class Opened:
    """A node or a project with its sessions, newest first."""

    label: str
    timeline: Timeline
    sessions: pl.DataFrame


@remembered
def read_work_overview(source: Source) -> Overview:
    """Read the overview of a book, bounded by the months with work instead of those with facts."""
    with source.reader() as reader:
        days = reader.call(Call("work_days", {})).row(0, named=True)
    first, last = days["first_day"], days["last_day"]
    return replace(
        read_overview(source),
        first=first.replace(day=1) if first else None,
        last=month_end(last) if last else None,
    )


@remembered
def read_work(source: Source, filters: WorkFilters, begins: date) -> Work:
    """Read everything that the filters ask for; begins: the first day of the book's work."""
    within = _within(filters)
    timed = {**within, "idle_seconds": filters.idle}
    with source.reader() as reader:
        figures = _figures(reader, timed)
        return Work(
            figures=figures,
            comparison=_comparison(reader, filters, begins, figures),
            timeline=_timeline(reader, timed),
            sessions=reader.call(Call("session_list", timed)),
            nodes=_by(reader, "node", timed),
            projects=_by(reader, "project", timed),
            tools=reader.call(Call("tool_success", within)),
            resolution=_resolution(reader, within),
            patterns=reader.call(Call("error_patterns", within)),
            models=reader.call(Call("model_costs", within)),
            activity=reader.call(Call("lines_activity", timed)),
        )


@remembered
def read_opened(source: Source, opened: str, filters: WorkFilters) -> Opened | None:
    """Read the sessions of a node or project, `node:ID` or `project:ID`; None of anything else."""
    what, _, key = opened.partition(":")
    if what not in _GRAINS or not key:
        return None
    id_ = None if key == nodes.WITHOUT_NODE else key
    timed = {**_within(filters), "idle_seconds": filters.idle}
    if id_ is not None:
        timed[what] = id_
    with source.reader() as reader:
        sessions = reader.call(Call("session_list", timed))
        if id_ is None:
            # The macros have no filter for what has no node, so it is picked out.
            sessions = sessions.filter(pl.col(f"{what}_id").is_null())
            timeline = _timeline(reader, timed, f"WHERE {what}_id IS NULL")
        else:
            timeline = _timeline(reader, timed)
    return Opened(_label(sessions, what, id_), timeline, sessions)


@remembered
def read_profit_hours(source: Source, filters: Filters) -> pl.DataFrame:
    """Return the rows of work_profit with known hours; none where the book has no hours at all."""
    call = Call("work_profit", {**_within(filters), "basis": filters.basis})
    with source.reader() as reader:
        if not reader.rows("SELECT 1 FROM work_intervals LIMIT 1").height:
            return pl.DataFrame()
        return nodes.named(reader.call(call).filter(pl.col("session_hours") > 0))


def _within(filters: Range) -> Arguments:
    return {
        "since": filters.first,
        "until": filters.until,
        "node": filters.node,
        "project": filters.project,
    }


def _figures(reader: Reader, arguments: Arguments) -> dict[str, Any]:
    return reader.call(Call("work_figures", arguments)).row(0, named=True)


def _comparison(
    reader: Reader, filters: WorkFilters, begins: date, figures: dict[str, Any]
) -> Comparison | None:
    """Compare the range, of these figures, with the period before; if none, its last month."""
    since, until, name = filters.first, filters.until, ""
    if since is None or until is None or filters.last is None:
        return None
    timed = {**_within(filters), "idle_seconds": filters.idle}
    if since <= begins:
        month = filters.last.replace(day=1)
        if month <= since:
            return None
        since, name = month, period_label(month, "month")
        figures = _figures(reader, {**timed, "since": since, "until": until})
    before = reader.rows(_PERIODS, [since, until]).row(0, named=True)
    return Comparison(name, figures, _figures(reader, {**timed, **before}))


def _timeline(reader: Reader, arguments: Arguments, where: str = "") -> Timeline:
    call = Call("session_timeline", arguments)
    newest = (
        f"{call.sql} {where} ORDER BY started_at DESC, session_id, agent_id LIMIT {MOST_INTERVALS}"
    )
    number = f"SELECT count(DISTINCT session_id) AS sessions {call.sql} {where}"
    return Timeline(
        reader.rows(newest, call.parameters),
        reader.rows(number, call.parameters)["sessions"][0],
    )


def _by(reader: Reader, what: nodes.What, arguments: Arguments) -> pl.DataFrame:
    """Return what was done and what it earned, a row for each node or project."""
    done, earned = (reader.call(Call(macro, arguments)) for macro in _GRAINS[what])
    id_ = f"{what}_id"
    new = [name for name in earned.columns if name not in done.columns]
    both = done.join(earned.select(id_, *new), on=id_, how="left", nulls_equal=True)
    return nodes.named(both, what).sort(
        "session_hours", "total_sessions", descending=True, nulls_last=True, maintain_order=True
    )


def _resolution(reader: Reader, within: Arguments) -> pl.DataFrame:
    return pl.concat(
        reader.call(Call("error_resolution", {**within, "by_class": by_class}))
        for by_class in (False, True)
    )


def _label(sessions: pl.DataFrame, what: str, id_: str | None) -> str:
    if id_ is None:
        return f"what has no {what}"
    names = sessions.filter(pl.col(f"{what}_id") == id_)[f"{what}_name"].unique().to_list()
    return next((name for name in names if name != "unattributed"), f"unattributed ({id_})")
