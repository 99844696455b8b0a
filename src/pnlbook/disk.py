"""Writing files so that they are on the disk, whole, when a call returns."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_new(path: Path, pieces: Iterable[bytes]) -> None:
    """Write the pieces to a new file of mode 0600 and on to the disk; a failure leaves no file.

    Raises OSError, also when there is a file already.
    """
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            for data in pieces:
                file.write(data)
            file.flush()
            os.fsync(number)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sync_folder(path: Path) -> None:
    """Bring the entries of a folder on to the disk."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what some network file systems say
            raise
    finally:
        os.close(number)
