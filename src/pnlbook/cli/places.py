"""Where the reports and the sample data are: in the source checkout, or in the package."""

from __future__ import annotations

from pathlib import Path

from pnlbook.errors import PnlbookError

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parents[1]


class NotInstalled(PnlbookError):
    """A folder that comes with pnlbook is not there."""

    def __init__(self, what: str) -> None:
        super().__init__(f"this installation of pnlbook lacks its {what}. Install it again.")


def notebooks() -> Path:
    """Return the folder of the reports."""
    return _first("reports", _CHECKOUT / "notebooks", _PACKAGE / "_notebooks")


def sample() -> Path:
    """Return the folder of the sample data."""
    return _first("sample data", _CHECKOUT / "data" / "sample", _PACKAGE / "_sample")


def _first(what: str, *folders: Path) -> Path:
    for folder in folders:
        if folder.is_dir():
            return folder
    raise NotInstalled(what)
