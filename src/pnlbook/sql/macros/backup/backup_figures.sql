-- Backups, copies and drills are each summed up by themselves.
CREATE OR REPLACE MACRO backup_figures("at" := NULL) AS TABLE
    WITH clock AS (
        SELECT coalesce(instant("at"), now()) AS moment
    ), backups AS (
        SELECT
            count(*) FILTER (removed_at IS NULL) AS kept,
            known_sum(compressed_size_bytes, removed_at IS NULL)::BIGINT AS kept_bytes,
            known_sum(copies * compressed_size_bytes, removed_at IS NULL)::BIGINT AS stored_bytes,
            known_sum(copies, removed_at IS NULL)::BIGINT AS copies,
            known_sum(verified_copies, removed_at IS NULL)::BIGINT AS verified_copies,
            count(*) AS made,
            known_sum(cost_usd, true)::DECIMAL(38, 12) AS cost_usd,
            count(*) FILTER (cost_usd IS NULL) AS unpriced_backups,
            known_sum(cost_usd, local_month(created_at) = local_month(moment))::DECIMAL(38, 12) AS month_cost_usd,
            count(*) FILTER (cost_usd IS NULL AND local_month(created_at) = local_month(moment))
                AS month_unpriced_backups
        FROM backup_list(), clock
    ), drill AS (
        SELECT
            max(started_at) AS last_drill_at,
            arg_max(coalesce(success, false), (started_at, restore_id)) AS last_drill_success
        FROM backup_restore_log
        WHERE kind = 'drill'
    )
    SELECT
        local_month(moment) AS month, backups.*, last_drill_at, last_drill_success,
        (epoch_us(moment) - epoch_us(last_drill_at)) // 1000000 AS last_drill_age_seconds
    FROM clock, backups, drill;
COMMENT ON MACRO TABLE backup_figures IS
    'Backups kept and their size, copies, cost of the month and in all, and the last drill, in one row';

-- tests
INSERT INTO arweave_backups BY NAME
SELECT *, 'full' AS backup_type, 1 AS file_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES
    ('a', 100, 0.036, '2025-09-30 22:00:00+00', NULL),
    ('b', 100, 0.036, '2025-10-02 00:00:00+00', NULL),
    ('c', 7, NULL, '2025-10-03 00:00:00+00', NULL),
    ('d', 0, 0.00, '2025-10-04 00:00:00+00', '2025-10-05 00:00:00+00'::TIMESTAMPTZ)
) v(backup_id, compressed_size_bytes, cost_usd, created_at, removed_at);
INSERT INTO backup_copies (backup_id, vault, vault_kind, state) VALUES
    ('a', 'disk', 'folder', 'verified'), ('a', 'cloud', 's3', 'seen'), ('b', 'disk', 'folder', 'permanent'),
    ('b', 'cloud', 's3', 'removed'), ('d', 'disk', 'folder', 'removed');
INSERT INTO backup_restore_log (restore_id, backup_id, kind, started_at, success) VALUES
    (1, 'a', 'drill', '2025-10-05 00:00:00+00', false), (2, 'a', 'drill', '2025-10-05 00:00:00+00', true),
    (3, 'a', 'restore', '2025-10-06 00:00:00+00', true);
-- test: what is kept, its copies and what all of it cost, removed or not
SELECT assert_equal(
    (kept, kept_bytes, stored_bytes, copies, verified_copies, made),
    (3, 207, 300, 3, 2, 4)::STRUCT(k BIGINT, b BIGINT, s BIGINT, c BIGINT, v BIGINT, m BIGINT)
) FROM backup_figures(at := '2025-10-07');
SELECT assert_equal(
    (month, cost_usd, unpriced_backups, month_cost_usd, month_unpriced_backups),
    ('2025-10-01', 0.072, 1, 0.036, 1)::STRUCT(m DATE, c DECIMAL(38, 12), u BIGINT, d DECIMAL(38, 12), v BIGINT)
) FROM backup_figures(at := '2025-10-07');
-- test: the month is the book's
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(month_cost_usd, 0.072::DECIMAL(38, 12)) FROM backup_figures(at := '2025-10-07');
-- test: a month without backups cost nothing; one whose costs are not known is not zero
SELECT assert_equal((month_cost_usd, month_unpriced_backups), (0, 0)::STRUCT(c DECIMAL(38, 12), u BIGINT))
FROM backup_figures(at := '2025-12-07');
UPDATE arweave_backups SET cost_usd = NULL;
SELECT assert_equal((cost_usd, unpriced_backups), (NULL, 4)::STRUCT(c DECIMAL(38, 12), u BIGINT)) FROM backup_figures();
-- test: the last drill is the last recorded; a restore is none
SELECT assert_equal(
    (last_drill_at, last_drill_success, last_drill_age_seconds),
    ('2025-10-05 00:00:00+00', true, 2 * 86400)::STRUCT(a TIMESTAMPTZ, s BOOLEAN, g BIGINT)
) FROM backup_figures(at := '2025-10-07');
-- test: without any backup there are zeros and no drill
DELETE FROM arweave_backups;
DELETE FROM backup_restore_log;
SELECT assert_equal(
    (kept, kept_bytes, stored_bytes, copies, made, cost_usd, last_drill_at),
    (0, 0, 0, 0, 0, 0, NULL)::STRUCT(k BIGINT, b BIGINT, s BIGINT, c BIGINT, m BIGINT, u DECIMAL(38, 12), d TIMESTAMPTZ)
) FROM backup_figures();
