"""OTLP JSON lines, as the file exporter of an OpenTelemetry collector writes them.

Model calls are messages, `execute_tool` tools, agents' invocations tasks. The session is the
conversation that a span names, else its trace; the node is the service, the project its repository
or working directory. Metrics repeat what spans and events tell: they are passed over and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook.worklog.lines import NotARecord, read_lines
from pnlbook.worklog.otlp import claude_code, generative, wire
from pnlbook.worklog.otlp.records import Work

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pnlbook.worklog.importer import Findings, Position, Reading

_ENDINGS = frozenset({".json", ".jsonl", ".ndjson"})
_SIGNALS = ("resourceSpans", "resourceLogs", "resourceMetrics")


class OtlpImporter:
    """Reads files of OTLP JSON lines."""

    name = "otlp"

    def places(self) -> Sequence[Path]:
        """Return none: where a collector writes is its owner's to say."""
        return []

    def find(self, place: Path) -> Sequence[Path]:
        """Return the file, or the JSON files within a folder."""
        if place.is_file():
            return [place]
        files = (path for path in place.rglob("*") if path.suffix in _ENDINGS)
        return sorted(path for path in files if path.is_file())

    def read(self, log: Path, position: Position, reading: Reading, findings: Findings) -> Position:
        """Read what was added to a file."""
        return read_lines(log, position, reading, findings, _Parser(Work(reading, findings)))


IMPORTER = OtlpImporter()


class _Parser:
    """Takes lines; every record on one is whole, so there is nothing to know of those before."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def line(self, number: int, data: bytes) -> None:
        """Add the records of a line."""
        value = wire.decode(data)
        if not any(signal in value for signal in _SIGNALS):
            message = f"It is no OTLP: it has none of {', '.join(_SIGNALS)}."
            raise NotARecord(message)
        for span in wire.spans(value):
            if claude_code.is_ours(span):
                claude_code.add_span(span, number, self._work)
            elif generative.is_generative(span):
                generative.add(span, number, self._work)
            else:
                self._work.skip("span of something else")
        for event in wire.logs(value):
            if claude_code.is_ours(event):
                claude_code.add_event(event, number, self._work)
            elif event.name == generative.DETAILS:
                generative.add(event, number, self._work)
            else:
                self._work.skip(f"log record {event.name[:60]}".strip())
        for name in wire.metrics(value):
            self._work.skip(f"metric {name[:60]}")

    def finish(self) -> None:
        """Add the sessions that were met."""
        self._work.finish()

    def state(self) -> str:
        """Return nothing, as JSON."""
        return "{}"
