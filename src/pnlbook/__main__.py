"""`python -m pnlbook` is `pnlbook`."""

from __future__ import annotations

from pnlbook.cli import main

main()
