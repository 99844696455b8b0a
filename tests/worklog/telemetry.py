"""OTLP JSON for tests, as a collector's file exporter writes it."""

from __future__ import annotations

import json
from typing import Any

SECOND = 1_000_000_000
START = 1_760_000_000 * SECOND  # nanoseconds since 1970
Json = dict[str, Any]


def attributes(values: Json) -> list[Json]:
    """Return attributes in their tagged form, whole numbers as text."""
    return [{"key": name, "value": _tagged(value)} for name, value in values.items()]


def span(number: int, values: Json, **more: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return a span of one second; `parent` is the number of another, `trace` of its trace."""
    parent, trace = more.pop("parent", None), more.pop("trace", 1)
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": values.get("gen_ai.operation.name", "x"),
        "kind": 3,
        "startTimeUnixNano": str(START + number * SECOND),
        "endTimeUnixNano": str(START + (number + 1) * SECOND),
        "attributes": attributes(values),
        "status": {},
        **more,
    }


def call(number: int, output: int, **more: Any) -> Json:  # noqa: ANN401 - any JSON
    """Return the span of a model call with a hundred tokens of input."""
    values = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": output,
    }
    return span(number, values | more.pop("values", {}), **more)


def event(name: str, values: Json, at: int = 0) -> Json:
    """Return a log record of Claude Code, so many milliseconds after START."""
    return {
        "timeUnixNano": str(START + at * 1_000_000),
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": attributes({"event.name": name, **values}),
    }


def spans(*found: Json, **resource: str) -> str:
    """Return a line of spans of a service; its attributes by name."""
    scopes = [{"scope": {"name": "test"}, "spans": list(found)}]
    return _line("resourceSpans", "scopeSpans", scopes, resource)


def logs(*found: Json, **resource: str) -> str:
    """Return a line of log records of a service; its attributes by name."""
    return _line("resourceLogs", "scopeLogs", [{"logRecords": list(found)}], resource)


def _line(outer: str, inner: str, scopes: list[Json], resource: Json) -> str:
    told = {"service.name": "shop-agent", **resource}
    return json.dumps({outer: [{"resource": {"attributes": attributes(told)}, inner: scopes}]})


def _tagged(value: object) -> Json:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_tagged(one) for one in value]}}
        case _:
            return {"stringValue": value}
