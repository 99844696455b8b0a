"""What a report says about the book itself, and what its filters offer."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pnlbook.reports.memory import remembered
from pnlbook.reports.query import Call

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from pnlbook.reports.query import Reader, Source

# More would only burden the browser; any other can still be named in the URL.
MOST_CHOICES = 20_000

_HEAD = """
SELECT
    (SELECT value FROM book_settings WHERE name = 'timezone') AS timezone,
    (SELECT strftime(max(committed_at), '%Y-%m-%d %H:%M') FROM loads WHERE status = 'loaded')
        AS last_load
"""
_NODES = "SELECT node_id AS id, node_name AS name FROM nodes ORDER BY lower(name), id LIMIT $1"
_PROJECTS = (
    "SELECT project_id AS id, project_name AS name FROM projects ORDER BY lower(name), id LIMIT $1"
)


@dataclass(frozen=True)
class Overview:
    """A book as a report introduces it.

    first and last bound the months with facts, None in an empty book; nodes and projects are the
    ids by the label that a reader chooses from.
    """

    name: str
    timezone: str
    last_load: str | None
    first: date | None
    last: date | None
    nodes: dict[str, str]
    projects: dict[str, str]

    @property
    def recent(self) -> date | None:
        """Return the first of the last twelve months, so that there may be a period before."""
        if self.first is None or self.last is None:
            return None
        year_before = self.last.replace(year=self.last.year - 1, day=1)
        return max(self.first, month_end(year_before) + timedelta(days=1))


@remembered
def read_overview(source: Source) -> Overview:
    """Read the overview of a book."""
    with source.reader() as reader:
        head = reader.rows(_HEAD).row(0, named=True)
        months: list[date] = reader.call(Call("platform_profit", {}))["month"].to_list()
        return Overview(
            name=source.path.stem,
            timezone=head["timezone"] or "UTC",
            last_load=head["last_load"],
            first=min(months, default=None),
            last=month_end(max(months)) if months else None,
            nodes=_choices(reader, _NODES),
            projects=_choices(reader, _PROJECTS),
        )


def with_choice(choices: dict[str, str], chosen: str | None) -> dict[str, str]:
    """Return the choices with one that only a URL or a fact knows."""
    if chosen is None or chosen in choices.values():
        return choices
    return {chosen: chosen, **choices}


def offered(
    everything: str, choices: Mapping[str, str], chosen: str | None
) -> dict[str, str | None]:
    """Return what a reader may choose from, by label; the first entry chooses none of the ids."""
    return {everything: None, **with_choice(dict(choices), chosen)}


def label_of(choices: Mapping[str, str | None], chosen: str | None) -> str | None:
    """Return the label of an id."""
    return next((label for label, value in choices.items() if value == chosen), None)


def _choices(reader: Reader, statement: str) -> dict[str, str]:
    rows = reader.rows(statement, [MOST_CHOICES]).rows()
    return {f"{name} · {id_}" if name and name != id_ else id_: id_ for id_, name in rows}


def month_end(month: date) -> date:
    """Return the last day of the month of a day."""
    return month.replace(day=monthrange(month.year, month.month)[1])
