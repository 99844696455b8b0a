-- A book is protected if it could be restored from copies that were read back, none of its schedules is overdue and
-- the last drill, if there was one, succeeded. Whatever else is wrong is a warning. `copies` is how many are wanted.
CREATE OR REPLACE MACRO backup_warnings("at" := NULL, copies := 1) AS TABLE
    WITH clock AS (
        SELECT coalesce(instant("at"), now()) AS moment
    ), kept AS (
        SELECT backup_id, backup_type, created_at, sequence_number, needs, verified_copies, last_verified_at
        FROM backup_list()
        WHERE restorable AND removed_at IS NULL
    ), needed AS (
        SELECT backup_id, unnest(needs) AS needed_id FROM kept WHERE backup_type IN ('full', 'incremental')
    ), found AS (
        SELECT
            needed.backup_id, min(coalesce(verified_copies, 0)) AS fewest, min(last_verified_at) AS verified_at
        FROM needed LEFT JOIN (
            SELECT backup_id AS needed_id, verified_copies, last_verified_at FROM kept
        ) USING (needed_id)
        GROUP BY needed.backup_id
    ), newest AS (
        SELECT backup_id, created_at, fewest, verified_at
        FROM found JOIN (SELECT backup_id, created_at, sequence_number FROM kept) USING (backup_id)
        ORDER BY created_at DESC, sequence_number DESC NULLS LAST, backup_id
        LIMIT 1
    ), made AS (
        SELECT
            schedule_name, any_value(backup_schedules.backup_type) AS backup_type,
            any_value(schedule_hours(cron)) AS hours, max(created_at) AS last_at
        FROM backup_schedules LEFT JOIN kept
            ON kept.backup_type = backup_schedules.backup_type OR kept.backup_type = 'full'
        WHERE enabled
        GROUP BY schedule_name
    ), begun AS (
        SELECT count(*) AS backups, min(created_at) AS first_at FROM arweave_backups
    ), drill AS (
        SELECT
            max(started_at) AS drilled_at,
            arg_max(coalesce(success, false), (started_at, restore_id)) AS succeeded
        FROM backup_restore_log
        WHERE kind = 'drill'
    ), lost AS (
        SELECT
            count(*) FILTER (state = 'missing') AS missing, count(*) FILTER (state = 'damaged') AS damaged
        FROM backup_copies
    ), warnings AS (
        SELECT 1 AS line, 'no_backup' AS warning, true AS unprotected, 'no backup was made yet' AS reason
        FROM begun WHERE backups = 0
        UNION ALL
        SELECT 2, 'not_restorable', true, 'no backup is known to be restorable: no copy of all that it needs was read back'
        FROM begun WHERE backups > 0 AND NOT EXISTS (FROM found WHERE fewest > 0)
        UNION ALL
        SELECT
            3, 'overdue', true,
            concat('schedule ', schedule_name, ' is overdue: ', CASE
                WHEN last_at IS NULL THEN concat('it never made a backup (', backup_type, ')')
                ELSE concat('the last backup (', backup_type, ') is of ', strftime(local_time(last_at), '%Y-%m-%d %H:%M'))
            END)
        FROM made, begun, clock
        WHERE coalesce(last_at, first_at) + to_minutes(90 * hours) < moment
        UNION ALL
        SELECT
            4, 'drill_failed', true,
            concat('the last drill, of ', strftime(local_time(drilled_at), '%Y-%m-%d %H:%M'), ', failed')
        FROM drill WHERE NOT succeeded
        UNION ALL
        SELECT
            5, 'newest_not_verified', false,
            concat('the newest backup, of ', strftime(local_time(created_at), '%Y-%m-%d %H:%M'), ', was not read back whole')
        FROM newest WHERE fewest = 0 AND EXISTS (FROM found WHERE fewest > 0)
        UNION ALL
        SELECT
            6, 'few_copies', false,
            concat('of the newest backup or what it needs, ', CASE WHEN fewest = 1 THEN 'only 1 copy was'
                ELSE concat('only ', fewest, ' copies were') END, ' read back')
        FROM newest WHERE fewest BETWEEN 1 AND copies - 1
        UNION ALL
        SELECT
            7, 'verification_old', false,
            concat('what the newest backup needs was last read back whole on ',
                strftime(local_time(verified_at), '%Y-%m-%d'), ', over 90 days ago')
        FROM newest, clock WHERE verified_at < moment - to_hours(90 * 24)
        UNION ALL
        SELECT 8, 'copies_lost', false, concat('copies: ', concat_ws(
            ', ', CASE WHEN missing > 0 THEN concat(missing, ' missing') END,
            CASE WHEN damaged > 0 THEN concat(damaged, ' damaged') END
        ))
        FROM lost WHERE missing + damaged > 0
        UNION ALL
        SELECT 9, 'never_drilled', false, 'no drill has shown yet that a restore works'
        FROM drill, begun WHERE drilled_at IS NULL AND backups > 0
        UNION ALL
        SELECT
            10, 'drill_old', false,
            concat('the last drill, of ', strftime(local_time(drilled_at), '%Y-%m-%d %H:%M'), ', is over 30 days ago')
        FROM drill, clock WHERE succeeded AND drilled_at < moment - to_hours(30 * 24)
        UNION ALL
        SELECT 11, 'not_scheduled', false, 'no schedule is enabled'
        FROM begun WHERE backups > 0 AND NOT EXISTS (FROM made)
    )
    SELECT warning, unprotected, reason FROM warnings ORDER BY line, reason;
COMMENT ON MACRO TABLE backup_warnings IS
    'What is wrong with the backups of the book, worst first; it is protected if no row says unprotected';

-- tests
INSERT INTO arweave_backups BY NAME
SELECT *, 1 AS file_size_bytes, 1 AS compressed_size_bytes, repeat('0', 64) AS checksum_sha256
FROM (VALUES
    ('a', 'full', 1, NULL, '2025-10-01 02:00:00+00'),
    ('b', 'incremental', 2, ['a', 'b'], '2025-10-02 02:00:00+00')
) v(backup_id, backup_type, sequence_number, needs, created_at);
INSERT INTO backup_copies (backup_id, vault, vault_kind, state, verified_at) VALUES
    ('a', 'disk', 'folder', 'verified', '2025-10-01 03:00:00+00'),
    ('b', 'disk', 'folder', 'verified', '2025-10-02 03:00:00+00'),
    ('a', 'cloud', 's3', 'permanent', '2025-10-01 04:00:00+00'), ('b', 'cloud', 's3', 'permanent', NULL);
INSERT INTO backup_schedules (schedule_name, backup_type, cron) VALUES
    ('daily', 'incremental', '0 2 * * *'), ('weekly', 'full', '0 3 * * 0'), ('odd', 'data', '@daily');
INSERT INTO backup_restore_log (restore_id, backup_id, kind, started_at, success) VALUES
    (1, 'a', 'drill', '2025-09-30 00:00:00+00', false), (2, 'b', 'drill', '2025-10-02 04:00:00+00', true),
    (3, 'b', 'restore', '2025-10-02 05:00:00+00', false);
-- test: nothing is wrong where all is well, with a hidden failure of long ago and a schedule that is none
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_warnings(at := '2025-10-03 12:00:00', copies := 2);
-- test: overdue after one and a half times the schedule
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_warnings(at := '2025-10-03 14:00:00');
SELECT assert_equal(list((warning, unprotected, reason)), [(
    'overdue', true, 'schedule daily is overdue: the last backup (incremental) is of 2025-10-02 02:00'
)]) FROM backup_warnings(at := '2025-10-03 14:00:01');
UPDATE backup_schedules SET enabled = false WHERE schedule_name = 'daily';
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_warnings(at := '2025-10-03 14:00:01');
-- test: a schedule that never ran is overdue once the first backup is that old
INSERT INTO backup_schedules (schedule_name, backup_type, cron) VALUES ('model', 'schema', '0 * * * *');
UPDATE arweave_backups SET backup_type = 'data' WHERE backup_id = 'a';
SELECT assert_equal(list(reason), ['schedule model is overdue: it never made a backup (schema)'])
FROM backup_warnings(at := '2025-10-02 13:00:00') WHERE warning = 'overdue';
-- test: a backup stands on all that it needs
UPDATE backup_copies SET state = 'seen' WHERE backup_id = 'a' AND vault = 'cloud';
SELECT assert_equal(list((warning, reason)), [('few_copies', 'of the newest backup or what it needs, only 1 copy was read back')])
FROM backup_warnings(at := '2025-10-03', copies := 2);
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_warnings(at := '2025-10-03');
UPDATE backup_copies SET state = 'damaged' WHERE backup_id = 'a';
SELECT assert_equal(
    list((warning, unprotected, reason)),
    [
        ('not_restorable', true, 'no backup is known to be restorable: no copy of all that it needs was read back'),
        ('copies_lost', false, 'copies: 2 damaged')
    ]
) FROM backup_warnings(at := '2025-10-03');
-- test: what was read back long ago may be lost since
UPDATE backup_schedules SET enabled = schedule_name = 'odd';
UPDATE backup_restore_log SET started_at = '2025-12-30 00:00:00+00';
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_warnings(at := '2025-12-30 04:00:00');
SELECT assert_equal(list(reason), ['what the newest backup needs was last read back whole on 2025-10-01, over 90 days ago'])
FROM backup_warnings(at := '2025-12-30 04:00:01');
-- test: an older one still protects where the newest was not read back
UPDATE backup_copies SET state = 'missing' WHERE backup_id = 'b';
SELECT assert_equal(list((warning, unprotected)), [('newest_not_verified', false), ('copies_lost', false)])
FROM backup_warnings(at := '2025-10-03');
-- test: what is needed and was removed or is not known cannot be restored from
UPDATE arweave_backups SET removed_at = '2025-10-02 03:00:00+00' WHERE backup_id = 'a';
SELECT assert_equal(list(warning), ['not_restorable']) FROM backup_warnings(at := '2025-10-03');
UPDATE arweave_backups SET needs = ['b', 'nobody knows'] WHERE backup_id = 'b';
SELECT assert_equal(list(warning), ['not_restorable']) FROM backup_warnings(at := '2025-10-03');
-- test: drills that failed, did not end, are old or never were
UPDATE backup_restore_log SET success = NULL WHERE restore_id = 2;
SELECT assert_equal(list((warning, unprotected, reason)), [('drill_failed', true, 'the last drill, of 2025-10-02 04:00, failed')])
FROM backup_warnings(at := '2025-10-03');
DELETE FROM backup_restore_log WHERE kind = 'drill';
SELECT assert_equal(list((warning, unprotected)), [('never_drilled', false)]) FROM backup_warnings(at := '2025-10-03');
INSERT INTO backup_restore_log (restore_id, backup_id, kind, started_at, success)
VALUES (4, 'a', 'drill', '2025-09-03 00:00:00+00', true);
SELECT assert_equal(count(*), 0::BIGINT) FROM backup_warnings(at := '2025-10-03 00:00:00');
SELECT assert_equal(list(warning), ['drill_old']) FROM backup_warnings(at := '2025-10-03 00:00:01');
-- test: nothing scheduled
UPDATE backup_schedules SET enabled = false;
SELECT assert_equal(list(warning), ['not_scheduled']) FROM backup_warnings(at := '2025-10-03');
-- test: without any backup that is all there is to say
DELETE FROM arweave_backups;
DELETE FROM backup_copies;
DELETE FROM backup_restore_log;
SELECT assert_equal(list((warning, unprotected)), [('no_backup', true)]) FROM backup_warnings(at := '2025-10-03');
