"""A timeline as lanes: one for each stream of a session and day of the book, newest day first.

Places are hours on the book's clock since midnight of the lane's day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from pnlbook.reports.backup_words import instant, seconds
from pnlbook.reports.figures import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import polars as pl

MOST_LANES = 40  # more would be a page of their own
DAY = 24.0

# Kinds as a reader sees them; the looks differ in thickness as well as in colour.
WORKING = "at work (thick)"
WAITING = "waiting for a person (thin)"
TOO_LONG = "waiting too long to count (line)"
UNKNOWN = "time not known (diamond)"
KINDS = (WORKING, WAITING, TOO_LONG, UNKNOWN)

_Place: TypeAlias = "tuple[date, str, str]"


@dataclass(frozen=True)
class Piece:
    """What of an interval lies in one day; end is None where no end is known."""

    lane: int
    kind: str
    start: float
    end: float | None
    row: dict[str, Any]

    @property
    def told(self) -> dict[str, str]:
        """Return what is said of it, by heading."""
        row = self.row
        until = instant(row["ended_at"]) if row["ended_at"] else NO_DATA
        return {
            "Session": row["session_id"],
            "Subagent": row["agent_id"] or "none, the main agent",
            "Node": _known(row, "node"),
            "Project": _known(row, "project"),
            "What": self.kind,
            "From": instant(row["started_at"]),
            "To": until,
            "For": seconds(row["seconds"]),
        }


@dataclass(frozen=True)
class Lanes:
    """The newest lanes of a timeline with their labels, from the top, and what is in them."""

    labels: list[str]
    pieces: list[Piece]
    sessions: int

    @property
    def span(self) -> tuple[float, float]:
        """Return the whole hours that hold all pieces, four at least where a day has room."""
        ends = [place for piece in self.pieces for place in (piece.start, piece.end or piece.start)]
        first = float(int(min(ends, default=0.0)))
        last = float(-int(-max(ends, default=DAY) // 1))
        last = max(last, min(first + 4, DAY))
        return max(min(first, last - 4), 0.0), last


def lanes(intervals: pl.DataFrame) -> Lanes:
    """Return the newest lanes of the rows of session_timeline, which come newest first."""
    found: dict[_Place, list[tuple[str, float, float | None, dict[str, Any]]]] = {}
    for row in intervals.iter_rows(named=True):
        for day, start, end in _days(row["started_at"], row["ended_at"]):
            place = day, row["session_id"], row["agent_id"]
            found.setdefault(place, []).append((_kind(row), start, end, row))
    shown = _newest(found)
    form = "%b" if len({day.year for day, _, _ in shown}) == 1 else "%b %Y"
    labels, pieces = [], []
    for at, place in enumerate(shown):
        day, _, agent = place
        row = found[place][0][-1]
        name = f"\N{RIGHTWARDS ARROW WITH HOOK} {agent}" if agent else _known(row, "node")
        labels.append(f"{day.day} {day:{form}} \N{MIDDLE DOT} {name}")
        pieces += [Piece(at, *piece) for piece in found[place]]
    return Lanes(labels, pieces, len({session for _, session, _ in shown}))


def _newest(
    found: dict[_Place, list[tuple[str, float, float | None, dict[str, Any]]]],
) -> list[_Place]:
    """Return the newest places, newest first: of a session the main agent, then its subagents."""
    begun: dict[tuple[date, str], float] = {}
    for (day, session, _), pieces in found.items():
        first = min(start for _, start, _, _ in pieces)
        begun[day, session] = min(first, begun.get((day, session), DAY))
    by_name = sorted(found, key=lambda place: place[1:])
    return sorted(by_name, key=lambda place: (place[0], begun[place[:2]]), reverse=True)[
        :MOST_LANES
    ]


def _days(started: datetime, ended: datetime | None) -> Iterator[tuple[date, float, float | None]]:
    """Yield the last days of an interval, each with its places, cut at midnights."""
    if ended is None:
        yield started.date(), _hours(started), None
        return
    first = max(started.date(), ended.date() - timedelta(days=MOST_LANES))
    for number in range((ended.date() - first).days + 1):
        day = first + timedelta(days=number)
        start = _hours(started) if day == started.date() else 0.0
        end = _hours(ended) if day == ended.date() else DAY
        if end > 0 or day == started.date():
            # An hour that comes twice may end before it began.
            yield day, start, max(start, end)


def _hours(at: datetime) -> float:
    midnight = datetime.combine(at.date(), time())
    return (at.replace(tzinfo=None) - midnight) / timedelta(hours=1)


def _kind(row: dict[str, Any]) -> str:
    if row["kind"] == "busy":
        return WORKING
    if row["kind"] == "idle":
        return WAITING if row["counted"] else TOO_LONG
    return UNKNOWN


def _known(row: dict[str, Any], what: str) -> str:
    """Return the name of a row's node or project, the id of one that the book does not know."""
    name, id_ = row[f"{what}_name"], row[f"{what}_id"]
    return f"{id_}" if name == "unattributed" and id_ is not None else str(name)
