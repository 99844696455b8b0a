from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench import __main__ as bench
from bench import profit, work_macros
from bench.measure import Finding, Options, ProcessFailed, Target, process, take_turns

ROOT = Path(__file__).resolve().parent.parent


def run(tmp_path: Path, *names: str) -> list[dict[str, Any]]:
    folders = ("--results", str(tmp_path / "results"), "--scratch", str(tmp_path / "scratch"))
    command = (sys.executable, "-m", "bench", "--quick", "--rows", "2e3", *folders, *names)
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (written,) = (tmp_path / "results").glob("*.json")
    findings: list[dict[str, Any]] = json.loads(written.read_text(encoding="utf-8"))["findings"]
    return findings


def test_loading_and_the_profit_macros_can_be_measured(tmp_path: Path) -> None:
    findings = run(tmp_path, "load", "memory", "profit")
    assert [finding["name"] for finding in findings] == [
        "load 2,000 earnings",
        "load the identical file again",
        "peak memory of loading 2,000 earnings",
        "node_profit() over 2,000 + 2,000 facts",
        "platform_profit() over 2,000 + 2,000 facts",
    ]
    assert all(finding["ours"] > 0 for finding in findings)
    assert [finding["peer"] is None for finding in findings] == [False, True, False, False, False]


def test_the_macros_of_work_can_be_measured(tmp_path: Path) -> None:
    findings = run(tmp_path, "work")
    assert [finding["name"].split("(")[0] for finding in findings] == [
        *work_macros.MACROS,
        "what is made of 2,000 uses of tools, after a load of 500 more",
    ]
    assert all(finding["ours"] > 0 and finding["peer"] > 0 for finding in findings)


def test_the_help_can_be_measured() -> None:
    (finding,) = bench.BENCHMARKS["help"](Options(scratch=Path(), turns=1, quick=True))
    assert finding.ours > 0
    assert finding.peer is not None


def test_the_live_logger_can_be_measured() -> None:
    findings = bench.BENCHMARKS["spool"](Options(scratch=Path(), rows=200, turns=1, quick=True))
    assert [finding.unit for finding in findings] == ["µs", "µs", "s"]
    assert all(finding.ours > 0 and finding.peer for finding in findings)


def test_sides_take_turns() -> None:
    order: list[str] = []

    def side(name: str) -> float:
        order.append(name)
        return float(len(order))

    runs = take_turns({"a": lambda: side("a"), "b": lambda: side("b")}, 2)
    assert order == ["a", "b", "a", "b"]
    assert runs == {"a": [1, 3], "b": [2, 4]}


@pytest.mark.parametrize(
    ("target", "met"),
    [
        (Target("ratio", "≥", 0.8, "x"), True),
        (Target("ratio", "≥", 0.9, "x"), False),
        (Target("ratio", "≤", 0.8, "x"), True),
        (Target("ours", "≤", 7, "s"), False),
    ],
)
def test_a_target_is_met_or_not(target: Target, met: bool) -> None:
    assert Finding("n", "s", 8, 10, "peer", target).met is met


def test_a_process_that_fails_is_no_measurement() -> None:
    with pytest.raises(ProcessFailed, match="ended with 3: gone"):
        process((sys.executable, "-c", "import sys; print('gone', file=sys.stderr); sys.exit(3)"))


def test_the_peers_of_the_macros_are_there() -> None:
    assert all(len(profit.queries(macro)) > 2 for macro in profit.MACROS)


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench.main(["speed"])
    assert "no benchmark speed; there are load, shuffled" in capsys.readouterr().err
