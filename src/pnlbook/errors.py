"""Every error of pnlbook; each class takes data and builds its own sentence.

The tree (classes live near their use, this is where they hang):

    PnlbookError
    ├── UsageError            the command or a setting cannot be understood
    │   ├── ConfigError       pnlbook.toml or the environment (config)
    │   └── MappingError      load.toml (load.mapping)
    ├── BookError             the book cannot be used (book)
    │   ├── BookMissing
    │   ├── BookExists
    │   ├── BookUnreadable
    │   ├── BookLocked        exit code 4
    │   ├── BookTooNew
    │   ├── BookTooOld
    │   ├── QueryError        a statement of the user's failed
    │   └── BookNotMade, MigrationFailed, DefinitionFailed (migrate)
    ├── SourceError           a source cannot be read at all (load)
    ├── DataRejected          rows or files were refused; exit code 3 (load)
    ├── IntegrityError        a check found what must not be; exit code 5
    └── BackupError           a backup could not be made, sent or brought back (backup)
        ├── IntegrityFailure  an object, a file or rows are not what was backed up; exit code 5
        ├── VaultError        a vault failed; exit code 6 (backup.vaults)
        ├── TooFewCopies      exit code 6
        ├── CatalogueBusy     exit code 4
        └── NoRoom, NotStored, NotCarried, SchemaFailed
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns to its caller."""

    OK = 0
    FAILED = 1  # something went wrong that no other code names
    USAGE = 2  # the command line or a setting cannot be understood
    REJECTED = 3  # data was refused; the facts are as they were
    LOCKED = 4  # another process holds the book
    INTEGRITY = 5  # stored data is not what it must be
    REMOTE = 6  # a remote store failed


class PnlbookError(Exception):
    """Base of all errors that a user may see: `str(error)` is a full sentence."""

    exit_code = ExitCode.FAILED


class UsageError(PnlbookError):
    """The command, an option or a setting cannot be understood."""

    exit_code = ExitCode.USAGE


class IntegrityError(PnlbookError):
    """Stored data breaks a rule that must hold."""

    exit_code = ExitCode.INTEGRITY
