"""Records of `logging` in the work log: errors become errors, all others messages of the system."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pnlbook.worklog.spool import LOGGER_NAME

if TYPE_CHECKING:
    from pnlbook.worklog.logger import WorkHistoryLogger


class WorkLogHandler(logging.Handler):
    """Passes records on to the live logger, for the session and task they are made in.

    From level ERROR on a record is an error, whose type is that of its exception, else the name of
    its logger; below it is a message of role `system`.
    """

    def __init__(self, log: WorkHistoryLogger, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._log = log

    def createLock(self) -> None:  # noqa: N802 - as logging names it
        """Have no lock: the spool has its own, and two of them could wait for each other."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        if record.name == LOGGER_NAME:
            _say_elsewhere(record)
            return
        try:
            self._pass_on(record)
        except Exception:  # noqa: BLE001 - as every handler: a record that cannot be formatted
            self.handleError(record)

    def _pass_on(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno < logging.ERROR:
            content = f"{record.levelname} {record.name}: {text}"
            self._log.log_message(role="system", content=content)
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            self._log.log_error(error_type=record.name, error_message=text)
        else:
            self._log.log_exception(error, error_message=text)


def _say_elsewhere(record: logging.LogRecord) -> None:
    """Let the spool's own troubles be seen where no other handler shows them."""
    handlers = logging.getLogger().handlers + logging.getLogger(LOGGER_NAME).handlers
    last = logging.lastResort
    if last is not None and all(isinstance(one, WorkLogHandler) for one in handlers):
        last.handle(record)
