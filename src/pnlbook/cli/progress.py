"""A progress bar on stderr, for work that takes longer than a second on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from pnlbook.cli.output import console

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

    from pnlbook.backup.work import Progress as BackupProgress
    from pnlbook.load import Progress as LoadProgress

_DELAY = 1.0  # seconds


class Bar:
    """Shows what is being done and how much of it is; nothing when it is not enabled."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._started = time.monotonic()
        self._display: Display | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._display is not None:
            self._display.stop()

    def load(self, progress: LoadProgress) -> None:
        """Show how far a load is: its stage, the file, its bytes and rows."""
        amount = f"{_megabytes(progress.bytes_done)}, {progress.rows:,} rows"
        what = f"{progress.stage} {progress.location}"
        self._show(what, progress.bytes_done, progress.bytes_total, amount)

    def backup(self, progress: BackupProgress) -> None:
        """Show how far work on backups is: its stage and what of it is done."""
        amount = f"{progress.done:,} {progress.unit}"
        if progress.unit == "bytes":
            amount = _megabytes(progress.done)
        self._show(f"{progress.stage} {progress.what}", progress.done, progress.total, amount)

    def _show(self, what: str, done: int, total: int, amount: str) -> None:
        if not self._enabled or time.monotonic() - self._started < _DELAY:
            return
        if self._display is None:
            self._display = _display()
            self._task = self._display.add_task("", amount="")
            self._display.start()
        if self._task is not None:
            self._display.update(
                self._task, description=what, completed=done, total=total or None, amount=amount
            )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _display() -> Display:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console(stderr=True),
        transient=True,
    )
