"""The SQL that turns text columns into a table's types and says of each row what is wrong with it.

Nothing is coerced: a value that does not become its column's type without loss is a problem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pnlbook.book import identifier, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pnlbook.load.formats.raw import Raw
    from pnlbook.load.plan import Plan
    from pnlbook.load.tables import Column, Rule

_FIRST_INSTANT = "TIMESTAMPTZ '1970-01-02 00:00:00+00'"
_LAST_INSTANT = "TIMESTAMPTZ '2200-01-01 00:00:00+00'"
_AMOUNTS = ("gross_amount_usd", "costs_deducted_usd", "amount_usd")
_USD = "DECIMAL(24, 12)"
_LOWER, _UPPER = {"category"}, {"token"}


@dataclass(frozen=True)
class Problem:
    """Something that can be wrong with a row: `condition` is true of the rows that have it.

    reason: what to tell, given the value found in `column`.
    """

    column: str | None
    condition: str
    reason: Callable[[str], str]


@dataclass(frozen=True)
class Cleaning:
    """How to read one source.

    texts, typed, derived: name → SQL, each level over the one before; stored: the names that are
    staged; values: column of the table → SQL over a staged row `s` that gives it; key: SQL of the
    row's key in its source, None for keys that are columns of the table.
    """

    texts: dict[str, str]
    typed: dict[str, str]
    derived: dict[str, str]
    stored: tuple[str, ...]
    values: dict[str, str]
    key: str | None
    problems: tuple[Problem, ...]


def make_cleaning(raw: Raw, plan: Plan, rules: tuple[Rule, ...]) -> Cleaning:
    """Write the SQL for the plan of one source."""
    texts = {name: _text(raw, plan, name) for name in plan.given}
    typed = {name: _typed(plan, plan.columns[name]) for name in plan.given}
    derived = _derived(plan)
    found = {*plan.taken, *derived}
    implied = _implied(plan)
    stored = tuple(name for name in plan.columns if name in found - implied.keys())
    values = {name: f"s.{identifier(name)}" for name in stored} | implied
    values |= {name: _constant(plan, name) for name in plan.constants}
    known = {*typed, *derived}
    used = {name for rule in rules for name in _names(rule.expression) if name in plan.columns}
    for name in sorted(used - known):
        column = plan.columns[name]
        typed[name] = f"CAST({column.default or 'NULL'} AS {column.type})"
    problems = [p for name in plan.given for p in _column_problems(plan, plan.columns[name])]
    problems += _key_problems(plan)
    problems += [_rule_problem(rule) for rule in rules]
    key = _key(raw, plan, found)
    return Cleaning(texts, typed, derived, stored, values, key, tuple(problems))


def _constant(plan: Plan, name: str) -> str:
    """Return the typed value of a column that is the same in every row."""
    text = text_column(name)
    typed = _typed(plan, plan.columns[name])
    return typed.replace(text, quote(plan.constants[name]))


def text_column(name: str) -> str:
    """Return the identifier of a column's text, beside its typed value."""
    return identifier(f"{name} as text")


def _text(raw: Raw, plan: Plan, name: str) -> str:
    """Return the text of a column: nulls as NULL, mapped values replaced."""
    if name not in plan.taken:
        return quote(plan.constants[name])
    text = raw.cell(plan.taken[name])
    for null in plan.mapping.nulls:
        text = f"nullif({text}, {quote(null)})"
    values = plan.mapping.values.get(name)
    if values:
        cases = " ".join(f"WHEN {quote(old)} THEN {quote(new)}" for old, new in values.items())
        text = f"CASE {text} {cases} ELSE {text} END"
    if name in _LOWER:
        return f"lower({text})"
    return f"upper({text})" if name in _UPPER else text


def _typed(plan: Plan, column: Column) -> str:
    text = text_column(column.name)
    if column.type.startswith("DECIMAL"):
        value = f"try_cast({_number(plan, text)} AS {column.type})"
    elif column.type.startswith("TIMESTAMP"):
        value = _instant(plan, text)
    elif column.type.endswith("[]"):
        value = (
            f"CASE WHEN json_valid({text}) THEN json_transform({text}, '[\"VARCHAR\"]') "
            f"ELSE string_split({text}, ';') END"
        )
    elif column.type == "VARCHAR":
        value = text
    else:
        value = f"try_cast({text} AS {column.type})"
    if column.required and column.default is not None:
        default = f"CAST({column.default} AS {column.type})"
        return f"CASE WHEN {text} IS NULL THEN {default} ELSE {value} END"
    return value


def _number(plan: Plan, text: str) -> str:
    return f"replace(replace({text}, '.', ''), ',', '.')" if plan.mapping.decimal == "," else text


def _instant(plan: Plan, text: str) -> str:
    """Return the instant of a text; one without a zone is local time in the plan's zone."""
    zone, form = quote(plan.timezone), plan.mapping.date_format
    if form in _EPOCHS:
        count = f"try_cast({text} AS BIGINT)"
        bound = 2**62 // _EPOCHS[form]
        micros = (
            f"CASE WHEN {count} BETWEEN {-bound} AND {bound} THEN {count} * {_EPOCHS[form]} END"
        )
        return f"timezone('UTC', make_timestamp({micros}))"
    if form is not None:
        parsed = f"try_strptime({text}, {quote(form)})"
        return parsed if "%z" in form or "%Z" in form else f"timezone({zone}, {parsed})"
    if plan.timezone == "UTC":
        return f"try_cast({text} AS TIMESTAMPTZ)"
    return (
        f"CASE WHEN {_zoned(text)} THEN try_cast({text} AS TIMESTAMPTZ) "
        f"ELSE timezone({zone}, try_cast({text} AS TIMESTAMP)) END"
    )


_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


def _zoned(text: str) -> str:
    """Return SQL that is true of a text whose time of day is followed by a zone or offset."""
    return (
        f"(length({text}) > 10 AND (right({text}, 1) BETWEEN 'A' AND 'z' "
        f"OR contains({text}[11:], '+') OR contains({text}[11:], '-')))"
    )


def _derived(plan: Plan) -> dict[str, str]:
    """Return what follows from what is given: keys, amounts (rule 3: amount = gross - deducted)."""
    made = {name: _joined(plan, parts) for name, parts in plan.table.made.items() if parts}
    if "amount_usd" not in plan.columns:
        return made
    if "gross_amount_usd" not in plan.columns:
        return {} if "amount_usd" in plan.given else {"amount_usd": f"NULL::{_USD}"}
    gross, deducted, amount = (
        identifier(f"given {n}") if n in plan.given else f"NULL::{_USD}" for n in _AMOUNTS
    )
    net = "coalesce(net_of_costs, false)" if "net_of_costs" in plan.given else "false"
    known = f"CASE WHEN {net} THEN {deducted} ELSE coalesce({deducted}, 0) END"
    implied = f"try_cast({gross} - {amount} AS {_USD})"
    return {
        "gross_amount_usd": f"coalesce({gross}, try_cast({amount} + {known} AS {_USD}))",
        "costs_deducted_usd": f"coalesce({deducted}, {implied}, {known})",
        "amount_usd": f"coalesce({amount}, try_cast({gross} - {known} AS {_USD}))",
    }


def _implied(plan: Plan) -> dict[str, str]:
    """Return SQL over a staged row of what follows from its amount: nothing was deducted."""
    if "gross_amount_usd" not in plan.columns or {*_AMOUNTS[:2], "net_of_costs"} & {*plan.given}:
        return {}
    return {"gross_amount_usd": "s.amount_usd", "costs_deducted_usd": f"0::{_USD}"}


def _joined(plan: Plan, parts: tuple[str, ...]) -> str:
    """Return SQL of the columns in one text; a column that is not given has its default."""
    columns = [plan.columns[name] for name in parts]
    values = [
        identifier(c.name) if c.name in plan.given else f"CAST({c.default or 'NULL'} AS {c.type})"
        for c in columns
    ]
    return f"concat_ws(' ', {', '.join(values)})"


def _key(raw: Raw, plan: Plan, found: set[str]) -> str | None:
    if not plan.table.numbered:
        return None
    if plan.key is not None:
        return raw.cell(plan.key)
    cells = ", ".join(f"coalesce({identifier(n)}::VARCHAR, chr(30))" for n in sorted(found))
    constants = quote(repr(sorted(plan.constants.items())))
    return f"md5(concat_ws(chr(31), {constants}, {cells}))"


def _key_problems(plan: Plan) -> Iterator[Problem]:
    if plan.key is not None:
        yield Problem(
            plan.table.id_column, "row_key IS NULL", lambda _: "is empty, but is the row's key"
        )


def _column_problems(plan: Plan, column: Column) -> Iterator[Problem]:
    name, text = identifier(column.name), text_column(column.name)
    if column.name in _derived(plan):
        name = identifier(f"given {column.name}")
    if column.type != "VARCHAR" and not column.type.endswith("[]"):
        broken = f"{text} IS NOT NULL AND {name} IS NULL"
        yield Problem(column.name, broken, _broken_reason(plan, column))
    if column.type.startswith("DECIMAL"):
        yield from _loss_problems(plan, column, name)
    elif column.type.startswith("TIMESTAMP"):
        yield from _instant_problems(plan, column, name)
    elif column.type == "BIGINT":
        fraction = f"contains({text}, '.') AND try_cast({text} AS DECIMAL(38, 9)) <> {name}"
        yield Problem(column.name, fraction, lambda _: "is not a whole number")
    if column.required and column.default is None:
        yield Problem(column.name, f"{name} IS NULL", lambda _: "is empty, but every row needs it")


def _loss_problems(plan: Plan, column: Column, name: str) -> Iterator[Problem]:
    text = _number(plan, text_column(column.name))
    scale = int(re.findall(r"\d+", column.type)[1])
    yield Problem(
        column.name,
        f"(contains({text}, 'e') OR contains({text}, 'E')) AND "
        f"(try_cast({text} AS DECIMAL(38, 18)) IS DISTINCT FROM {name} "
        f"OR ({name} = 0 AND regexp_matches({text}, '^[^eE]*[1-9]')))",
        lambda _: f"has more than {scale} decimals, which would be lost; write it in plain digits",
    )
    yield Problem(
        column.name,
        f"length({text}) > {scale + 1} "
        f"AND length(rtrim(split_part({text}, '.', 2), '0 ')) > {scale}",
        lambda _: f"has more than {scale} decimals, which would be lost",
    )


def _instant_problems(plan: Plan, column: Column, name: str) -> Iterator[Problem]:
    yield Problem(
        column.name,
        f"NOT ({name} BETWEEN {_FIRST_INSTANT} AND {_LAST_INSTANT})",
        lambda _: "lies outside the years 1970 to 2199",
    )
    if plan.timezone == "UTC" or plan.mapping.date_format in _EPOCHS:
        return
    text, zone, form = text_column(column.name), quote(plan.timezone), plan.mapping.date_format
    if form is not None and ("%z" in form or "%Z" in form):
        return
    local = f"try_strptime({text}, {quote(form)})" if form else f"try_cast({text} AS TIMESTAMP)"
    zoned = "false" if form else _zoned(text)
    yield Problem(
        column.name,
        f"NOT {zoned} AND timezone({zone}, {name}) <> {local}",
        lambda _: (
            f"is no time of day in {plan.timezone}: clocks were put forward past it. "
            "Write the offset from UTC"
        ),
    )


def _broken_reason(plan: Plan, column: Column) -> Callable[[str], str]:
    if column.type.startswith("TIMESTAMP"):
        return lambda value: _time_reason(value, plan.mapping.date_format)
    if column.type.startswith("DECIMAL"):
        digits, scale = (int(number) for number in re.findall(r"\d+", column.type))
        return lambda value: _number_reason(value, digits - scale)
    if column.type == "BOOLEAN":
        return lambda _: "is neither true nor false"
    return lambda _: "is not a whole number that can be kept"


def _time_reason(value: str, form: str | None) -> str:
    if form is not None:
        return f"does not fit the date_format {form!r}"
    if re.fullmatch(r"\d{9,10}(\.\d+)?", value):
        return 'looks like seconds since 1970; set date_format = "epoch_s" in load.toml'
    if re.fullmatch(r"\d{12,13}", value):
        return 'looks like milliseconds since 1970; set date_format = "epoch_ms" in load.toml'
    if re.match(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}", value):
        return 'is not ISO 8601 (2025-10-31); set date_format in load.toml, e.g. "%d/%m/%Y"'
    return "is no date or time that exists; write ISO 8601, e.g. 2025-10-31T12:00:00Z"


def _number_reason(value: str, whole_digits: int) -> str:
    if re.fullmatch(r"\s*\(.*\)\s*", value):
        return "is in brackets; write a negative amount with a minus sign"
    if re.search(r"[$€£¥]|[A-Za-z]{3}\s*$|^\s*[A-Za-z]{3}\b", value) and "nan" not in value.lower():
        return "holds a currency sign; give the number alone, and its currency in a column 'token'"
    if "," in value:
        return 'holds a comma; remove separators, or set decimal = "," in load.toml'
    if re.fullmatch(r"\s*[+-]?[\d.]+([eE][+-]?\d+)?\s*", value) and value.count(".") < 2:  # noqa: PLR2004
        return f"is too large; at most {whole_digits} digits may stand before the point"
    return "is not a number"


def _rule_problem(rule: Rule) -> Problem:
    condition = f"NOT ({rule.expression})"
    if rule.choices:
        choices = ", ".join(rule.choices)
        return Problem(rule.column, condition, lambda _: f"is not one of {choices}")
    if "is_correction" in rule.expression:
        sentence = "is negative; only a row with is_correction = true may be"
        return Problem("amount_usd", condition, lambda _: sentence)
    if "gross_amount_usd" in rule.expression:
        sentence = "is not gross_amount_usd less costs_deducted_usd"
        return Problem("amount_usd", condition, lambda _: sentence)
    if "token_amount" in rule.expression:
        sentence = "is empty, and no token and token_amount stand for it"
        return Problem("amount_usd", condition, lambda _: sentence)
    names = _names(rule.expression)
    return Problem(
        names[0] if names else None, condition, lambda _: f"breaks the rule {rule.expression}"
    )


def _names(expression: str) -> list[str]:
    bare = re.sub(r"'[^']*'", "", expression)
    return [name for name in re.findall(r"[a-z_][a-z_0-9]*", bare) if not name.isupper()]
