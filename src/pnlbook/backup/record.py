"""The catalogue as rows of the book, so that cost and state of backups can be reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook.book import open_book, run, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import duckdb

    from pnlbook.backup.catalogue import Backup, Contents, Restore
    from pnlbook.backup.vaults.observation import Observation
    from pnlbook.backup.work import Work

_BACKUP = """
INSERT INTO arweave_backups (
    backup_id, backup_type, sequence_number, file_size_bytes, compressed_size_bytes, encrypted,
    checksum_sha256, cost_usd, created_at, restorable, vaults, book_rows, pack_size_bytes,
    duckdb_version, key_id, manifest_sha256, previous_manifest_sha256, needs, marked_at, removed_at
) VALUES (
    $1, $2, $3, $4, $5, true, $6, $7::DECIMAL(24, 12), $8::TIMESTAMPTZ, $9, $10, $11, $12, $13, $14,
    $15, $16, $17, $18::TIMESTAMPTZ, $19::TIMESTAMPTZ
)
ON CONFLICT DO UPDATE SET
    cost_usd = coalesce(excluded.cost_usd, arweave_backups.cost_usd),
    restorable = excluded.restorable,
    marked_at = excluded.marked_at,
    removed_at = excluded.removed_at
"""
_VAULTS = """
UPDATE arweave_backups SET vaults = $2 WHERE backup_id = $1 AND vaults IS DISTINCT FROM $2
"""
_COPY = """
INSERT INTO backup_copies VALUES (
    $1, $2, $3, $4, $5::TIMESTAMPTZ, $6::TIMESTAMPTZ, $7::TIMESTAMPTZ, $8::TIMESTAMPTZ,
    $9::DECIMAL(24, 12), $10
)
ON CONFLICT DO UPDATE SET
    state = excluded.state,
    posted_at = excluded.posted_at,
    seen_at = excluded.seen_at,
    verified_at = excluded.verified_at,
    checked_at = excluded.checked_at,
    cost_usd = coalesce(excluded.cost_usd, backup_copies.cost_usd),
    error_message = excluded.error_message
"""
_CHECK = """
INSERT INTO backup_vault_checks
SELECT (SELECT coalesce(max(check_id), 0) + 1 FROM backup_vault_checks), $1, $2, $3::TIMESTAMPTZ,
    $4::DECIMAL(12, 6), $5, $6 IS NULL, $6
WHERE NOT EXISTS (
    FROM backup_vault_checks WHERE vault = $1 AND operation = $2 AND started_at = $3::TIMESTAMPTZ
)
"""
_RESTORE = """
INSERT INTO backup_restore_log
SELECT (SELECT coalesce(max(restore_id), 0) + 1 FROM backup_restore_log), $1, $2, $3,
    $4::TIMESTAMPTZ, $5::TIMESTAMPTZ, $6, $7, $8, $9
WHERE NOT EXISTS (
    FROM backup_restore_log WHERE backup_id = $1 AND kind = $2 AND started_at = $4::TIMESTAMPTZ
)
"""


def record(work: Work, contents: Contents) -> None:
    """Write what the catalogue knows into the book, in one transaction.

    Raises the errors of opening a book; what could not be written now is written the next time.
    """
    with open_book(
        work.book, write=True, timeout=work.lock_timeout, on_wait=work.on_wait
    ) as connection:
        fill(connection, contents)


def fill(connection: duckdb.DuckDBPyConnection, contents: Contents) -> None:
    """Write what a catalogue knows into the tables of a book."""
    with transaction(connection):
        for backup in contents.backups:
            _backup(connection, backup)
        for check in contents.checks:
            run(connection, _CHECK, _check(check))
        for restore in contents.restores:
            run(connection, _RESTORE, _restore(restore))


def _backup(connection: duckdb.DuckDBPyConnection, backup: Backup) -> None:
    sent = [copy for copy in backup.copies if copy.state != "pending"]
    vaults = [c.vault for c in sent if c.state not in {"removed", "missing", "damaged"}]
    cost = backup.cost_usd
    values: list[object] = [
        backup.backup_id,
        backup.kind,
        backup.sequence,
        backup.book_size,
        backup.object_size,
        backup.object,
        None if cost is None else str(cost),
        _text(backup.created_at),
        backup.restorable,
        vaults,
        backup.rows,
        backup.pack_size,
        backup.duckdb_version,
        backup.key_id,
        backup.manifest_sha256,
        backup.previous,
        list(backup.needs),
        _text(backup.marked_at),
        _text(backup.removed_at),
    ]
    run(connection, _BACKUP, values)
    run(connection, _VAULTS, [backup.backup_id, vaults])
    for copy in sent:
        instants = (copy.posted_at, copy.seen_at, copy.verified_at, copy.checked_at)
        cost = copy.cost_usd
        run(
            connection,
            _COPY,
            [
                backup.backup_id,
                copy.vault,
                copy.kind,
                copy.state,
                *_texts(instants),
                None if cost is None else str(cost),
                copy.error,
            ],
        )


def _check(check: Observation) -> list[object]:
    seconds = f"{check.seconds:.6f}"
    started = _text(check.started_at)
    return [check.vault, check.operation, started, seconds, check.size_bytes, check.error]


def _restore(restore: Restore) -> list[object]:
    return [
        restore.backup_id,
        restore.kind,
        restore.vault,
        _text(restore.started_at),
        _text(restore.finished_at),
        restore.success,
        restore.rows,
        restore.target,
        restore.error,
    ]


def _texts(instants: Sequence[datetime | None]) -> list[str | None]:
    return [_text(instant) for instant in instants]


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
