"""The JupyterLab walkthrough runs on the sample book and shows what it is stored with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_walkthrough_shows_its_stored_outputs(tmp_path: Path) -> None:
    book = tmp_path / "demo.duckdb"
    subprocess.run([sys.executable, "-m", "pnlbook", "demo", str(book)], check=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"),
            *("-p", "no:cacheprovider", "-p", "no:xdist", "-c", os.devnull),
            str(ROOT / "notebooks" / "walkthrough.ipynb"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PNLBOOK_BOOK": str(book)},
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "10 passed" in done.stdout
