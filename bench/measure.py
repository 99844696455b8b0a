"""Measuring: the sides of a comparison take turns (A B A B), and their medians are compared."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Options:
    """How to measure: rows of each size, turns of each side, and a folder for books and files."""

    scratch: Path
    rows: int | None = None
    turns: int = 5
    quick: bool = False

    def size(self, usual: int) -> int:
        """Return how many rows to measure with; the target is set for `usual`."""
        return self.rows or (20_000 if self.quick else usual)


@dataclass(frozen=True)
class Target:
    """What is asked of `figure` ("ours" or "ratio"): at least or at most `bound`."""

    figure: str
    comparison: str
    bound: float
    unit: str

    def __str__(self) -> str:
        return f"{self.comparison} {self.bound:g} {self.unit}"

    def met(self, ours: float, ratio: float | None) -> bool | None:
        """Return whether the figures reach the target; None where there is no such figure."""
        figure = ours if self.figure == "ours" else ratio
        if figure is None:
            return None
        return figure >= self.bound if self.comparison == "≥" else figure <= self.bound


@dataclass(frozen=True)
class Finding:
    """One figure of ours, the same of the peer, and what was asked; `runs` holds all figures."""

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str
    target: Target
    runs: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Ours as a multiple of the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached."""
        return self.target.met(self.ours, self.ratio)


@dataclass(frozen=True)
class Run:
    """A process that ran to its end: its duration, its largest resident size, and what it said."""

    seconds: float
    peak_mib: float
    output: str

    @property
    def said(self) -> dict[str, Any]:
        """The JSON object that it printed."""
        value: dict[str, Any] = json.loads(self.output)
        return value


class ProcessFailed(Exception):
    """A measured process ended badly."""

    def __init__(self, command: Sequence[str], code: int, errors: str) -> None:
        super().__init__(f"{' '.join(command)} ended with {code}: {errors.strip()[-2000:]}")


def process(command: Sequence[str]) -> Run:
    """Run a fresh process to its end and measure it; raises ProcessFailed."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if child.returncode:
            raise ProcessFailed(command, child.returncode, errors.read().decode(errors="replace"))
        return Run(seconds, usage.ru_maxrss / 1024, output.read().decode())


def role(module: str, *arguments: object) -> Run:
    """Run one side of a comparison, `python -m bench.MODULE ARGUMENTS`, in a fresh process."""
    return process([sys.executable, "-m", f"bench.{module}", *map(str, arguments)])


def take_turns(sides: Mapping[str, Callable[[], float]], turns: int) -> dict[str, list[float]]:
    """Let each side run once, then each again, and so on; return what each returned."""
    runs: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, side in sides.items():
            runs[name].append(side())
    return runs


def medians(runs: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the median of each side."""
    return {name: statistics.median(figures) for name, figures in runs.items()}


def processor_note(ours: float, peer: float) -> str:
    """Say how much processor time both took: it varies less than the clock on a busy machine."""
    return f"processor {ours:.3f} s, of the peer {peer:.3f} s: {ours / peer:.2f} x"
