"""Books with backups, each made for what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pnlbook import migrate
from pnlbook.book import open_book

if TYPE_CHECKING:
    from pathlib import Path

# Full backups each Sunday and incremental ones each day, so many hours ago, each in three vaults.
_BACKUPS = """
INSERT INTO arweave_backups BY NAME
SELECT
    concat(backup_type, '-', n) AS backup_id, backup_type, 1000 - hours AS sequence_number,
    (5 * bytes)::BIGINT AS file_size_bytes, bytes::BIGINT AS compressed_size_bytes,
    repeat('0', 64) AS checksum_sha256,
    CASE WHEN n <> 9 THEN bytes * 0.00000000024::DECIMAL(12, 11) END AS cost_usd,
    bytes * 0.0000000000016::DECIMAL(15, 14) AS cost_sol,
    date_trunc('hour', now()) - to_hours(hours) AS created_at,
    n <> 30 AS restorable, (20000 + 150 * (70 - n))::BIGINT AS book_rows,
    CASE WHEN hours > 24 * 200 THEN now() - to_hours(48) END AS removed_at,
    CASE WHEN hours > 24 * 180 THEN now() - to_hours(24 * 9) END AS marked_at,
    CASE WHEN backup_type = 'incremental'
        THEN [concat('full-', n // 7 + 1), concat('incremental-', n)] END AS needs
FROM (
    SELECT 'full' AS backup_type, n, n * 24 * 7 - 90 AS hours, 150000000 - n * 1500000 AS bytes
    FROM range(1, 32) r(n)
    UNION ALL
    SELECT 'incremental', n, n * 24 + 5, 2500000 + (n * 7919 % 13) * 300000 FROM range(70) r(n)
    UNION ALL
    SELECT 'schema', n, n * 24 * 30 + 50, 20480 FROM range(1, 4) r(n)
)
"""
_COPIES = """
INSERT INTO backup_copies BY NAME
SELECT
    backup_id, vault, vault_kind,
    CASE
        WHEN removed_at IS NOT NULL THEN 'removed'
        WHEN backup_id = 'full-5' AND vault = 'offsite' THEN 'damaged'
        WHEN backup_id = 'incremental-12' AND vault = 'offsite' THEN 'missing'
        WHEN vault = 'arweave' AND created_at > now() - to_hours(30) THEN 'posted'
        WHEN vault = 'arweave' THEN 'permanent'
        ELSE 'verified'
    END AS state,
    created_at + to_minutes(2) AS posted_at, created_at + to_minutes(3) AS seen_at,
    CASE WHEN state NOT IN ('posted', 'missing') THEN created_at + to_hours(1) END AS verified_at,
    CASE WHEN vault = 'arweave' THEN cost_usd ELSE 0 END AS cost_usd
FROM arweave_backups, (VALUES ('disk', 'folder'), ('offsite', 's3'), ('arweave', 'arweave'))
    v(vault, vault_kind)
"""
_OPERATIONS = """
INSERT INTO backup_vault_checks BY NAME
SELECT
    row_number() OVER () AS check_id, vault, operation,
    date_trunc('hour', now()) - to_hours(24 * n + 5) AS started_at,
    (took * (100 + n * 37 % 50) / 100)::DECIMAL(12, 6) AS seconds, 3000000::BIGINT AS size_bytes,
    NOT (vault = 'arweave' AND n IN (3, 17)) AS success
FROM range(70) r(n), (VALUES ('put'), ('get')) o(operation),
    (VALUES ('disk', 0.04), ('offsite', 1.3), ('arweave', 74.0)) v(vault, took)
"""
_RESTORES = """
INSERT INTO backup_restore_log BY NAME
SELECT
    * EXCLUDE (hours), now() - to_hours(hours) AS started_at,
    started_at + to_seconds(38) AS finished_at
FROM (VALUES
    (1, 'full-12', 'drill', 'offsite', 24 * 61, false, NULL, 'part facts/2025-09 does not match'),
    (2, 'full-8', 'drill', 'offsite', 24 * 33, true, 28000, NULL),
    (3, 'incremental-9', 'restore', 'disk', 24 * 8, true, 29100, NULL),
    (4, 'full-1', 'drill', 'arweave', 24 * 2 + 3, true, 30350, NULL)
) v(restore_id, backup_id, kind, vault, hours, success, rows_restored, error_message)
"""
_SCHEDULES = """
INSERT INTO backup_schedules (schedule_name, backup_type, cron)
VALUES ('daily', 'incremental', '0 2 * * *'), ('weekly', 'full', '0 3 * * 0')
"""


def kept(path: Path) -> Path:
    """Make a book with seven months of backups in three vaults; times are relative to now."""
    migrate.create(path, timezone="Europe/Berlin")
    with open_book(path, write=True) as connection:
        for statement in (_BACKUPS, _COPIES, _OPERATIONS, _RESTORES, _SCHEDULES):
            connection.execute(statement)
    return path


def unprotected(path: Path) -> Path:
    """Make a book whose only backup was sent to a vault and never read back."""
    migrate.create(path)
    with open_book(path, write=True) as connection:
        connection.execute(
            "INSERT INTO arweave_backups (backup_id, backup_type, file_size_bytes, cost_usd, "
            "compressed_size_bytes, checksum_sha256, created_at) "
            "VALUES ('only', 'full', 0, NULL, 0, repeat('0', 64), now() - to_hours(2))"
        )
        connection.execute(
            "INSERT INTO backup_copies (backup_id, vault, vault_kind, state) "
            "VALUES ('only', '<disk>', 'folder', 'seen')"
        )
    return path
