"""The JupyterLab walkthrough, run anew: every cell gives the outputs that are stored in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "walkthrough.ipynb"


def test_every_cell_gives_its_stored_output(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PNLBOOK_BOOK"}
    environment["IPYTHONDIR"] = str(tmp_path)
    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull, "--rootdir", str(ROOT)]
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "120", str(NOTEBOOK)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *nbval],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(_code_cells())} passed" in run.stdout


def test_outputs_are_stored_and_tell_nothing_of_the_machine_that_made_them() -> None:
    assert sum(bool(cell["outputs"]) for cell in _code_cells()) >= 8
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert "/tmp" not in text  # noqa: S108 - looked for, not used
    assert not any(cell["metadata"] for cell in _code_cells())


def _code_cells() -> list[dict[str, object]]:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]
