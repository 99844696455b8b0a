"""pnlbook: a notebook-centric P&L workbench over one DuckDB file, the book."""

from __future__ import annotations

__version__ = "0.1.0"
