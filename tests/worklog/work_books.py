"""Random small books of work, and how they come into DuckDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from tests import oracle
from tests.worklog import work_oracle as work
from tests.worklog.work_oracle import Book, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

# Ten minutes on either side of midnight in one of the zones; a range or gap may end anywhere.
MIDNIGHTS = {
    "UTC": datetime(2025, 10, 2, tzinfo=UTC),
    "Europe/Berlin": datetime(2025, 10, 25, 22, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2025, 9, 30, 18, 15, tzinfo=UTC),
}
WIDTH = 1200
VERSIONS = ((1,), (1,), (2,), (1, 2), (2, 3), (1, 2, 3))
LOADS = tuple(datetime(2025, 12, day, tzinfo=UTC) for day in (1, 2, 3))

# Few seconds, so that many fall together.
seconds = st.sampled_from([0, 10, 60, 100, 590, 600, 610, 900, 1100]) | st.integers(0, WIDTH)
lengths = st.none() | st.sampled_from([0, 10, 50, 300]) | st.integers(0, 400)
nodes = st.sampled_from(["a", "b", "a", "x", None])
projects = st.sampled_from(["p", "q", "p", None])
sessions = st.sampled_from(["one", "two", "one", "three", None])
agents = st.sampled_from([None, None, "sub"])
counts = st.none() | st.integers(0, 500)
statuses = st.sampled_from(["completed", "failed", "in_progress"])
classes = st.sampled_from([None, "tool", "exit_code", "timeout", "another"])
subjects = st.sampled_from([None, "f", "f", "g"])
tool_names = st.sampled_from(["bash", "edit"])


def facts(kind: type[work.F], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[work.F]:
    common = {"at": seconds, "node": nodes, "project": projects, "session": sessions}
    return st.builds(kind, id=st.just(0), **(common | fields))


@st.composite
def tools(draw: st.DrawFn) -> work.Tool:
    invocations = draw(st.sampled_from([1, 1, 1, 3, 0]))
    return draw(
        facts(
            work.Tool,
            agent=agents,
            name=tool_names,
            subject=subjects,
            invocations=st.just(invocations),
            successes=st.none() | st.integers(0, invocations),
            seconds=lengths,
            error_class=classes,
            waits=st.sampled_from([None, False, None, True]),
        )
    )


@st.composite
def messages(draw: st.DrawFn) -> work.Message:
    cost = draw(st.none() | st.integers(0, 10**9).map(lambda n: Decimal(n).scaleb(-9)))
    return draw(
        facts(
            work.Message,
            agent=agents,
            role=st.sampled_from(["user", "assistant", "assistant", "system"]),
            end=st.none() | seconds,
            model=st.sampled_from([None, "m", "n"]),
            tokens=st.tuples(*(counts,) * 5) | st.just((None,) * 5),
            final=st.sampled_from([None, True, False]),
            cost=st.just(cost),
            basis=st.just(None) if cost is None else st.sampled_from(["list", "estimate"]),
        )
    )


changes = facts(
    work.Change,
    path=st.sampled_from(["f", "g"]),
    origin=st.sampled_from(["edit", "edit", "commit", None]),
    file_class=st.sampled_from([None, "source", "binary"]),
    added=counts,
    deleted=counts,
)
errors = facts(
    work.Error,
    kind=st.sampled_from(["x", "y"]),
    error_class=classes,
    tool=st.none() | tool_names,
    subject=subjects,
    resolved=st.sampled_from([None, True, False]),
    resolved_at=st.none() | seconds,
)
tasks = facts(work.Task, status=statuses, success=st.sampled_from([None, True, False]))
earnings = st.builds(
    oracle.Earning,
    id=st.integers(0, 10**9),
    node=nodes,
    project=projects,
    amount=st.none() | st.integers(0, 10**6).map(lambda n: Decimal(n).scaleb(-2)),
    at=seconds.map(lambda second: MIDNIGHTS["UTC"] + timedelta(seconds=second)),
)


@st.composite
def session_rows(draw: st.DrawFn) -> tuple[work.Session, ...]:
    """Draw the sessions of a book, each with its versions; its id is its key."""
    found: list[work.Session] = []
    for key in draw(st.lists(st.sampled_from(["one", "two", "three", "four"]), unique=True)):
        row = facts(
            work.Session,
            session=st.just(key),
            status=statuses,
            end=st.none() | seconds,
            duration=st.sampled_from([None, None, None, 0, 100, 700]),
        )
        found += draw(versions(row, len(found)))
    return tuple(found)


@st.composite
def versions(draw: st.DrawFn, rows: st.SearchStrategy[work.F], number: int) -> list[work.F]:
    loads = draw(st.sampled_from(VERSIONS))
    return [
        replace(draw(rows), id=number, load_id=load, superseded_by=following)
        for load, following in zip(loads, (*loads[1:], None), strict=True)
    ]


@st.composite
def chains(draw: st.DrawFn, rows: st.SearchStrategy[work.F], most: int) -> tuple[work.F, ...]:
    found: list[work.F] = []
    for number in range(draw(st.integers(0, most))):
        found += draw(versions(rows, number))
    return tuple(found)


@st.composite
def random_books(draw: st.DrawFn, most: int = 9) -> Book:
    zone = draw(st.sampled_from(sorted(MIDNIGHTS)))
    origin = MIDNIGHTS[zone] - timedelta(seconds=WIDTH // 2)
    shift = origin - MIDNIGHTS["UTC"]
    money = oracle.Book(
        zone=zone,
        loads=LOADS,
        nodes=(oracle.Named(id=0, key="a", name="Ada"), oracle.Named(id=1, key="c")),
        projects=(oracle.Named(id=0, key="p", name="Portal"), oracle.Named(id=1, key="r")),
        earnings=tuple(
            replace(row, id=number, at=row.at + shift)
            for number, row in enumerate(draw(st.lists(earnings, max_size=3)))
        ),
    )
    return Book(
        origin=origin,
        money=money,
        sessions=draw(session_rows()),
        tasks=draw(chains(tasks, 4)),
        messages=draw(chains(messages(), most)),
        tools=draw(chains(tools(), most)),
        changes=draw(chains(changes, 4)),
        errors=draw(chains(errors, 4)),
    )


queries = st.builds(
    Query,
    since=st.none() | seconds,
    until=st.none() | seconds,
    as_of=st.sampled_from([None, None, 0, 1, 2, 3]),
    node=st.sampled_from([None, None, "a", "x"]),
    project=st.sampled_from([None, None, "p", "q"]),
    idle=st.sampled_from([0, 50, 300, 3600]),
)


# Into DuckDB


def tables(book: Book) -> Iterator[tuple[str, list[tuple[work.Fact, dict[str, Any]]]]]:
    """Yield each table of work with the columns of its rows."""
    at = book.instant

    def common(row: work.Fact, time: str) -> dict[str, Any]:
        return {
            time: at(row.at),
            "node_id": row.node,
            "project_id": row.project,
            "session_id": row.session,
        }

    def maybe(second: int | None) -> datetime | None:
        return None if second is None else at(second)

    yield (
        "work_sessions",
        [
            (
                row,
                common(row, "started_at")
                | {
                    "status": row.status,
                    "completed_at": maybe(row.end),
                    "total_duration_seconds": row.duration,
                },
            )
            for row in book.sessions
        ],
    )
    yield (
        "work_tasks",
        [
            (
                row,
                common(row, "started_at")
                | {"task_id": str(row.id), "status": row.status, "success": row.success},
            )
            for row in book.tasks
        ],
    )
    yield (
        "communication_log",
        [
            (
                row,
                common(row, "sent_at")
                | {
                    "message_id": str(row.id),
                    "agent_id": row.agent,
                    "role": row.role,
                    "completed_at": maybe(row.end),
                    "model": row.model,
                    "usage_final": row.final,
                    "cost_usd": row.cost,
                    "cost_basis": row.basis,
                    **dict(zip(work.TOKENS, row.tokens, strict=True)),
                },
            )
            for row in book.messages
        ],
    )
    yield (
        "tool_usage",
        [
            (
                row,
                common(row, "used_at")
                | {
                    "usage_id": row.id,
                    "agent_id": row.agent,
                    "tool_name": row.name,
                    "subject": row.subject,
                    "invocation_count": row.invocations,
                    "success_count": row.successes,
                    "total_duration_ms": None if row.seconds is None else 1000 * row.seconds,
                    "error_class": row.error_class,
                    "waits_for_person": row.waits,
                },
            )
            for row in book.tools
        ],
    )
    yield (
        "file_changes",
        [
            (
                row,
                common(row, "changed_at")
                | {
                    "change_id": row.id,
                    "file_path": row.path,
                    "change_type": "modified",
                    "origin": row.origin,
                    "file_class": row.file_class,
                    "lines_added": row.added,
                    "lines_deleted": row.deleted,
                },
            )
            for row in book.changes
        ],
    )
    yield (
        "error_log",
        [
            (
                row,
                common(row, "occurred_at")
                | {
                    "error_id": row.id,
                    "error_type": row.kind,
                    "error_class": row.error_class,
                    "tool_name": row.tool,
                    "subject": row.subject,
                    "resolved": row.resolved,
                    "resolved_at": maybe(row.resolved_at),
                },
            )
            for row in book.errors
        ],
    )


def put(connection: duckdb.DuckDBPyConnection, book: Book) -> None:
    """Put all rows of work, replaced versions into history."""
    for table, rows in tables(book):
        for row, columns in rows:
            lineage: dict[str, Any] = {"source": "s", "source_key": f"{table} {row.id}"}
            lineage["load_id"] = row.load_id
            where = table
            if row.superseded_by is not None:
                where, lineage["superseded_by"] = f"{table}_history", row.superseded_by
            insert(connection, where, columns | lineage)


def insert(connection: duckdb.DuckDBPyConnection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    names = ", ".join(row)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def load(connection: duckdb.DuckDBPyConnection, book: Book, load_id: int) -> None:
    """Bring the rows of one load, superseding what they replace, as loads do."""
    for table, rows in tables(book):
        for row, columns in rows:
            if row.load_id != load_id:
                continue
            key = f"{table} {row.id}"
            connection.execute(
                f"INSERT INTO {table}_history BY NAME SELECT *, ? AS superseded_by FROM {table} "
                "WHERE source_key = ?",
                [load_id, key],
            )
            connection.execute(f"DELETE FROM {table} WHERE source_key = ?", [key])
            lineage = {"source": "s", "source_key": key, "load_id": load_id}
            insert(connection, table, columns | lineage)


def copies(book: Book, name: str) -> Iterator[work.Fact]:
    """Yield each row of a kind once more, with another id and in another session."""
    for row in getattr(book, name):
        session = None if row.session is None else f"{row.session} again"
        yield replace(row, id=row.id + 1000, session=session)
