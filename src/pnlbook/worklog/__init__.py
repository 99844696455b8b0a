"""Work logs: the live logger, its spool, and importers of what agents and git record."""

from __future__ import annotations

from pnlbook.worklog.logger import WorkHistoryLogger
from pnlbook.worklog.spool import Policy

__all__ = ["Policy", "WorkHistoryLogger"]
