"""docs/cli.md says what the commands' help says."""

from __future__ import annotations

from pathlib import Path

from pnlbook.cli.reference import reference

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def test_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "write it anew: python -m pnlbook.cli.reference > docs/cli.md"
    )
