"""JSON arrays and JSON lines; numbers keep the digits they are written with.

A double would lose digits of an amount, so numbers are never read as one. Rows are kept in the
scratch database as objects of texts, and columns are taken from there.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pnlbook.book import quote, run
from pnlbook.load.formats.raw import Lines, Raw
from pnlbook.load.result import FileRejected, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from pnlbook.load.mapping import Mapping
    from pnlbook.load.sources import Prepared

_BATCH = 20_000
_NO_ARRAY = "an array or object must begin here"
_CUT_SHORT = "the array is cut short or lacks a comma"


class _NotARow(ValueError):
    """What stands where a row should be is none; the message says why."""


@dataclass(frozen=True)
class _Row:
    line: int
    values: dict[str, str | None]


def read(
    scratch: duckdb.DuckDBPyConnection, prepared: Prepared, mapping: Mapping, name: str
) -> Raw:
    """Read JSON lines, or a JSON array of objects (alone, or the only list of an object).

    A row's line is the line on which its object begins.
    """
    _ = mapping
    rejects: list[Reject] = []
    rows = _lines(prepared, rejects) if prepared.format == "jsonl" else _array(prepared, rejects)
    run(scratch, f"CREATE TABLE stage.{name}_docs (line BIGINT, doc VARCHAR)")
    columns: dict[str, None] = {}
    while batch := list(itertools.islice(rows, _BATCH)):
        for row in batch:
            columns.update(dict.fromkeys(row.values))
        docs = pa.table(
            {
                "line": pa.array([row.line for row in batch], pa.int64()),
                "doc": pa.array([json.dumps(row.values) for row in batch], pa.string()),
            }
        )
        scratch.register("json_batch", docs)
        run(scratch, f"INSERT INTO stage.{name}_docs FROM json_batch")
        scratch.unregister("json_batch")
    texts = [f"doc ->> {quote(_pointer(key))} AS c{i}" for i, key in enumerate(columns)]
    line = f"(SELECT line FROM stage.{name}_docs AS d WHERE d.rowid = s.rowid)"
    return Raw(
        tuple(columns),
        f"(SELECT {', '.join(texts) or 'line'} FROM stage.{name}_docs)",
        lambda _rows: Lines(line, rejects),
    )


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _lines(prepared: Prepared, rejects: list[Reject]) -> Iterator[_Row]:
    location = prepared.source.location
    with prepared.path.open("rb") as file:
        for number, data in enumerate(file, 1):
            text = data.decode("utf-8", errors="backslashreplace").strip("\ufeff \t\r\n")
            if not text:
                continue
            try:
                data.decode("utf-8")
                yield _Row(number, _texts(_DECODER.decode(text)))
            except UnicodeDecodeError as error:
                reason = f"byte {error.object[error.start]:#04x} is not UTF-8; see --encoding"
                rejects.append(Reject(location, number, None, None, reason, text))
            except json.JSONDecodeError as error:
                reason = f"not JSON: {error.msg} at character {error.pos + 1}"
                rejects.append(Reject(location, number, None, None, reason, text))
            except _NotARow as error:
                rejects.append(Reject(location, number, None, None, str(error), text))


def _array(prepared: Prepared, rejects: list[Reject]) -> Iterator[_Row]:
    location = prepared.source.location
    try:
        text = prepared.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} is not UTF-8. Name the encoding with --encoding."
        raise FileRejected(location, problem) from error
    line, seen = 1, 0
    for start, end, value in _elements(location, text):
        line += text.count("\n", seen, start)
        seen = start
        try:
            yield _Row(line, _texts(value))
        except _NotARow as error:
            rejects.append(Reject(location, line, None, None, str(error), text[start:end]))


def _elements(location: str, text: str) -> Iterator[tuple[int, int, Any]]:
    """Yield (start, end, value) of each element of the array that `text` is or holds."""
    try:
        start = _skip(text, 0)
        if text[start : start + 1] == "{":
            yield from _wrapped(text, start)
            return
        yield from _list(text, start)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, character {error.colno}: {error.msg}."
        raise FileRejected(location, problem) from error


def _list(text: str, start: int) -> Iterator[tuple[int, int, Any]]:
    if text[start : start + 1] != "[":
        raise json.JSONDecodeError(_NO_ARRAY, text, start)
    at = _skip(text, start + 1)
    while text[at : at + 1] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield at, end, value
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError(_CUT_SHORT, text, at)


def _wrapped(text: str, start: int) -> Iterator[tuple[int, int, Any]]:
    """Yield the elements of the only list of an object, or the object itself as one row."""
    pairs, end = _DECODER.raw_decode(text, start)
    lists = [key for key, value in pairs.items() if isinstance(value, list)]
    if len(lists) != 1 or not all(isinstance(item, dict) for item in pairs[lists[0]]):
        yield start, end, pairs
        return
    opening = text.index("[", text.index(json.dumps(lists[0], ensure_ascii=False), start))
    yield from _list(text, opening)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        message = f"key {twice!r} stands twice in one object"
        raise _NotARow(message)
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=str, parse_int=str, parse_constant=str
)


def _texts(value: Any) -> dict[str, str | None]:  # noqa: ANN401 - any JSON value may stand there
    if not isinstance(value, dict):
        message = "a row must be an object of columns and values"
        raise _NotARow(message)
    return {key: _text(item) for key, item in value.items()}


def _text(value: Any) -> str | None:  # noqa: ANN401 - any JSON value may stand there
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value)
