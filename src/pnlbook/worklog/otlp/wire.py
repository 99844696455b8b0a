"""OTLP JSON: its spans and log records, with their attributes as plain values.

64-bit integers are written as text, instants in nanoseconds since 1970. A value of another type
than it should have is taken as not told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from pnlbook.worklog.lines import NotARecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LARGEST = 2**53
_LAST = 253_402_300_800_000_000  # the year 10,000, in microseconds since 1970
_USD = Decimal("1e-12")
_DEAREST = 10**11
_FAILED = frozenset({2, "2", "STATUS_CODE_ERROR"})


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes by name."""

    values: Mapping[str, object]

    def text(self, *names: str) -> str | None:
        """Return the first of the attributes that is a text and not empty."""
        values = (self.values.get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value), None)

    def count(self, *names: str) -> int | None:
        """Return the first of the attributes that is a whole number, also as text."""
        numbers = (_whole(self.values.get(name)) for name in names)
        return next((number for number in numbers if number is not None), None)

    def usd(self, name: str) -> Decimal | None:
        """Return an amount, as exact as it was written, to twelve places."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            return None
        if not amount.is_finite() or not 0 <= amount < _DEAREST:
            return None
        return amount.quantize(_USD, ROUND_HALF_UP)

    def flag(self, name: str) -> bool | None:
        """Return a truth value, also as text."""
        value = self.values.get(name)
        if isinstance(value, str):
            return {"true": True, "false": False}.get(value.lower())
        return value if isinstance(value, bool) else None

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list."""
        value = self.values.get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def starts_with(self, prefix: str) -> bool:
        """Whether any name begins so."""
        return any(name.startswith(prefix) for name in self.values)


@dataclass(frozen=True, slots=True)
class Span:
    """A span, or a log record (no duration; its name is that of the event)."""

    resource: Attributes
    attributes: Attributes
    name: str
    trace_id: str | None
    span_id: str | None
    parent_id: str | None
    started_at: int | None
    ended_at: int | None
    failed: bool
    said: str | None  # of the failure
    exception: Attributes


def decode(data: bytes) -> dict[str, Any]:
    """Return the object on a line. Raises NotARecord."""
    try:
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        value = _mended(data)
    if not isinstance(value, dict):
        message = "It is JSON, but not an object."
        raise NotARecord(message)
    return value


def spans(value: Mapping[str, Any]) -> Iterator[Span]:
    """Yield the spans of a line."""
    for resource, scope in _scopes(value, "resourceSpans", "scopeSpans"):
        for span in _objects(scope.get("spans")):
            yield _span(resource, span)


def logs(value: Mapping[str, Any]) -> Iterator[Span]:
    """Yield the log records of a line."""
    for resource, scope in _scopes(value, "resourceLogs", "scopeLogs"):
        for record in _objects(scope.get("logRecords")):
            yield _log(resource, record)


def metrics(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the metrics of a line."""
    for _, scope in _scopes(value, "resourceMetrics", "scopeMetrics"):
        for metric in _objects(scope.get("metrics")):
            yield str(metric.get("name"))


def _mended(data: bytes) -> object:
    """Return what a line holds, with a replacement for characters that cannot be."""
    try:
        text = json.dumps(json.loads(data.decode("utf-8", "replace")), ensure_ascii=False)
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        message = "It is not JSON."
        raise NotARecord(message) from error


def _scopes(
    value: Mapping[str, Any], outer: str, inner: str
) -> Iterator[tuple[Attributes, dict[str, Any]]]:
    for one in _objects(value.get(outer)):
        resource = one.get("resource")
        attributes = _attributes(resource if isinstance(resource, dict) else {})
        for scope in _objects(one.get(inner)):
            yield attributes, scope


def _span(resource: Attributes, span: Mapping[str, Any]) -> Span:
    status = span.get("status")
    status = status if isinstance(status, dict) else {}
    events = [one for one in _objects(span.get("events")) if one.get("name") == "exception"]
    exception = _attributes(events[-1] if events else {})
    attributes = _attributes(span)
    code = status.get("code")
    return Span(
        resource,
        attributes,
        _text(span.get("name")) or "",
        _id(span.get("traceId")),
        _id(span.get("spanId")),
        _id(span.get("parentSpanId")),
        _instant(span.get("startTimeUnixNano")),
        _instant(span.get("endTimeUnixNano")),
        (isinstance(code, int | str) and code in _FAILED) or bool(attributes.text("error.type")),
        exception.text("exception.message") or _text(status.get("message")),
        exception,
    )


def _log(resource: Attributes, record: Mapping[str, Any]) -> Span:
    attributes = _attributes(record)
    body = _value(record.get("body"))
    name = _text(record.get("eventName")) or attributes.text("event.name") or _text(body) or ""
    instant = _instant(record.get("timeUnixNano")) or _instant(record.get("observedTimeUnixNano"))
    return Span(
        resource,
        attributes,
        name[:200],
        _id(record.get("traceId")),
        _id(record.get("spanId")),
        None,
        instant,
        instant,
        bool(attributes.text("error.type")),
        attributes.text("exception.message"),
        attributes,
    )


def _attributes(of: Mapping[str, Any]) -> Attributes:
    pairs = _objects(of.get("attributes"))
    return Attributes({str(pair.get("key")): _value(pair.get("value")) for pair in pairs})


def _value(value: object) -> object:
    """Return a tagged value as it is; None where it holds none that is used."""
    if not isinstance(value, dict):
        return None
    if "intValue" in value:
        return _whole(value["intValue"])
    if "arrayValue" in value:
        array = value["arrayValue"]
        items = array.get("values") if isinstance(array, dict) else None
        return [_value(one) for one in items] if isinstance(items, list) else None
    return next(
        (value[tag] for tag in ("stringValue", "doubleValue", "boolValue") if tag in value), None
    )


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _id(value: object) -> str | None:
    text = _text(value)
    return text.lower() if text and not text.endswith("=") and text.strip("0") else None


def _instant(value: object) -> int | None:
    """Return microseconds since 1970; 0 is how an instant that is not known is written."""
    try:
        nanoseconds = int(value) if isinstance(value, int | str) else 0
    except ValueError:
        return None
    return nanoseconds // 1000 if 0 < nanoseconds // 1000 < _LAST else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= _LARGEST and float(value) == number else None
