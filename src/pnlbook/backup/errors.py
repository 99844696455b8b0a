"""What every error of backups is one of; each class stands near its use."""

from __future__ import annotations

from pnlbook.errors import ExitCode, IntegrityError, PnlbookError


class BackupError(PnlbookError):
    """A backup could not be made, sent or brought back."""


class IntegrityFailure(BackupError, IntegrityError):
    """What is stored is not what was backed up, or was not made with a key at hand."""

    exit_code = ExitCode.INTEGRITY


class VaultError(BackupError):
    """A vault failed: `vault` is its name, `problem` a sentence that says what to do next."""

    exit_code = ExitCode.REMOTE

    def __init__(self, vault: str, problem: str) -> None:
        super().__init__(f"vault {vault}: {problem}")
        self.vault = vault
        self.problem = problem
