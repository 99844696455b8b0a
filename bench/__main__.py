"""Run benchmarks, print what they found, and keep every single figure in bench/results."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from bench import backup, loading, logs, profit, spool, starting, work_macros
from bench.measure import ROOT, Finding, Options

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: dict[str, Callable[[Options], list[Finding]]] = {
    "load": loading.compare,
    "shuffled": loading.compare_shuffled,
    "memory": loading.memory,
    "profit": profit.compare,
    "backup": backup.compare,
    "logs": logs.load_transcripts,
    "history": logs.load_history,
    "spool": spool.compare,
    "work": work_macros.compare,
    "help": starting.help_of_program,
    "chart": starting.first_chart,
}
EPILOG = """examples:
  python -m bench                     everything at the sizes that targets are set for
  python -m bench profit --turns 9    the profit macros, with more turns than usual
  python -m bench load --rows 1e6     loading, smaller
  python -m bench --quick             whether all of it still runs; the figures mean nothing
"""


def show(finding: Finding, options: Options) -> str:
    """Return a finding as a few lines for people; only at its own size is a target judged."""
    lines = [finding.name, f"  ours    {_figure(finding.ours)} {finding.unit}"]
    if finding.peer is not None:
        peer = f"{_figure(finding.peer)} {finding.unit} ({finding.peer_name})"
        lines += [f"  peer    {peer}", f"  ratio   {finding.ratio:.2f} x"]
    met = "met" if finding.met else "MISSED"
    met = "not judged at this size" if options.quick or options.rows else met
    lines += [f"  target  {finding.target}: {met}", *(f"  {note}" for note in finding.notes)]
    return "\n".join(lines)


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3f}"  # noqa: PLR2004 - three digits


def write_results(findings: list[Finding], options: Options, folder: Path) -> Path:
    """Write all figures as JSON and return the path."""
    now = datetime.now(UTC)
    path = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    folder.mkdir(parents=True, exist_ok=True)
    machine = {
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "duckdb": duckdb.__version__,
    }
    measured = [asdict(f) | {"ratio": f.ratio, "met": f.met} for f in findings]
    said = {"at": now.isoformat(), "quick": options.quick, "machine": machine, "findings": measured}
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    add("--quick", action="store_true", help="tiny sizes and one turn")
    add("--rows", type=Decimal, metavar="N", help="rows of each size instead of the usual")
    add("--turns", type=int, metavar="N", help="turns of each side (default: 5)")
    add("--scratch", type=Path, metavar="DIR", help="keep files and books here for the next run")
    results = ROOT / "bench" / "results"
    add("--results", type=Path, default=results, metavar="DIR", help="default: bench/results")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; a target missed is not a failure."""
    parser = _parser()
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory(prefix="pnlbook-bench-") as temporary:
        options = Options(
            scratch=given.scratch or Path(temporary),
            rows=int(given.rows) if given.rows else None,
            turns=given.turns or (1 if given.quick else 5),
            quick=given.quick,
        )
        options.scratch.mkdir(parents=True, exist_ok=True)
        findings: list[Finding] = []
        for name in given.names or BENCHMARKS:
            for finding in BENCHMARKS[name](options):
                findings.append(finding)
                print(show(finding, options), flush=True)
    print(write_results(findings, options, given.results), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
