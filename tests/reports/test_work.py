"""The work report without a browser: its figures, its words, its charts and its cells."""

from __future__ import annotations

import importlib.util
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from tests.reports import books, work_books

from pnlbook.book import open_book
from pnlbook.reports import exports, nodes, work_charts, work_tables
from pnlbook.reports.charts import PRINT
from pnlbook.reports.figures import money
from pnlbook.reports.filters import Filters, WorkFilters
from pnlbook.reports.query import Source
from pnlbook.reports.work import (
    Timeline,
    Work,
    read_opened,
    read_profit_hours,
    read_work,
    read_work_overview,
)
from pnlbook.reports.work_lanes import (
    MOST_LANES,
    TOO_LONG,
    UNKNOWN,
    WAITING,
    WORKING,
    lanes,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import altair as alt

    Run = Callable[[Path], tuple[str, dict[str, Any]]]

NOTEBOOK = books.ROOT / "notebooks" / "work.py"
BERLIN = ZoneInfo("Europe/Berlin")
OCTOBER = WorkFilters(first=date(2025, 10, 1), last=date(2025, 10, 31))
RANGE = "since := DATE '2025-10-01', until := DATE '2025-11-01'"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return work_books.varied(tmp_path_factory.mktemp("work") / "shop.duckdb")


@pytest.fixture(scope="module")
def source(book: Path) -> Source:
    return Source(book, 5)


@pytest.fixture(scope="module")
def work(source: Source) -> Work:
    return read_work(source, OCTOBER, date(2025, 10, 1))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(book: Path) -> tuple[str, dict[str, Any]]:
        """Run the notebook on a book; return all it shows, and its variables."""
        monkeypatch.setenv("PNLBOOK_BOOK", str(book))
        specification = importlib.util.spec_from_file_location("work", NOTEBOOK)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        outputs, variables = module.app.run()
        return " ".join(getattr(output, "text", "") for output in outputs), dict(variables)

    return run


def values(chart: alt.LayerChart) -> list[dict[str, Any]]:
    """Return the rows that a chart is drawn from."""
    rows: list[dict[str, Any]] = max(chart.to_dict()["datasets"].values(), key=len)
    return rows


def interval(
    started: datetime, ended: datetime | None, session: str = "s", agent: str = "", **row: object
) -> dict[str, Any]:
    """Return a row of session_timeline."""
    return {
        "session_id": session,
        "agent_id": agent,
        "node_id": "n",
        "node_name": "Nora",
        "project_id": None,
        "project_name": "unattributed",
        "kind": "busy",
        "counted": True,
        "started_at": started,
        "ended_at": ended,
        "seconds": None if ended is None else Decimal((ended - started) // timedelta(seconds=1)),
        **row,
    }


@pytest.mark.parametrize(
    ("filters", "arguments"),
    [
        (OCTOBER, RANGE),
        (WorkFilters(node="ada"), "node := 'ada'"),
        (WorkFilters(project="mill"), "project := 'mill'"),
        (WorkFilters(last=date(2025, 10, 8)), "until := DATE '2025-10-09'"),
    ],
    ids=["range", "node", "project", "day"],
)
def test_the_report_shows_what_the_macros_say(
    source: Source, filters: WorkFilters, arguments: str
) -> None:
    work = read_work(source, filters, date(2025, 10, 1))
    assert [work.figures] == books.answer(source.path, f"work_figures({arguments})")
    for frame, macro in (
        (work.sessions, "session_list"),
        (work.tools, "tool_success"),
        (work.patterns, "error_patterns"),
        (work.models, "model_costs"),
        (work.activity, "lines_activity"),
    ):
        assert frame.to_dicts() == books.answer(source.path, f"{macro}({arguments})")
    for both, what, done, earned in (
        (work.nodes, "node", "node_productivity", "work_profit"),
        (work.projects, "project", "project_work", "project_work_profit"),
    ):
        frame = both.drop("key", "label")
        expected = {
            row[f"{what}_id"]: dict.fromkeys(frame.columns) | row
            for row in books.answer(source.path, f"{done}({arguments})")
        }
        for row in books.answer(source.path, f"{earned}({arguments})"):
            expected[row[f"{what}_id"]] |= row
        shown = {row[f"{what}_id"]: row for row in frame.to_dicts()}
        assert shown == expected


def test_hours_are_those_of_a_watch(work: Work) -> None:
    # `day` ran from 9 to 9:30 and, four minutes of waiting counted, on to 9:50; a wait of 40
    # minutes counts nowhere; then from 10:30. Its scout ran 30 minutes beside it. `night` and
    # `nobody` say how long they took.
    day = timedelta(minutes=50) + timedelta(minutes=30)
    session = day + timedelta(hours=3) + timedelta(minutes=30)
    agent = session + timedelta(minutes=30)
    for column, spent in (("session", session), ("agent", agent), ("wall", session)):
        hours = Decimal(spent // timedelta(seconds=1)) / 3600
        assert work.figures[f"{column}_hours"] == round(hours, 6)
    assert work.figures["sessions_without_time"] == 1


def test_what_may_wait_to_count_is_asked_for(source: Source) -> None:
    strict, patient = (
        read_work(source, WorkFilters(idle=idle), date(2025, 10, 1)).figures["agent_hours"]
        for idle in (0, 3600)
    )
    assert patient - strict == round(Decimal(44) / 60, 6)  # 4 and 40 minutes


def test_earnings_of_an_hour_are_those_of_nodes_with_hours(work: Work) -> None:
    figures = work.figures
    assert figures["revenue_usd"] == 100
    assert figures["revenue_without_hours_usd"] == 5000
    per_hour = Decimal(100) / (Decimal(290) / 60)
    assert figures["revenue_per_session_hour"] == round(per_hour, 2)
    costs = Decimal("0.123456") + Decimal("0.5")
    assert figures["model_cost_usd"] == costs
    assert figures["profit_per_session_hour"] == round((100 - costs) / (Decimal(290) / 60), 2)


def test_tiles_name_the_three_hours_and_what_is_missing(work: Work) -> None:
    shown = work_tables.key_figures(work)
    for name, column in (("Session", "session"), ("Wall", "wall"), ("Agent", "agent")):
        told = money(work.figures[f"{column}_hours"])
        assert f'<dt>{name} hours</dt><dd><span class="pnl-value">{told}</span>' in shown
    for words in (
        "1 without a known time, in no hours",
        "5,000.00 of nodes without hours left out",
        "incomplete: 2 rows without a price",
        "50.0\N{NARROW NO-BREAK SPACE}% of the 2 known succeeded",
        "Model cost, at least",
        "1 message not final",
        "1 message without a price",
        "1 message without tokens",
    ):
        assert words in shown


def test_the_change_is_on_the_period_before(source: Source) -> None:
    begins = date(2025, 10, 8)
    later = WorkFilters(first=date(2025, 10, 9), last=date(2025, 10, 9))
    compared = read_work(source, later, begins).comparison
    assert compared is not None
    assert compared.name == ""
    assert compared.now["session_hours"] == 1  # of an evening's three, two are after midnight
    assert compared.before["session_hours"] == round(Decimal(80) / 60, 6)
    shown = work_tables.key_figures(read_work(source, later, begins))
    assert "\N{MINUS SIGN}0.33 from 1.33" in shown


def test_a_book_that_begins_with_the_range_shows_the_change_of_its_last_month(
    source: Source,
) -> None:
    long = WorkFilters(first=date(2025, 9, 1), last=date(2025, 10, 31))
    work = read_work(source, long, date(2025, 9, 1))
    assert work.comparison is not None
    assert work.comparison.name == "Oct 2025"
    assert work.comparison.before["session_hours"] == 0
    assert "Oct 2025: 4.83<br>" in work_tables.key_figures(work)
    assert read_work(source, OCTOBER, date(2025, 10, 1)).comparison is None


def test_lanes_are_days_of_the_book_and_streams_of_a_session(work: Work) -> None:
    drawn = lanes(work.timeline.intervals)
    assert drawn.labels == [
        "12 Oct · unattributed",
        "10 Oct · Ada <1>",
        "10 Oct · Ada <1>",
        "9 Oct · Ada <1>",
        "8 Oct · Ada <1>",
        "8 Oct · \N{RIGHTWARDS ARROW WITH HOOK} scout",
    ]
    found = {
        (piece.lane, piece.kind, round(piece.start, 4), piece.end and round(piece.end, 4))
        for piece in drawn.pieces
    }
    assert found == {
        (0, WORKING, 9.0, 9.5),
        (1, UNKNOWN, 9.0, None),
        (2, WORKING, 0.0, 2.0),
        (3, WORKING, 23.0, 24.0),
        (4, WORKING, 9.0, 9.5),
        (4, WAITING, 9.5, round(9 + 34 / 60, 4)),
        (4, WORKING, round(9 + 34 / 60, 4), round(9 + 50 / 60, 4)),
        (4, TOO_LONG, round(9 + 50 / 60, 4), 10.5),
        (4, WORKING, 10.5, 11.0),
        (5, WORKING, round(9 + 10 / 60, 4), round(9 + 40 / 60, 4)),
    }
    assert drawn.span == (0, 24)


def test_the_newest_lanes_are_drawn_and_the_note_says_so() -> None:
    begin = datetime(2025, 10, 1, 8, tzinfo=UTC)
    rows = [
        interval(begin + timedelta(minutes=n), begin + timedelta(minutes=n + 5), f"s{n:03}")
        for n in range(100)
    ]
    drawn = lanes(pl.DataFrame(rows))
    assert len(drawn.labels) == MOST_LANES
    shown = {piece.row["session_id"] for piece in drawn.pieces}
    assert shown == {f"s{n:03}" for n in range(60, 100)}
    assert min(drawn.pieces, key=lambda piece: piece.lane).row["session_id"] == "s099"
    note = work_tables.timeline_note(drawn, Timeline(pl.DataFrame(rows), 20_000), "Europe/Berlin")
    assert note.startswith("the newest 40 of 20,000 sessions")
    assert note.endswith("times in Europe/Berlin")
    assert drawn.span == (9, 13)  # the last of them begins at 9:39


def test_an_interval_of_years_has_its_last_days_drawn() -> None:
    years = interval(
        datetime(2005, 1, 1, tzinfo=UTC), datetime(2025, 10, 1, 6, tzinfo=UTC), counted=True
    )
    drawn = lanes(pl.DataFrame([years]))
    assert len(drawn.labels) == MOST_LANES
    assert drawn.labels[0] == "1 Oct · Nora"
    newest = {piece.lane: (piece.start, piece.end) for piece in drawn.pieces}
    assert (newest[0], newest[1]) == ((0.0, 6.0), (0.0, 24.0))


def test_an_hour_that_comes_twice_ends_no_earlier_than_it_began() -> None:
    first = datetime(2025, 10, 26, 0, 50, tzinfo=UTC).astimezone(BERLIN)
    then = datetime(2025, 10, 26, 1, 10, tzinfo=UTC).astimezone(BERLIN)
    [piece] = lanes(pl.DataFrame([interval(first, then)])).pieces
    assert piece.end is not None
    assert piece.end >= piece.start


def test_an_interval_that_ends_at_midnight_is_of_one_day() -> None:
    row = interval(datetime(2025, 10, 1, 22, tzinfo=UTC), datetime(2025, 10, 2, 0, tzinfo=UTC))
    [piece] = lanes(pl.DataFrame([row])).pieces
    assert (piece.start, piece.end) == (22.0, 24.0)


def test_opened_sessions_are_those_of_the_macros(source: Source) -> None:
    ada = read_opened(source, "node:ada", OCTOBER)
    assert ada is not None
    assert ada.label == "Ada <1>"
    assert ada.sessions.to_dicts() == books.answer(
        source.path, f"session_list({RANGE}, node := 'ada')"
    )
    assert set(ada.timeline.intervals["session_id"]) == {"day", "night", "open"}
    assert ada.timeline.sessions == 3
    nobody = read_opened(source, "node:-", OCTOBER)
    assert nobody is not None
    assert nobody.label == "what has no node"
    assert nobody.sessions["session_id"].to_list() == ["nobody"]
    assert set(nobody.timeline.intervals["session_id"]) == {"nobody"}
    ghost = read_opened(source, "node:ghost", OCTOBER)
    assert ghost is not None
    assert ghost.label == "unattributed (ghost)"
    project = read_opened(source, "project:mill", OCTOBER)
    assert project is not None
    assert project.label == "The Mill"


@pytest.mark.parametrize("opened", ["", "ada", "node:", "planet:mars", "node_id IS NULL:x"])
def test_nonsense_opens_nothing(source: Source, opened: str) -> None:
    assert read_opened(source, opened, OCTOBER) is None


def test_the_overview_is_bounded_by_work(source: Source) -> None:
    overview = read_work_overview(source)
    assert (overview.first, overview.last) == (date(2025, 10, 1), date(2025, 10, 31))
    assert overview.timezone == "Europe/Berlin"


def test_profit_per_hour_has_the_nodes_with_hours(source: Source) -> None:
    hours = read_profit_hours(source, Filters(first=OCTOBER.first, last=OCTOBER.last))
    macro = {row["node_id"]: row for row in books.answer(source.path, f"work_profit({RANGE})")}
    assert {row["node_id"]: row for row in hours.drop("key", "label").to_dicts()} == {
        node: row for node, row in macro.items() if row["session_hours"]
    }
    every = pl.DataFrame({"key": ["rig", "ada"]})
    shown = nodes.with_hours(every, hours)["profit_per_session_hour"].to_list()
    assert shown == [None, macro["ada"]["profit_per_session_hour"]]
    assert nodes.with_hours(every, pl.DataFrame()) is every


def test_a_book_without_hours_has_none_to_show(tmp_path: Path) -> None:
    empty = Source(books.losing(tmp_path / "book.duckdb"), 0)
    assert read_profit_hours(empty, Filters()).is_empty()


def test_bars_of_hours_tell_the_macros_figures(work: Work) -> None:
    rows = values(work_charts.groups_chart(work.nodes, work_charts.HOURS))
    ada = {row["series"]: row for row in rows if row["key"] == "ada"}
    [expected] = work.nodes.filter(pl.col("node_id") == "ada").to_dicts()
    assert {name: row["told"] for name, row in ada.items()} == {
        "Session hours": money(expected["session_hours"]),
        "Wall hours": money(expected["wall_hours"]),
        "Agent hours": money(expected["agent_hours"]),
    }
    assert {row["key"] for row in rows} == {"ada", nodes.WITHOUT_NODE}


def test_what_is_not_known_has_no_bar() -> None:
    frame = pl.DataFrame(
        {
            "key": ["a"],
            "label": ["A"],
            "agent_hours": [Decimal(1)],
            "revenue_per_session_hour": pl.Series([None], dtype=pl.Decimal(38, 2)),
            "profit_per_session_hour": [Decimal("-2.50")],
        }
    )
    rows = values(work_charts.groups_chart(frame, work_charts.EARNED))
    assert [(row["value"], row["told"]) for row in rows] == [
        (None, "\N{EN DASH}"),
        (-2.5, "\N{MINUS SIGN}2.50"),
    ]


def test_failure_rates_mirror_the_success_rates_and_their_interval(work: Work) -> None:
    rows = {row["label"]: row for row in values(work_charts.tools_chart(work.tools))}
    assert set(rows) == {"Bash", "Read <1>"}  # of Ask it is not known how it ended
    bash = rows["Bash"]
    assert bash["told"] == "3 of 7"
    assert bash["value"] == pytest.approx(300 / 7, abs=0.01)
    # Wilson's interval for 3 of 7.
    assert bash["low"] == pytest.approx(15.82, abs=0.01)
    assert bash["high"] == pytest.approx(74.95, abs=0.01)


def test_errors_tell_how_they_were_resolved(work: Work) -> None:
    shown = work_tables.resolution_table(work.resolution)
    assert (
        '<tr class="pnl-sum"><th scope="row">All</th><td>2</td><td>3</td><td>1</td><td>1</td>'
    ) in shown
    assert "2\N{NARROW NO-BREAK SPACE}min 0\N{NARROW NO-BREAK SPACE}s" in shown
    assert '<th scope="row">exit code</th>' in shown


def test_edits_and_commits_stand_apart(work: Work) -> None:
    added = {
        (row["origin"], row["file_class"]): row["lines_added"] for row in work.activity.to_dicts()
    }
    assert added == {
        ("edit", "source"): 35,
        ("commit", "source"): 35,
        ("commit", "lock"): 900,
        ("commit", "binary"): None,
    }
    commits = work.activity.filter(pl.col("origin") == "commit")
    shown = work_tables.lines_table(commits, "Lines in commits", per_hour=False)
    assert "per session hour" not in shown
    rows = values(work_charts.lines_chart(commits))
    assert {(row["label"], row["series"], row["value"]) for row in rows} == {
        ("source", "added", 35),
        ("source", "deleted", -4),
        ("lock", "added", 900),
        ("lock", "deleted", -1),
    }


def test_unknown_models_cost_nothing_that_is_known(work: Work) -> None:
    shown = work_tables.models_table(work.models)
    assert '<th scope="row">model not told</th>' in shown
    assert "≥ 0.6235" in shown
    assert [(bar.label, bar.said) for bar in work_charts.model_bars(work.models)] == [
        ("known-1", "≥ 0.6235")
    ]


def test_pictures_are_drawn_in_fixed_colours(work: Work) -> None:
    drawn = lanes(work.timeline.intervals)
    edits = work.activity.filter(pl.col("origin") == "edit")
    heading = ("Title", "below")
    for chart in (
        work_charts.timeline_chart(drawn, PRINT, heading),
        work_charts.groups_chart(work.nodes, work_charts.HOURS, PRINT, heading),
        work_charts.groups_chart(work.nodes.clear(), work_charts.HOURS, PRINT, heading),
        work_charts.tools_chart(work.tools, PRINT, heading),
        work_charts.lines_chart(edits, PRINT, heading),
    ):
        assert "var(" not in str(chart.to_dict())
        assert exports.png(chart).startswith(b"\x89PNG\r\n\x1a\n")


def test_the_sample_book_shows_the_published_figures(run: Run, tmp_path: Path) -> None:
    demo = books.demo(tmp_path / "demo.duckdb")
    shown, variables = run(demo)
    [alex] = variables["work"].nodes.filter(pl.col("key") == "alex-architect-ai").to_dicts()
    assert alex["total_sessions"] == 45
    assert alex["session_hours"] == Decimal("67.5")
    assert alex["revenue_per_session_hour"] == Decimal("74.07")
    for told in ("45", "67.50", "74.07"):
        assert told in shown
    assert "work from Sep 2025 to Oct 2025" in shown


def test_little_known_work_is_shown(run: Run, book: Path) -> None:
    shown, variables = run(book)
    assert "opened" not in variables
    assert "4 sessions, a lane for each day and subagent; times in Europe/Berlin" in shown
    for file in ("session_files", "node_files", "tool_files", "model_files", "activity_files"):
        assert variables[file]


def test_one_session_without_an_end_is_enough(run: Run, tmp_path: Path) -> None:
    shown, variables = run(work_books.one_session(tmp_path / "book.duckdb"))
    assert "1 without a known time, in no hours" in shown
    assert "No hours are known." in shown
    assert "No use of a tool is known." in shown
    assert variables["overview"].first == date(2025, 11, 1)  # in Berlin
    assert "tool_files" not in variables


def test_thousands_of_sessions_and_nodes_are_shown(run: Run, tmp_path: Path) -> None:
    shown, variables = run(work_books.crowded(tmp_path / "book.duckdb"))
    assert len(variables["work"].sessions) == 20_000
    assert len(variables["work"].nodes) == 2_000
    assert "the newest 40 of 20,000 sessions" in shown


@pytest.mark.parametrize("make", [books.empty, books.losing], ids=["empty", "without-work"])
def test_a_book_without_work_says_how_to_load(
    run: Run, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    shown, variables = run(make(tmp_path / "book.duckdb"))
    assert "No work in this book yet" in shown
    assert "pnlbook demo" in shown
    assert "work" not in variables


def test_without_a_book_there_is_one_sentence(run: Run, tmp_path: Path) -> None:
    shown, variables = run(tmp_path / "none.duckdb")
    assert "No book at" in shown
    assert variables["overview"] is None


def test_commits_alone_are_work(run: Run, book: Path, tmp_path: Path) -> None:
    commits = tmp_path / "commits.duckdb"
    commits.write_bytes(book.read_bytes())
    with open_book(commits, write=True) as connection:
        for table in ("work_sessions", "work_tasks", "tool_usage", "communication_log"):
            connection.execute(f"DELETE FROM {table}")
        connection.execute("DELETE FROM error_log; DELETE FROM work_intervals")
    shown, variables = run(commits)
    assert "Lines in commits, by class of file" in shown
    assert "Nothing is known of when it was." in shown
    assert variables["work"].figures["session_hours"] == 0
