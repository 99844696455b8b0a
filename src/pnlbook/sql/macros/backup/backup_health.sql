-- A vault is known by its copies or by what was asked of it. Copies and operations are summed apart, so that
-- neither multiplies the other. States are those of today; `at` is when ages and the 30 days are counted from.
CREATE OR REPLACE MACRO backup_health("at" := NULL) AS TABLE
    WITH clock AS (
        SELECT coalesce(instant("at"), now()) AS moment
    ), held AS (
        SELECT
            vault, max(vault_kind) AS vault_kind,
            count(*) FILTER (state <> 'removed') AS copies,
            count(*) FILTER (state = 'posted') AS posted,
            count(*) FILTER (state = 'seen') AS seen,
            count(*) FILTER (state = 'verified') AS verified,
            count(*) FILTER (state = 'permanent') AS permanent,
            count(*) FILTER (state = 'missing') AS missing,
            count(*) FILTER (state = 'damaged') AS damaged,
            count(*) FILTER (state = 'removed') AS removed,
            max(created_at) FILTER (is_verified(state)) AS latest_verified_at,
            min(verified_at) FILTER (is_verified(state)) AS oldest_verification_at
        FROM backup_copies LEFT JOIN (SELECT backup_id, created_at FROM arweave_backups) USING (backup_id)
        GROUP BY vault
    ), recent AS (
        SELECT *, started_at > moment - to_hours(30 * 24) AS in_30_days
        FROM backup_vault_checks, clock
        WHERE started_at <= moment
    ), asked AS (
        SELECT
            vault,
            max(started_at) FILTER (operation = 'put' AND success) AS last_put_at,
            max(started_at) FILTER (operation = 'get' AND success) AS last_get_at,
            count(*) FILTER (NOT success AND in_30_days) AS failures_30_days,
            median(seconds) FILTER (operation = 'put' AND success AND in_30_days) AS put_seconds,
            median(seconds) FILTER (operation = 'get' AND success AND in_30_days) AS get_seconds
        FROM recent
        GROUP BY vault
    )
    SELECT
        vault, vault_kind,
        zero_without(held.copies, held.copies)::BIGINT AS copies,
        zero_without(held.copies, posted)::BIGINT AS posted,
        zero_without(held.copies, seen)::BIGINT AS seen,
        zero_without(held.copies, verified)::BIGINT AS verified,
        zero_without(held.copies, permanent)::BIGINT AS permanent,
        zero_without(held.copies, missing)::BIGINT AS missing,
        zero_without(held.copies, damaged)::BIGINT AS damaged,
        zero_without(held.copies, removed)::BIGINT AS removed,
        latest_verified_at,
        (epoch_us(moment) - epoch_us(latest_verified_at)) // 1000000 AS latest_verified_age_seconds,
        oldest_verification_at, last_put_at, last_get_at,
        zero_without(failures_30_days, failures_30_days)::BIGINT AS failures_30_days,
        put_seconds, get_seconds,
        list_filter([
            CASE WHEN coalesce(held.copies, 0) = 0 THEN 'holds no backup' END,
            CASE WHEN held.copies > 0 AND verified + permanent = 0 THEN 'no copy was read back' END,
            CASE WHEN missing > 0 THEN concat(missing, ' missing') END,
            CASE WHEN damaged > 0 THEN concat(damaged, ' damaged') END,
            CASE WHEN failures_30_days > 0 THEN concat(failures_30_days, ' failed in 30 days') END
        ], lambda warning: warning IS NOT NULL) AS warnings
    FROM held FULL JOIN asked USING (vault), clock
    ORDER BY vault;
COMMENT ON MACRO TABLE backup_health IS
    'Every vault with its copies by state, when it was last read and written, how fast and how reliably, and warnings';

-- tests
INSERT INTO arweave_backups BY NAME
SELECT *, 'full' AS backup_type, 1 AS file_size_bytes, 1 AS compressed_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES ('a', '2025-07-01 00:00:00+00'), ('b', '2025-10-30 00:00:00+00'), ('c', '2025-10-31 00:00:00+00'))
v(backup_id, created_at);
INSERT INTO backup_copies (backup_id, vault, vault_kind, state, verified_at) VALUES
    ('a', 'disk', 'folder', 'verified', '2025-07-02 00:00:00+00'),
    ('b', 'disk', 'folder', 'permanent', '2025-10-30 06:00:00+00'),
    ('c', 'disk', 'folder', 'damaged', '2025-10-31 06:00:00+00'),
    ('a', 'cloud', 's3', 'removed', '2025-07-02 00:00:00+00'),
    ('b', 'cloud', 's3', 'posted', NULL),
    ('gone', 'cloud', 's3', 'missing', NULL);
INSERT INTO backup_vault_checks (check_id, vault, operation, started_at, seconds, success) VALUES
    (1, 'disk', 'put', '2025-10-30 00:00:00+00', 0.5, true),
    (2, 'disk', 'put', '2025-10-31 00:00:00+00', 1.5, true),
    (3, 'disk', 'put', '2025-10-31 00:00:00+00', 1.5, true),
    (4, 'disk', 'put', '2025-10-31 12:00:00+00', 60, false),
    (5, 'disk', 'put', '2025-09-01 00:00:00+00', 9, true),
    (6, 'disk', 'get', '2025-10-30 00:00:00+00', NULL, true),
    (7, 'disk', 'get', '2025-10-29 00:00:00+00', 0, true),
    (8, 'away', 'list', '2025-09-01 00:00:00+00', 1, false),
    (9, 'disk', 'put', '2025-11-02 00:00:00+00', 2, true);
-- test: copies by state, however many operations there were
SELECT assert_equal(
    list((vault, vault_kind, copies, posted, seen, verified, permanent, missing, damaged, removed)),
    [
        ('away', NULL, 0, 0, 0, 0, 0, 0, 0, 0), ('cloud', 's3', 2, 1, 0, 0, 0, 1, 0, 1),
        ('disk', 'folder', 3, 0, 0, 1, 1, 0, 1, 0)
    ]::STRUCT(
        v VARCHAR, k VARCHAR, n BIGINT, p BIGINT, s BIGINT, x BIGINT, y BIGINT, m BIGINT, d BIGINT, r BIGINT
    )[]
) FROM backup_health(at := '2025-11-01');
-- test: the newest backup that was read back, and its age
SELECT assert_equal(
    list((latest_verified_at, latest_verified_age_seconds, oldest_verification_at)),
    [
        (NULL, NULL, NULL), (NULL, NULL, NULL),
        ('2025-10-30 00:00:00+00', 2 * 86400, '2025-07-02 00:00:00+00')
    ]::STRUCT(l TIMESTAMPTZ, a BIGINT, o TIMESTAMPTZ)[]
) FROM backup_health(at := '2025-11-01');
-- test: medians of what succeeded in the 30 days; a NULL is left out, a repeated row counts twice
SELECT assert_equal(
    list((last_put_at, last_get_at, failures_30_days, put_seconds, get_seconds)),
    [
        (NULL, NULL, 0, NULL, NULL), (NULL, NULL, 0, NULL, NULL),
        ('2025-10-31 00:00:00+00', '2025-10-30 00:00:00+00', 1, 1.5, 0)
    ]::STRUCT(p TIMESTAMPTZ, g TIMESTAMPTZ, f BIGINT, q DECIMAL(12, 6), h DECIMAL(12, 6))[]
) FROM backup_health(at := '2025-11-01');
-- test: what is wrong with a vault is told
SELECT assert_equal(
    list(warnings),
    [
        ['holds no backup'], ['no copy was read back', '1 missing'],
        ['1 damaged', '1 failed in 30 days']
    ]
) FROM backup_health(at := '2025-11-01');
-- test: a failure of long ago is past; without a moment it is now
SELECT assert_equal(list(failures_30_days), [0]::BIGINT[]) FROM backup_health() WHERE vault = 'disk';
SELECT assert_equal(list(failures_30_days), [1]::BIGINT[]) FROM backup_health(at := '2025-09-15') WHERE vault = 'away';
-- test: nothing is wrong with a vault where all is well
DELETE FROM backup_copies;
INSERT INTO backup_copies (backup_id, vault, vault_kind, state, verified_at)
VALUES ('b', 'disk', 'folder', 'verified', '2025-10-30 06:00:00+00');
SELECT assert_equal(list(warnings), [[]]::VARCHAR[][]) FROM backup_health(at := '2025-10-31') WHERE vault = 'disk';
-- test: without any vault there is no row
DELETE FROM backup_copies;
DELETE FROM backup_vault_checks;
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_health();
