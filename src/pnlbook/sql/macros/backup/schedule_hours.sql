-- The longest time that may pass between two runs, never less: what is called overdue by it is overdue. A list of
-- hours or days counts as one of them.
CREATE OR REPLACE MACRO schedule_hours(cron) AS (
    list_transform([string_split_regex(trim(cron), '\s+')], lambda field: CASE
        WHEN field IS NULL OR len(field) <> 5 THEN NULL
        WHEN field[4] <> '*' THEN 366 * 24
        WHEN field[3] <> '*' THEN 31 * 24
        WHEN field[5] <> '*' THEN 7 * 24
        WHEN regexp_full_match(field[2], '\*/([1-9]|1\d|2[0-3])') THEN field[2][3:]::BIGINT
        WHEN field[2] <> '*' THEN 24
        ELSE 1
    END)[1]::BIGINT
);
COMMENT ON MACRO schedule_hours IS
    'Longest time in hours between two runs of a cron expression of five fields; NULL: it is no such expression';

-- tests
-- test: hourly, every six hours, daily, weekly, monthly and yearly
SELECT assert_equal(list(schedule_hours(cron) ORDER BY line), [1, 6, 24, 24, 168, 744, 8784]::BIGINT[])
FROM (VALUES
    (1, '5 * * * *'), (2, '0 */6 * * *'), (3, '0 2 * * *'), (4, '0  2,14 * * *'), (5, ' 0 3 * * 0'), (6, '0 4 1 * *'),
    (7, '0 4 1 1 *')
) s(line, cron);
-- test: what is no expression has no period
SELECT assert_equal(list(schedule_hours(cron)), [NULL, NULL, NULL]::BIGINT[])
FROM (VALUES ('@daily'), (''), (NULL)) s(cron);
