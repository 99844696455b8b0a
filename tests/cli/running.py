"""How the tests of the command line run it, and what they compare its output with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb

GOLDEN = Path(__file__).parent / "golden"
SCRUB = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?"), "<INSTANT>"),
    (re.compile(r"process \d+"), "process <PID>"),
)

FACTS = """
INSERT INTO loads VALUES
    (1, 1, 'loaded', 'node_earnings', 'shop', 'earnings.csv', 'csv', 'ab', 120, NULL,
     3, 2, 0, 0, 1, '2025-10-01T00:00:00Z', '2025-10-26T00:30:00Z', 1750.5, 0,
     '2025-11-01T10:00:00Z', '2025-11-01T10:00:01.5Z', 'ann@host', '0.1.0'),
    (2, 2, 'refused', 'deployment_costs', 'shop', 'costs.csv', 'csv', 'cd', 80, NULL,
     2, 0, 0, 0, 2, NULL, NULL, NULL, 0,
     '2025-11-02T10:00:00Z', '2025-11-02T10:00:01Z', 'ann@host', '0.1.0');
INSERT INTO rejects VALUES
    (1, 1, 'node_earnings', 'earnings.csv', 4, 'amount_usd', '12,x', 'is no number', 'n1,"12,x"'),
    (2, 2, 'deployment_costs', 'costs.csv', 2, 'incurred_at', '31/02/2025', 'is no date',
     'n1,5.00,31/02/2025'),
    (3, 2, 'deployment_costs', 'costs.csv', 3, NULL, NULL, 'has 4 fields, not 3', 'n1,5.00,,');
"""


@dataclass(frozen=True)
class Outcome:
    """What a run of the program came to."""

    code: int
    out: str
    err: str


class Pnlbook(Protocol):
    """Runs the program in this process."""

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome: ...


def write(book: Path, statements: str) -> None:
    with duckdb.connect(str(book)) as connection:
        connection.execute(statements)


def start(*arguments: str, stdout: Any = subprocess.PIPE) -> subprocess.Popen[bytes]:  # noqa: ANN401
    """Start the program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pnlbook", *arguments], stdout=stdout, stderr=subprocess.PIPE
    )


def scrubbed(text: str, folder: Path) -> str:
    """Return the text without what differs from run to run."""
    text = text.replace(f"{folder}/", "")
    for pattern, name in SCRUB:
        text = pattern.sub(name, text)
    return text


def check_golden(name: str, text: str) -> None:
    """Compare with the golden file to the byte; UPDATE_GOLDEN=1 writes it."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_bytes(text.encode())
    assert text.encode() == path.read_bytes()
