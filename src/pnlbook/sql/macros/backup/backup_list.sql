-- Copies are summed up before they are joined, so that a second copy never doubles a backup.
CREATE OR REPLACE MACRO backup_list(since := NULL, until := NULL) AS TABLE
    WITH held AS (
        SELECT
            backup_id,
            count(*) FILTER (state <> 'removed') AS copies,
            count(*) FILTER (is_verified(state)) AS verified_copies,
            list(vault ORDER BY vault) FILTER (is_verified(state)) AS verified_vaults,
            string_agg(concat(vault, ' ', state), ', ' ORDER BY vault) AS copy_states,
            max(verified_at) FILTER (is_verified(state)) AS last_verified_at
        FROM backup_copies
        GROUP BY backup_id
    )
    SELECT
        b.backup_id, b.backup_type, b.sequence_number, b.created_at, b.book_rows, b.file_size_bytes,
        b.compressed_size_bytes, b.cost_usd, b.restorable, b.marked_at, b.removed_at,
        zero_without(held.backup_id, held.copies)::BIGINT AS copies,
        zero_without(held.backup_id, held.verified_copies)::BIGINT AS verified_copies,
        coalesce(held.verified_vaults, []) AS verified_vaults,
        held.copy_states, held.last_verified_at,
        b.tx_id, b.arweave_url, b.checksum_sha256, b.key_id, coalesce(b.needs, [b.backup_id]) AS needs
    FROM arweave_backups AS b LEFT JOIN held USING (backup_id)
    WHERE in_range(b.created_at, since, until)
    ORDER BY b.created_at DESC, b.sequence_number DESC NULLS LAST, b.backup_id;
COMMENT ON MACRO TABLE backup_list IS 'Every backup, newest first, with its copies and their states';

-- tests
INSERT INTO arweave_backups BY NAME
SELECT *, 'full' AS backup_type, 1 AS file_size_bytes, 1 AS compressed_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES
    ('a', 1, 0.036, ['a'], '2025-10-01 00:00:00+00'),
    ('b', 2, 0.00, NULL, '2025-11-01 00:00:00+00'),
    ('c', 3, NULL, ['a', 'c'], '2025-11-01 00:00:00+00')
) v(backup_id, sequence_number, cost_usd, needs, created_at);
INSERT INTO backup_copies BY NAME
SELECT *, 'folder' AS vault_kind
FROM (VALUES
    ('a', 'disk', 'verified', '2025-10-01 01:00:00+00'::TIMESTAMPTZ),
    ('a', 'cloud', 'permanent', '2025-10-01 02:00:00+00'),
    ('a', 'away', 'removed', '2025-10-09 00:00:00+00'),
    ('c', 'disk', 'missing', NULL)
) v(backup_id, vault, state, verified_at);
-- test: one row a backup however many copies it has, newest first
SELECT assert_equal(
    list((backup_id, copies, verified_copies, verified_vaults, copy_states, cost_usd)),
    [
        ('c', 1, 0, [], 'disk missing', NULL), ('b', 0, 0, [], NULL, 0.00),
        ('a', 2, 2, ['cloud', 'disk'], 'away removed, cloud permanent, disk verified', 0.036)
    ]::STRUCT(b VARCHAR, c BIGINT, v BIGINT, w VARCHAR[], s VARCHAR, u DECIMAL(24, 12))[]
) FROM backup_list();
-- test: what is not said to need another needs itself
SELECT assert_equal(list(needs ORDER BY backup_id), [['a'], ['b'], ['a', 'c']]) FROM backup_list();
-- test: the last time that a copy was read back, of those that are still there
SELECT assert_equal(
    list(last_verified_at ORDER BY backup_id), ['2025-10-01 02:00:00+00', NULL, NULL]::TIMESTAMPTZ[]
) FROM backup_list();
-- test: ranges are half-open
SELECT assert_equal(list(backup_id), ['a']) FROM backup_list(since := '2025-10-01', until := '2025-11-01');
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_list(since := '2025-12-01');
