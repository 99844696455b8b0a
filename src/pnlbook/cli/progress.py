"""A progress bar on stderr, for work that takes longer than a second on a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from pnlbook.cli.output import console

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

    from pnlbook.backup.work import Progress as Stage
    from pnlbook.load import Progress

_DELAY = 1.0  # seconds


class Bar:
    """Shows the stage, the file, its rows and bytes; nothing when it is not enabled."""

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

    def update(self, progress: Progress) -> None:
        """Show how far the work is."""
        if not self._enabled or time.monotonic() - self._started < _DELAY:
            return
        if self._display is None:
            self._display = _display()
            self._task = self._display.add_task("", rows="")
            self._display.start()
        if self._task is not None:
            self._display.update(
                self._task,
                description=f"{progress.stage} {progress.location}",
                completed=progress.bytes_done,
                total=progress.bytes_total or None,
                rows=f"{progress.rows:,} rows",
            )


class StageBar:
    """Shows the stage of backup work and how much of it is done; nothing when not enabled."""

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

    def update(self, progress: Stage) -> None:
        """Show how far the work is."""
        if not self._enabled or time.monotonic() - self._started < _DELAY:
            return
        if self._display is None:
            self._display = _stages()
            self._task = self._display.add_task("", amount="")
            self._display.start()
        if self._task is not None:
            done = f"{progress.done:,} {progress.unit}"
            if progress.unit == "bytes":
                done = f"{progress.done / 1e6:,.1f} MB"
            self._display.update(
                self._task,
                description=f"{progress.stage} {progress.what}",
                completed=progress.done,
                total=progress.total or None,
                amount=done,
            )


def _stages() -> Display:
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        console=console(stderr=True),
        transient=True,
    )


def _display() -> Display:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeRemainingColumn(compact=True),
        console=console(stderr=True),
        transient=True,
    )
