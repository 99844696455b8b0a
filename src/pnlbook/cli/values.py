"""How a value of each DuckDB type is written as text and as JSON, by an SQL expression over it.

DECIMAL is written exactly, in plain digits, its trailing zeros trimmed down to two decimals; an
instant as ISO 8601 with the offset of the book's time zone; NULL stays NULL. DuckDB writes all
rows at once this way, and no value passes through a Python type that would round or overflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pnlbook.book import quote

if TYPE_CHECKING:
    from duckdb.sqltypes import DuckDBPyType

INTEGERS = frozenset(
    f"{sign}{size}int" for sign in ("", "u") for size in ("tiny", "small", "big", "huge")
) | {"integer", "uinteger"}
FLOATS = frozenset({"float", "double"})
NUMBERS = INTEGERS | FLOATS | {"decimal"}
_INSTANT = "timestamp with time zone"
_NESTED = frozenset({"list", "array", "struct", "tuple", "map"})


def text(expression: str, kind: DuckDBPyType) -> str:
    """Return the SQL of a value's text for a table, Markdown or CSV; nested values are JSON."""
    if kind.id in _NESTED:
        return json(expression, kind)
    written = f"{expression}::VARCHAR"
    if kind.id == "decimal":
        return rf"regexp_replace({written}, '(\.\d\d\d*?)0+$', '\1')"
    if kind.id == _INSTANT:
        return rf"regexp_replace({_iso(written)}, '([+-]\d\d)$', '\1:00')"
    if kind.id.startswith("timestamp"):
        return _iso(written)
    return written


def json(expression: str, kind: DuckDBPyType, depth: int = 0) -> str:
    """Return the SQL of a value's JSON text: DECIMAL and instants are strings, integers numbers.

    NaN and the infinities, which JSON has no numbers for, are the strings "nan", "inf", "-inf".
    """
    written = f"{expression}::VARCHAR"
    if kind.id == "boolean" or kind.id in INTEGERS:
        return written
    if kind.id in FLOATS:
        return f"CASE WHEN isfinite({expression}) THEN {written} ELSE '\"' || {written} || '\"' END"
    if str(kind) == "JSON":
        return f"translate({written}, chr(10) || chr(13), '  ')"
    if kind.id in _NESTED:
        return _json_nested(expression, kind, depth)
    return f"to_json({text(expression, kind)})::VARCHAR"


def _json_nested(expression: str, kind: DuckDBPyType, depth: int) -> str:
    children = cast("list[tuple[str, DuckDBPyType]]", kind.children)
    if kind.id in {"list", "array"}:
        return _json_list(expression, children[0][1], depth)
    if kind.id == "map":
        return _json_map(expression, children[1][1], depth)
    return _json_struct(expression, children, depth)


def _json_list(expression: str, child: DuckDBPyType, depth: int) -> str:
    item = f"x{depth}"
    inner = f"coalesce({json(item, child, depth + 1)}, 'null')"
    return (
        f"'[' || array_to_string(list_transform({expression}, lambda {item}: {inner}), ',') || ']'"
    )


def _json_struct(expression: str, children: list[tuple[str, DuckDBPyType]], depth: int) -> str:
    named = any(name for name, _ in children)
    parts = []
    for number, (name, child) in enumerate(children, 1):
        field = f"struct_extract_at({expression}, {number})"
        key = f"to_json({quote(name)}) || ':' || " if named else ""
        parts.append(f"{key}coalesce({json(field, child, depth + 1)}, 'null')")
    opening, closing = "{}" if named else "[]"
    inner = " || ',' || ".join(parts)
    return f"CASE WHEN {expression} IS NOT NULL THEN '{opening}' || {inner} || '{closing}' END"


def _json_map(expression: str, child: DuckDBPyType, depth: int) -> str:
    entry = f"x{depth}"
    value = f"coalesce({json(f'{entry}.value', child, depth + 1)}, 'null')"
    pair = f"to_json({entry}.key::VARCHAR) || ':' || {value}"
    pairs = f"list_transform(map_entries({expression}), lambda {entry}: {pair})"
    return f"'{{' || array_to_string({pairs}, ',') || '}}'"


def _iso(written: str) -> str:
    return rf"regexp_replace({written}, ' (\d)', 'T\1')"
