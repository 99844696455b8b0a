-- Backups are recorded by pnlbook itself and not loaded; as of a load means made by the time it was committed.
-- They belong to no node and no project, and both bases agree on them.
CREATE OR REPLACE MACRO backup_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        backup_id, NULL::VARCHAR AS node_id, NULL::VARCHAR AS project_id, 'backup' AS kind,
        created_at AS counted_at, cost_usd
    FROM arweave_backups
    WHERE in_range(created_at, since, until)
        AND (as_of IS NULL OR created_at <= (SELECT max(committed_at) FROM loads WHERE load_id <= as_of))
        AND node IS NULL
        AND project IS NULL;
COMMENT ON MACRO TABLE backup_rows IS 'Costs of backups that count';

-- tests
-- test: each backup costs once, a NULL and a zero among them; it has no node and no project
INSERT INTO arweave_backups BY NAME
SELECT *, 'full' AS backup_type, 1 AS file_size_bytes, 1 AS compressed_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES
    ('1', 0.036, '2025-10-01 00:00:00+00'),
    ('2', NULL, '2025-10-02 00:00:00+00'),
    ('3', 0.00, '2025-10-03 00:00:00+00'),
    ('4', 0.036, '2025-11-01 00:00:00+00')
) v(backup_id, cost_usd, created_at);
SELECT assert_equal(list(cost_usd ORDER BY backup_id), [0.036, NULL, 0.00, 0.036]::DECIMAL(24, 12)[]) FROM backup_rows();
SELECT assert_equal(list(backup_id ORDER BY backup_id), ['1', '2', '3']) FROM backup_rows(until := '2025-11-01');
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_rows(node := 'a');
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_rows(project := 'p');
-- test: as of a load means made by the time of it
INSERT INTO arweave_backups BY NAME
SELECT *, 1 AS cost_usd, 'full' AS backup_type, 1 AS file_size_bytes, 1 AS compressed_size_bytes,
    repeat('0', 64) AS checksum_sha256
FROM (VALUES ('1', '2025-10-01 00:00:00+00'), ('2', '2025-10-03 00:00:00+00')) v(backup_id, created_at);
INSERT INTO loads BY NAME
SELECT *, load_id AS batch_id, 'loaded' AS status, 'nodes' AS table_name, 's' AS source, 'f' AS location,
    'csv' AS format, committed_at AS started_at, 'me' AS loaded_by, '1' AS program_version
FROM (VALUES (1, '2025-10-02 00:00:00+00'::TIMESTAMPTZ), (2, '2025-10-04 00:00:00+00')) v(load_id, committed_at);
SELECT assert_equal(list(backup_id ORDER BY backup_id), ['1']) FROM backup_rows(as_of := 1);
SELECT assert_equal(list(backup_id ORDER BY backup_id), ['1', '2']) FROM backup_rows(as_of := 2);
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_rows(as_of := 0);
