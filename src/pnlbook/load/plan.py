"""Which table a source goes to and which of its columns is which, before any row is read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.errors import UsageError
from pnlbook.load.result import FileRejected
from pnlbook.load.tables import BY_NAME, TABLES, Column, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType
    from collections.abc import Sequence

    from pnlbook.load.mapping import Mapping
    from pnlbook.load.request import Request
    from pnlbook.load.result import LoadOptions
    from pnlbook.load.sources import Source

DEFAULT_SOURCE = "file"


class UnknownTable(UsageError):
    """A table was named that cannot be loaded."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no table {name!r} to load. Tables: {', '.join(BY_NAME)}.")


class UnknownColumn(UsageError):
    """A mapping or constant names a column that the table or the file does not have."""

    def __init__(self, where: str, name: str, known: Sequence[str]) -> None:
        super().__init__(f"{where} has no column {name!r}. Its columns: {', '.join(known)}.")


@dataclass(frozen=True)
class Plan:
    """How the columns of one source become those of its table.

    taken: column of the table → number of the source's column. key: number of the source's column
    that is the row's key in its source, None to make one from the content.
    """

    table: Table
    names: tuple[str, ...]
    columns: MappingType[str, Column]
    taken: MappingType[str, int]
    constants: MappingType[str, str]
    key: int | None
    source: str
    timezone: str
    mapping: Mapping
    recognised_by: str
    notes: tuple[str, ...]

    @property
    def given(self) -> tuple[str, ...]:
        """The table's columns that the rows bring, in the table's order."""
        return tuple(name for name in self.columns if name in self.taken or name in self.constants)

    def record(self) -> str:
        """Return as JSON what made this source's bytes into these rows."""
        return json.dumps(
            {
                "columns": dict(self.taken),
                "constants": dict(self.constants),
                "timezone": self.timezone,
                **self.mapping.model_dump(
                    include={"values", "nulls", "date_format", "decimal", "sheet"},
                    exclude_defaults=True,
                ),
            },
            sort_keys=True,
        )


@dataclass(frozen=True)
class _Header:
    """The columns of a source, held against the tables."""

    source: Source
    names: tuple[str, ...]
    mapping: Mapping
    constants: MappingType[str, str]
    schema: Schema

    def recognised(self, table: Table) -> set[str]:
        """Return the table's columns that the source names, by their names or others."""
        plain = {_plain(name) for name in self.names}
        own = {c.name for c in self.schema.columns[table.name] if table.gives(c.name)}
        other = {name for name, aliases in table.aliases.items() if plain & set(aliases)}
        return (own & plain) | other | set(self.mapping.columns)

    def missing(self, table: Table) -> list[tuple[str, ...]]:
        """Return the groups of required columns of which the source gives none."""
        found = self.recognised(table) | set(self.constants)
        return [group for group in table.required if not found & set(group)]

    def score(self, table: Table) -> int:
        """Return how well the source fits the table."""
        found = self.recognised(table)
        required = {name for group in table.required for name in group}
        return 10 * len(required & found) + len(found)


def make_plan(
    request: Request, names: tuple[str, ...], options: LoadOptions, schema: Schema
) -> Plan:
    """Decide the table and the columns of a source with columns `names`.

    Raises FileRejected when it fits no table or lacks a column, UsageError for a wrong mapping.
    """
    source, mapping = request.source, request.mapping
    _check_names(source, names)
    constants = {k: _constant(v) for k, v in mapping.constants.items()} | dict(options.constants)
    header = _Header(source, names, mapping, constants, schema)
    table, reason = _table(header, options.table)
    _check_required(header, table)
    columns = {column.name: column for column in schema.columns[table.name]}
    taken = _taken(header, table, [name for name in columns if table.gives(name)])
    key = taken.pop(table.id_column, None) if table.numbered else None
    return Plan(
        table=table,
        names=tuple(name or f"column {i}" for i, name in enumerate(names, 1)),
        columns=columns,
        taken=taken,
        constants={k: v for k, v in constants.items() if k not in taken},
        key=key,
        source=options.source or mapping.source or DEFAULT_SOURCE,
        timezone=request.timezone,
        mapping=mapping,
        recognised_by=reason,
        notes=_left_out(header, table, {*taken.values(), key}),
    )


def _constant(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _left_out(header: _Header, table: Table, used: set[int | None]) -> tuple[str, ...]:
    ignored = header.mapping.ignore
    left = [n for i, n in enumerate(header.names) if i not in used and n and n not in ignored]
    if not left:
        return ()
    note = (
        f"not loaded, {table.name} has no such column: {', '.join(left)}. "
        "Map it in load.toml (columns), or list it there under 'ignore'."
    )
    return (note,)


def _check_names(source: Source, names: tuple[str, ...]) -> None:
    seen = [name for name in names if name]
    twice = sorted({name for name in seen if seen.count(name) > 1})
    if twice:
        problem = f"the header names {', '.join(map(repr, twice))} more than once."
        raise FileRejected(source.location, problem)


def _table(header: _Header, asked: str | None) -> tuple[Table, str]:
    for name, reason in ((asked, "as asked"), (header.mapping.table, "by the mapping file")):
        if name is not None:
            if name not in BY_NAME:
                raise UnknownTable(name)
            return BY_NAME[name], reason
    fitting = [table for table in TABLES if not header.missing(table)]
    named = BY_NAME.get(_plain(header.source.name.split(".", 1)[0]))
    if named is not None and (named in fitting or not fitting):
        return named, "by the file's name"
    if not fitting:
        raise FileRejected(header.source.location, _unfit(header))
    top = max(header.score(table) for table in fitting)
    best = [table for table in fitting if header.score(table) == top]
    if len(best) > 1:
        alike = " and ".join(table.name for table in best)
        problem = f"its columns fit {alike} alike. Say which with --as TABLE."
        raise FileRejected(header.source.location, problem)
    return best[0], f"by its columns ({', '.join(sorted(header.recognised(best[0])))})"


def _unfit(header: _Header) -> str:
    """Say why no table fits, with the nearest one and what it lacks."""
    text = f"its columns ({', '.join(header.names)}) fit no table"
    if len(header.names) == 1:
        return f"{text}. Is the delimiter right (--delimiter)? Does line 1 name the columns?"
    near = max(TABLES, key=lambda table: (header.score(table), -len(header.missing(table))))
    if not header.score(near):
        return f"{text}. Does line 1 name the columns? Map them in load.toml, or name --as TABLE."
    missing = header.missing(near)
    lacks = " and ".join(" or ".join(group) for group in missing)
    return (
        f"{text}; the nearest is {near.name}, which also needs {lacks}. Map the columns in "
        f"load.toml, give a value for all rows (--set {missing[0][0]}=…), or name another "
        "table with --as."
    )


def _check_required(header: _Header, table: Table) -> None:
    loadable = [c.name for c in header.schema.columns[table.name] if table.gives(c.name)]
    for name in (*header.mapping.columns, *header.mapping.values, *header.constants):
        if name not in loadable:
            raise UnknownColumn(table.name, name, loadable)
    for name in header.mapping.columns.values():
        if name not in header.names:
            raise UnknownColumn(header.source.location, name, header.names)
    for group in header.missing(table)[:1]:
        others = [alias for name in group for alias in table.aliases.get(name, ())]
        also = f" (also looked for {', '.join(others)})" if others else ""
        raise FileRejected(
            header.source.location,
            f"{table.name} needs a column {' or '.join(group)}{also}; the file has "
            f"{', '.join(header.names) or 'none'}. Map it in load.toml, or give a value for all "
            f"rows with --set {group[0]}=….",
        )


def _taken(header: _Header, table: Table, loadable: list[str]) -> dict[str, int]:
    """Return for each column of the table the number of the column of the source that gives it."""
    plain = {_plain(name): i for i, name in reversed(list(enumerate(header.names)))}
    taken = {column: header.names.index(n) for column, n in header.mapping.columns.items()}
    for exact in (True, False):
        for column in loadable:
            aliases = (column,) if exact else table.aliases.get(column, ())
            free = [plain[a] for a in aliases if a in plain and plain[a] not in taken.values()]
            if column not in taken and free:
                taken[column] = free[0]
    return taken


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
