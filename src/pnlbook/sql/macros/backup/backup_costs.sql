-- A backup costs once, however many copies it has: what its copies cost is in its cost already.
CREATE OR REPLACE MACRO backup_costs(since := NULL, until := NULL) AS TABLE
    WITH months AS (
        SELECT
            local_month(created_at) AS month, backup_type, count(*) AS backup_count,
            sum(compressed_size_bytes)::BIGINT AS size_bytes, sum(cost_usd) AS cost_usd, sum(cost_sol) AS cost_sol,
            count(*) FILTER (cost_usd IS NULL) AS unpriced_backups
        FROM arweave_backups
        WHERE in_range(created_at, since, until)
        GROUP BY ALL
    )
    SELECT *, sum(cost_usd) OVER (ORDER BY month) AS running_cost_usd
    FROM months
    ORDER BY month DESC, backup_type;
COMMENT ON MACRO TABLE backup_costs IS
    'Number, stored size and cost of backups by month and type; running_cost_usd: all types, up to the end of the month';

-- tests
INSERT INTO arweave_backups BY NAME
SELECT *, 1 AS file_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES
    ('a', 'full', 100, 0.036, 0.0002, '2025-10-01 00:00:00+00'),
    ('b', 'full', 100, 0.036, 0.0002, '2025-10-31 23:59:59+00'),
    ('c', 'incremental', 10, NULL, NULL, '2025-10-05 00:00:00+00'),
    ('d', 'full', 0, 0.00, 0.00, '2025-11-01 00:00:00+00'),
    ('e', 'full', 100, NULL, 0.0003, '2025-11-02 00:00:00+00'),
    ('f', 'incremental', 10, 0.012, 0.0001, '2025-11-02 00:00:00+00')
) v(backup_id, backup_type, compressed_size_bytes, cost_usd, cost_sol, created_at);
INSERT INTO backup_copies (backup_id, vault, vault_kind, state, cost_usd)
VALUES ('a', 'disk', 'folder', 'verified', 0.00), ('a', 'arweave', 'arweave', 'permanent', 0.036);
-- test: by month and type; a cost that is not known is no zero, and told
SELECT assert_equal(
    list((month, backup_type, backup_count, size_bytes, cost_usd, cost_sol, unpriced_backups)),
    [
        ('2025-11-01', 'full', 2, 100, 0.00, 0.0003, 1), ('2025-11-01', 'incremental', 1, 10, 0.012, 0.0001, 0),
        ('2025-10-01', 'full', 2, 200, 0.072, 0.0004, 0), ('2025-10-01', 'incremental', 1, 10, NULL, NULL, 1)
    ]::STRUCT(
        m DATE, t VARCHAR, n BIGINT, b BIGINT, u DECIMAL(38, 12), s DECIMAL(38, 18), p BIGINT
    )[]
) FROM backup_costs();
-- test: the running total is that of all types
SELECT assert_equal(list(running_cost_usd), [0.084, 0.084, 0.072, 0.072]::DECIMAL(38, 12)[]) FROM backup_costs();
-- test: half-open ranges, months of the book
SELECT assert_equal(sum(backup_count), 3::HUGEINT) FROM backup_costs(until := '2025-11-01');
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(sum(backup_count), 2::HUGEINT) FROM backup_costs(until := '2025-11-01');
SELECT assert_equal(
    list((month, backup_count)), [('2025-11-01', 3), ('2025-10-01', 1)]::STRUCT(m DATE, n BIGINT)[]
) FROM backup_costs() WHERE backup_type = 'full';
-- test: a range without backups has no row
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_costs(until := '2025-01-01');
