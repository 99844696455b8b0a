-- What a restore starts from.
CREATE OR REPLACE MACRO latest_backup(kind := NULL) AS TABLE
    SELECT
        backup_id, backup_type, sequence_number, created_at, book_rows, file_size_bytes, compressed_size_bytes,
        verified_vaults AS vaults, copies, copy_states, last_verified_at, tx_id, arweave_url, checksum_sha256, key_id,
        needs
    FROM backup_list()
    WHERE restorable AND removed_at IS NULL AND known_backup_type(kind) AND (kind IS NULL OR backup_type = kind)
    UNION ALL BY NAME
    SELECT NULL::VARCHAR AS backup_id WHERE NOT known_backup_type(kind)
    ORDER BY created_at DESC, sequence_number DESC NULLS LAST, backup_id
    LIMIT 1;
COMMENT ON MACRO TABLE latest_backup IS
    'The newest backup of a kind, or of any, that can be restored and was not removed; vaults: where it was read back';

-- tests
INSERT INTO arweave_backups BY NAME
SELECT *, 1 AS file_size_bytes, 1 AS compressed_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES
    ('a', 'full', 1, true, NULL, '2025-10-01 00:00:00+00'::TIMESTAMPTZ),
    ('b', 'full', 2, true, NULL, '2025-11-01 00:00:00+00'),
    ('c', 'incremental', NULL, true, NULL, '2025-11-01 00:00:00+00'),
    ('d', 'full', 4, false, NULL, '2025-11-02 00:00:00+00'),
    ('e', 'full', 5, true, '2025-11-05 00:00:00+00'::TIMESTAMPTZ, '2025-11-03 00:00:00+00')
) v(backup_id, backup_type, sequence_number, restorable, removed_at, created_at);
INSERT INTO backup_copies (backup_id, vault, vault_kind, state)
VALUES ('b', 'disk', 'folder', 'verified'), ('b', 'cloud', 's3', 'permanent'), ('b', 'away', 's3', 'seen');
-- test: lost and removed ones are passed over; of two made at once it is the later in the chain
SELECT assert_equal(list((backup_id, vaults, copies)), [('b', ['cloud', 'disk'], 3::BIGINT)]) FROM latest_backup();
SELECT assert_equal(list((backup_id, vaults, copies)), [('b', ['cloud', 'disk'], 3::BIGINT)]) FROM latest_backup(kind := 'full');
-- test: of one kind
SELECT assert_equal(list((backup_id, vaults, copies)), [('c', []::VARCHAR[], 0::BIGINT)]) FROM latest_backup('incremental');
-- test: of a kind that was never made there is none
SELECT assert_equal(count(*), 0::BIGINT) FROM latest_backup(kind := 'schema');
