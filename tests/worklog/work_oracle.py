"""What the work macros must say, counted second by second and row by row in plain Python.

Instants are whole seconds, given as seconds from the book's `origin`. Time is a set of cells, each
a second of a stream. A function returns the rows of the macro of its name in any order, a dict a
row.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from tests import oracle
from tests.oracle import Version, percent, ratio, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Row = dict[str, Any]
Who = tuple[str | None, str | None]  # node and project
HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Fact(Version):
    """A row of work; `at`: the second it counts at."""

    at: int
    node: str | None = None
    project: str | None = None
    session: str | None = None
    agent: str | None = None

    @property
    def who(self) -> Who:
        return self.node, self.project


@dataclass(frozen=True, kw_only=True)
class Session(Fact):
    status: str = "completed"
    end: int | None = None
    duration: int | None = None


@dataclass(frozen=True, kw_only=True)
class Task(Fact):
    status: str = "completed"
    success: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Message(Fact):
    role: str = "assistant"
    end: int | None = None
    model: str | None = None
    tokens: tuple[int | None, ...] = (None,) * 5
    final: bool | None = None
    cost: Decimal | None = None
    basis: str | None = None


@dataclass(frozen=True, kw_only=True)
class Tool(Fact):
    name: str = "bash"
    subject: str | None = None
    invocations: int = 1
    successes: int | None = None
    seconds: int | None = None
    error_class: str | None = None
    waits: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Change(Fact):
    path: str = "f"
    origin: str | None = "edit"
    file_class: str | None = None
    added: int | None = None
    deleted: int | None = None


@dataclass(frozen=True, kw_only=True)
class Error(Fact):
    kind: str = "failure"
    error_class: str | None = None
    tool: str | None = None
    subject: str | None = None
    resolved: bool | None = None
    resolved_at: int | None = None


@dataclass(frozen=True)
class Book:
    """All rows of a book, replaced versions included."""

    origin: datetime
    money: oracle.Book
    sessions: tuple[Session, ...] = ()
    tasks: tuple[Task, ...] = ()
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    changes: tuple[Change, ...] = ()
    errors: tuple[Error, ...] = ()

    def instant(self, second: int) -> datetime:
        return self.origin + timedelta(seconds=second)

    def day(self, second: int) -> date:
        return self.instant(second).astimezone(ZoneInfo(self.money.zone)).date()


@dataclass(frozen=True)
class Query:
    """What the macros are asked; since, until: seconds."""

    since: int | None = None
    until: int | None = None
    as_of: int | None = None
    node: str | None = None
    project: str | None = None
    idle: int = 300

    def takes(self, second: int) -> bool:
        return (self.since is None or second >= self.since) and (
            self.until is None or second < self.until
        )

    def of(self, who: Who) -> bool:
        return self.node in {None, who[0]} and self.project in {None, who[1]}

    @property
    def of_money(self) -> oracle.Query:
        return oracle.Query(as_of=self.as_of, node=self.node, project=self.project)


F = TypeVar("F", bound=Fact)


def state(book: Book, as_of: int | None) -> Book:
    """Return the book as it was right after load as_of."""
    rows = {name: _standing(getattr(book, name), as_of) for name in FACTS}
    return with_rows(replace(book, money=oracle.state(book.money, as_of)), rows)


def with_rows(book: Book, rows: dict[str, Any]) -> Book:
    """Return a book with other rows of some kinds."""
    return replace(book, **rows)


FACTS = ("sessions", "tasks", "messages", "tools", "changes", "errors")


def _standing(rows: Iterable[F], as_of: int | None) -> tuple[F, ...]:
    return tuple(
        replace(row, superseded_by=None)
        for row in rows
        if (row.superseded_by is None if as_of is None else _stood(row, as_of))
    )


def _stood(row: Version, as_of: int) -> bool:
    return row.load_id <= as_of and (row.superseded_by is None or row.superseded_by > as_of)


# Time


@dataclass(frozen=True)
class Span:
    """What ran, or an instant where it has no length."""

    start: int
    end: int
    who: Who
    person: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        node, project = self.who
        nothing = (node is None, node or "", project is None, project or "")
        return (self.start, not self.person, self.end, *nothing)


@dataclass(frozen=True)
class Cell:
    """A second of a stream; gap: length of the idle gap that it belongs to, 0 when busy."""

    session: str
    agent: str
    second: int
    who: Who
    gap: int = 0
    gap_end: int = 0


def spans_of(row: Message | Tool) -> list[Span]:
    if isinstance(row, Message):
        if row.role == "system":
            return []
        if row.role == "user":
            return [Span(row.at, row.at, row.who, person=True)]
        ends = [row.at, row.at if row.end is None else row.end]
        return [Span(min(ends), max(ends), row.who)]
    end = row.at + (row.seconds or 0)
    if not row.waits:
        return [Span(row.at, end, row.who)]
    called = Span(row.at, row.at, row.who)
    return [called] if row.seconds is None else [called, Span(end, end, row.who, person=True)]


def cells(book: Book) -> list[Cell]:
    """Return every second of every stream, looked at one by one."""
    found: list[Cell] = []
    given = {row.session for row in book.sessions if row.duration is not None}
    streams: dict[tuple[str, str], list[Span]] = defaultdict(list)
    rows: list[Message | Tool] = [*book.messages, *book.tools]
    for row in rows:
        if row.session is not None and row.session not in given:
            streams[row.session, row.agent or ""] += spans_of(row)
    for (session, agent), spans in streams.items():
        if spans:
            found += [Cell(session, agent, *rest) for rest in _seconds(spans)]
    with_rows = {cell.session for cell in found}
    for session_row in book.sessions:
        end = _end(session_row, with_rows)
        key = session_row.session or ""
        found += [Cell(key, "", at, session_row.who) for at in range(session_row.at, end)]
    return found


def _end(row: Session, with_rows: set[str]) -> int:
    """Return where the time of a session ends that its rows do not tell."""
    if row.duration is not None:
        return row.at + row.duration
    return row.at if row.session in with_rows or row.end is None else row.end


def _seconds(spans: list[Span]) -> Iterable[tuple[int, Who, int, int]]:
    spans = sorted(spans, key=lambda span: span.order)
    for second in range(spans[0].start, max(span.end for span in spans)):
        running = [span for span in spans if span.start <= second < span.end]
        if running:
            yield second, running[0].who, 0, 0
            continue
        following = min(span.start for span in spans if span.start > second)
        there = [span for span in spans if span.start == following]
        before = max(span.end for span in spans if span.start <= second)
        gap = following - before if any(span.person for span in there) else 0
        yield second, there[0].who, gap, following if gap else 0


def intervals(book: Book) -> list[tuple[object, ...]]:
    """Return (session, agent, start, end, kind, node, project) as work_intervals has them."""
    found: list[tuple[object, ...]] = []
    by_stream = sorted(cells(book), key=lambda c: (c.session, c.agent, c.second))
    for stream, of_stream in groupby(by_stream, key=lambda c: (c.session, c.agent)):
        for (_, gap_end), run in groupby(of_stream, key=lambda c: (c.who, c.gap_end)):
            part = list(run)
            kind = "idle" if gap_end else "busy"
            found.append((*stream, part[0].second, part[-1].second + 1, kind, *part[0].who))
    return found


def counted(book: Book, query: Query) -> list[Cell]:
    return [
        cell
        for cell in cells(book)
        if cell.gap <= query.idle and query.takes(cell.second) and query.of(cell.who)
    ]


@dataclass(frozen=True)
class Hours:
    """Seconds; None: not known."""

    wall: int | None
    session: int | None
    agent: int | None


def hours(found: Iterable[Cell], timeless: int = 0) -> Hours:
    listed = list(found)
    if not listed and timeless:
        return Hours(None, None, None)
    return Hours(
        len({cell.second for cell in listed}),
        len({(cell.session, cell.second) for cell in listed}),
        len(listed),
    )


def timeless(book: Book, query: Query) -> list[Session]:
    timed = {cell.session for cell in cells(book)}
    return [
        row
        for row in _rows(book.sessions, query)
        if row.duration is None
        and row.session not in timed
        and not (row.end is not None and row.end >= row.at)
    ]


# Figures


def _rows(rows: Iterable[F], query: Query) -> list[F]:
    return [row for row in rows if query.takes(row.at) and query.of(row.who)]


def known(values: Iterable[int | None]) -> int | None:
    """Return the sum of what is known: 0 of nothing, None where nothing of something is known."""
    listed = list(values)
    some = [value for value in listed if value is not None]
    return sum(some) if some or not listed else None


def in_hours(seconds: int | None) -> Decimal | None:
    return None if seconds is None else ratio(Decimal(seconds), Decimal(HOUR), 6)


def per_hour(amount: Decimal | int | None, seconds: int | None) -> Decimal | None:
    if amount is None or seconds is None:
        return None
    return ratio(oracle.EXACT.multiply(Decimal(amount), Decimal(HOUR)), Decimal(seconds), 2)


def outcome(task: Task) -> bool | None:
    if task.success is not None:
        return task.success
    return False if task.status == "failed" else None


def is_edit(change: Change) -> bool:
    return change.origin != "commit"


def unpriced(message: Message) -> bool:
    return message.cost is None and any(count for count in message.tokens)


def figures(book: Book, query: Query, of: Callable[[Who], bool]) -> Row:
    """Return the figures of the rows of some nodes and projects, in columns of work_sums."""

    def take(rows: Iterable[F]) -> list[F]:
        return [row for row in _rows(rows, query) if of(row.who)]

    sessions, tasks, messages = take(book.sessions), take(book.tasks), take(book.messages)
    tools, changes, errors = take(book.tools), take(book.changes), take(book.errors)
    without = [row for row in timeless(book, query) if of(row.who)]
    time = hours((c for c in counted(book, query) if of(c.who)), len(without))
    edits = [change for change in changes if is_edit(change)]
    commits = [change for change in changes if not is_edit(change)]
    ended = [tool for tool in tools if tool.successes is not None]
    return {
        "sessions": len(sessions),
        "sessions_completed": sum(row.status == "completed" for row in sessions),
        "sessions_failed": sum(row.status == "failed" for row in sessions),
        "sessions_without_time": len(without),
        "tasks": len(tasks),
        "tasks_completed": sum(row.status == "completed" for row in tasks),
        "tasks_succeeded": sum(outcome(row) is True for row in tasks),
        "tasks_failed": sum(outcome(row) is False for row in tasks),
        "changes": len(changes),
        "changes_without_lines": sum(None in {row.added, row.deleted} for row in changes),
        "files_changed": len({row.path for row in edits}),
        "lines_added": known(row.added for row in edits),
        "lines_deleted": known(row.deleted for row in edits),
        "commit_lines_added": known(row.added for row in commits),
        "commit_lines_deleted": known(row.deleted for row in commits),
        "tool_invocations": sum(row.invocations for row in tools),
        "tool_outcomes_unknown": sum(row.invocations for row in tools if row.successes is None),
        "tool_successes": sum(row.successes or 0 for row in ended),
        "tool_failures": sum(row.invocations - (row.successes or 0) for row in ended),
        "messages": len(messages),
        "messages_without_tokens": sum(
            row.role == "assistant" and row.tokens[4] is None for row in messages
        ),
        "messages_not_final": sum(row.final is False for row in messages),
        "unpriced_messages": sum(unpriced(row) for row in messages),
        "input_tokens": known(known_input(row) for row in messages),
        "output_tokens": known(row.tokens[4] for row in messages),
        "model_cost_usd": total(row.cost for row in messages),
        "errors": len(errors),
        "errors_resolved": sum(row.resolved is True for row in errors),
        "wall": time.wall,
        "session": time.session,
        "agent": time.agent,
    }


def known_input(message: Message) -> int | None:
    counts = [count for count in message.tokens[:4] if count is not None]
    return sum(counts) if counts else None


def parts(book: Book, query: Query, which: int) -> set[str | None]:
    """Return the nodes (0) or projects (1) that any row or second of time names."""
    named = [row.who for name in FACTS for row in _rows(getattr(book, name), query)]
    return {who[which] for who in (*named, *(cell.who for cell in counted(book, query)))}


def productivity(book: Book, query: Query, which: int) -> list[Row]:
    """Return node_productivity (0), or what project_work (1) has in common with it, by key."""
    book = state(book, query.as_of)
    listed = book.money.nodes if which == 0 else book.money.projects
    names = {row.key: row.name or row.key for row in listed}
    mine, other = (query.node, query.project) if which == 0 else (query.project, query.node)
    entries = earned(book, replace(query, as_of=None))
    named = {(entry.node, entry.project)[which] for entry in entries}
    keys = parts(book, query, which) | named
    if other is None:
        keys |= {name for name in names if mine in {None, name}}
    found = []
    for key in sorted(keys, key=lambda key: (key is None, key or "")):
        got = figures(book, query, partial(_is_of, which, key))
        amounts = [entry.amount for entry in entries if (entry.node, entry.project)[which] == key]
        usd, seconds = total(amounts), got["session"]
        outcomes = got["tool_successes"] + got["tool_failures"]
        found.append(
            {
                ("node_id", "project_id")[which]: key,
                ("node_name", "project_name")[which]: names.get(key or "", "unattributed"),
                "attributed": key in names,
                "total_sessions": got["sessions"],
                "completed_sessions": got["sessions_completed"],
                "failed_sessions": got["sessions_failed"],
                "total_tasks": got["tasks"],
                "completed_tasks": got["tasks_completed"],
                "succeeded_tasks": got["tasks_succeeded"],
                "failed_tasks": got["tasks_failed"],
                "task_success_rate_pct": _percent(
                    got["tasks_succeeded"], got["tasks_succeeded"] + got["tasks_failed"]
                ),
                "file_changes": got["changes"],
                "total_lines_added": got["lines_added"],
                "total_lines_deleted": got["lines_deleted"],
                "error_rate_pct": _percent(got["tool_failures"], outcomes),
                "wall_hours": in_hours(got["wall"]),
                "session_hours": in_hours(seconds),
                "agent_hours": in_hours(got["agent"]),
                "lines_per_hour": per_hour(got["lines_added"], seconds),
                "tasks_per_hour": per_hour(got["tasks_completed"], seconds),
                "earnings_usd": usd,
                "unpriced_earnings": sum(amount is None for amount in amounts),
                "earnings_per_hour": per_hour(usd, seconds),
                **{name: got[name] for name in _SAME},
            }
        )
    return found


def _is_of(which: int, key: str | None, who: Who) -> bool:
    return who[which] == key


def _is_both(node: str, project: str, who: Who) -> bool:
    return (who[0] or "", who[1] or "") == (node, project)


def earned(book: Book, query: Query) -> list[oracle.Entry]:
    """Return what was earned on accrual; the only revenue of these books."""
    return [
        entry
        for entry in oracle.ledger(book.money, query.of_money)
        if entry.family == "earnings" and query.takes(int((entry.at - book.origin).total_seconds()))
    ]


_SAME = (
    "sessions_without_time",
    "files_changed",
    "changes_without_lines",
    "commit_lines_added",
    "commit_lines_deleted",
    "tool_invocations",
    "tool_successes",
    "tool_failures",
    "tool_outcomes_unknown",
    "errors",
    "messages",
    "input_tokens",
    "output_tokens",
    "messages_without_tokens",
    "messages_not_final",
    "model_cost_usd",
    "unpriced_messages",
)


def _percent(part: int, whole: int) -> Decimal | None:
    return percent(Decimal(part), Decimal(whole))


def daily(book: Book, idle: int) -> list[Row]:
    """Return work_metrics_daily, computed day by day, by key."""
    book = state(book, None)
    rows = [row for name in FACTS for row in getattr(book, name)]
    query = Query(idle=idle)
    keys = {(book.day(row.at), row.node or "", row.project or "") for row in rows}
    for cell in counted(book, query):
        keys.add((book.day(cell.second), cell.who[0] or "", cell.who[1] or ""))
    seconds = [*(row.at for row in rows), *(cell.second for cell in cells(book))]
    found = []
    for day, node, project in sorted(keys):
        of_day = [second for second in seconds if book.day(second) == day]
        since, until = _bounds(book, day, min(of_day), max(of_day))
        got = figures(
            book,
            replace(query, since=since, until=until),
            partial(_is_both, node, project),
        )
        unknown = (
            got["tool_invocations"] and got["tool_outcomes_unknown"] == got["tool_invocations"]
        )
        row = {"day": day, "node_id": node, "project_id": project}
        row |= {name: got[name] for name in DAILY}
        row |= {f"{name}_seconds": got[name] for name in ("wall", "session", "agent")}
        found.append(row | {"tool_successes": None if unknown else got["tool_successes"]})
    return found


def _bounds(book: Book, day: date, low: int, high: int) -> tuple[int, int]:
    """Return the first second of a day and the one after its last, from seconds within it."""
    while book.day(low - 1) == day:
        low -= 1
    while book.day(high) == day:
        high += 1
    return low, high


DAILY = (
    "sessions",
    "sessions_completed",
    "sessions_failed",
    "tasks",
    "tasks_completed",
    "tasks_succeeded",
    "files_changed",
    "lines_added",
    "lines_deleted",
    "tool_invocations",
    "messages",
    "input_tokens",
    "output_tokens",
    "errors",
    "errors_resolved",
    "commit_lines_added",
    "commit_lines_deleted",
    "model_cost_usd",
    "unpriced_messages",
)


# Tools, models, lines, errors

CLASSES = {
    "tool": "tool_errors",
    "exit_code": "exit_code_errors",
    "hook_block": "hook_blocks",
    "user_reject": "user_rejects",
    "timeout": "timeouts",
    "api": "api_errors",
}


def wilson(successes: int, trials: int, side: int) -> float | None:
    """Return an end of Wilson's interval in percent, by solving |p - share| = z sqrt(p(1-p)/n)."""
    if not trials:
        return None
    share, z = successes / trials, 1.959964
    a, b, c = 1 + z * z / trials, -(2 * share + z * z / trials), share * share
    root = math.sqrt(max(b * b - 4 * a * c, 0))
    return 100 * min(1, max(0, (-b + side * root) / (2 * a)))


def quantile(values: Sequence[Decimal], share: Decimal) -> Decimal | None:
    """Return the least value that at least that share of the values do not exceed."""
    ordered = sorted(values)
    for number, value in enumerate(ordered, start=1):
        if Decimal(number) >= share * len(ordered):
            return value
    return None


def tool_success(book: Book, query: Query) -> list[Row]:
    book = state(book, query.as_of)
    found = []
    used = _rows(book.tools, query)
    for name in sorted({row.name for row in used}):
        rows = [row for row in used if row.name == name]
        failed: Counter[str] = Counter()
        for row in rows:
            if row.successes is not None:
                column = CLASSES.get(row.error_class or "", "other_errors")
                failed[column] += row.invocations - row.successes
        times = [
            _mean(row)
            for row in rows
            if row.seconds is not None and not row.waits and row.invocations
        ]
        successes, failures = sum(row.successes or 0 for row in rows), sum(failed.values())
        invocations = sum(row.invocations for row in rows)
        found.append(
            {
                "tool_name": name,
                "invocations": invocations,
                "successes": successes,
                "failures": failures,
                "outcomes_unknown": invocations - successes - failures,
                "success_rate_pct": _percent(successes, successes + failures),
                "success_rate_low_pct": wilson(successes, successes + failures, -1),
                "success_rate_high_pct": wilson(successes, successes + failures, 1),
                **{column: failed[column] for column in (*CLASSES.values(), "other_errors")},
                "durations": len(times),
                "median_duration_ms": quantile(times, Decimal("0.5")),
                "p95_duration_ms": quantile(times, Decimal("0.95")),
            }
        )
    return found


def _mean(row: Tool) -> Decimal:
    mean = ratio(Decimal(1000 * (row.seconds or 0)), Decimal(row.invocations), 3)
    assert mean is not None
    return mean


def model_costs(book: Book, query: Query, *, by_node: bool, by_project: bool) -> list[Row]:
    book = state(book, query.as_of)
    groups: dict[tuple[str | None, ...], list[Message]] = defaultdict(list)
    for row in _rows(book.messages, query):
        if (
            row.role == "assistant"
            or row.cost is not None
            or any(c is not None for c in row.tokens)
        ):
            key = (row.model, row.node if by_node else None, row.project if by_project else None)
            groups[key].append(row)
    found = []
    for (model, node, project), rows in groups.items():
        bases = {row.basis for row in rows if row.basis is not None}
        counts = (
            sum(unpriced(row) for row in rows),
            sum(row.final is False for row in rows),
            sum(all(count is None for count in row.tokens) for row in rows),
        )
        found.append(
            {
                "model": model,
                "node_id": node,
                "project_id": project,
                "messages": len(rows),
                **{
                    name: known(row.tokens[number] for row in rows)
                    for number, name in enumerate(TOKENS)
                },
                "cost_usd": total(row.cost for row in rows),
                "cost_basis": "mixed" if len(bases) > 1 else next(iter(bases), None),
                "unpriced_messages": counts[0],
                "messages_not_final": counts[1],
                "messages_without_tokens": counts[2],
                "at_least": any(counts),
            }
        )
    return found


TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)


def lines_activity(book: Book, query: Query) -> list[Row]:
    book = state(book, query.as_of)
    seconds = hours(counted(book, query), len(timeless(book, query))).session
    groups: dict[tuple[str, str | None], list[Change]] = defaultdict(list)
    for row in _rows(book.changes, query):
        groups["edit" if is_edit(row) else "commit", row.file_class].append(row)
    return [
        {
            "origin": origin,
            "file_class": file_class,
            "changes": len(rows),
            "files": len({row.path for row in rows}),
            "changes_without_lines": sum(None in {row.added, row.deleted} for row in rows),
            "lines_added": known(row.added for row in rows),
            "lines_deleted": known(row.deleted for row in rows),
            "session_hours": in_hours(seconds),
            "lines_added_per_session_hour": per_hour(known(row.added for row in rows), seconds),
            "lines_deleted_per_session_hour": per_hour(known(row.deleted for row in rows), seconds),
        }
        for (origin, file_class), rows in groups.items()
    ]


def error_patterns(book: Book, query: Query) -> list[Row]:
    book = state(book, query.as_of)
    met = _rows(book.errors, query)
    groups: dict[tuple[str | None, ...], list[Error]] = defaultdict(list)
    for row in met:
        groups[row.error_class, row.kind, row.tool].append(row)
    return [
        {
            "error_class": error_class,
            "error_type": kind,
            "tool_name": tool,
            "errors": len(rows),
            "share_pct": _percent(len(rows), len(met)),
            "sessions": len({row.session for row in rows} - {None}),
            "nodes": len({row.node for row in rows} - {None}),
            "subjects": len({row.subject for row in rows} - {None}),
            "resolved": sum(row.resolved is True for row in rows),
            "unresolved": sum(row.resolved is False for row in rows),
            "resolution_unknown": sum(row.resolved is None for row in rows),
        }
        for (error_class, kind, tool), rows in groups.items()
    ]


@dataclass(frozen=True)
class Result:
    """That a tool failed or succeeded on something, and when that was known."""

    at: int
    error_class: str | None
    who: Who
    success: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        values = (self.error_class, *self.who)
        return (self.at, self.success, *((value is None, value or "") for value in values))


def results_by_thing(book: Book) -> dict[tuple[str, str, str], list[Result]]:
    """Return what is known to have failed or succeeded, by session, tool and subject."""
    things: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for row in book.tools:
        if row.session and row.subject and row.invocations and row.successes is not None:
            end = row.at + (row.seconds or 0)
            result = Result(end, row.error_class, row.who, success=row.successes > 0)
            things[row.session, row.name, row.subject].append(result)
    for error in book.errors:
        if error.session and error.subject and error.tool:
            thing = things[error.session, error.tool, error.subject]
            thing.append(Result(error.at, error.error_class, error.who))
            if error.resolved and error.resolved_at is not None and error.resolved_at >= error.at:
                end = error.resolved_at
                thing.append(Result(end, error.error_class, error.who, success=True))
    return things


def episodes(book: Book, query: Query) -> list[Row]:
    """Return the episodes of failures, followed result by result."""
    found: list[Row] = []
    things = results_by_thing(state(book, query.as_of))
    for (session, tool, subject), results in things.items():
        begun: Row | None = None
        for result in sorted(results, key=lambda result: result.order):
            if result.success and begun is not None:
                begun["seconds"] = Decimal(result.at - begun["at"])
                begun = None
            elif not result.success and begun is None:
                begun = {"session_id": session, "tool_name": tool, "subject": subject}
                begun |= {"at": result.at, "who": result.who, "seconds": None, "failures": 1}
                begun["error_class"] = result.error_class
                found.append(begun)
            elif not result.success and begun is not None:
                begun["failures"] += 1
    return [row for row in found if query.takes(row["at"]) and query.of(row["who"])]


def error_resolution(book: Book, query: Query, *, by_tool: bool, by_class: bool) -> list[Row]:
    groups: dict[tuple[str | None, str | None], list[Row]] = defaultdict(list)
    for row in episodes(book, query):
        key = (row["tool_name"] if by_tool else None, row["error_class"] if by_class else None)
        groups[key].append(row)
    return [
        {
            "tool_name": tool,
            "error_class": error_class,
            "episodes": len(rows),
            "failures": sum(row["failures"] for row in rows),
            "resolved": len(times),
            "unresolved": len(rows) - len(times),
            "unresolved_pct": _percent(len(rows) - len(times), len(rows)),
            "median_seconds": quantile(times, Decimal("0.5")),
        }
        for (tool, error_class), rows in groups.items()
        for times in [[row["seconds"] for row in rows if row["seconds"] is not None]]
    ]


def at_utc(moment: datetime) -> str:
    """Return an instant as text that is read the same in every zone."""
    return moment.astimezone(UTC).isoformat(sep=" ")
