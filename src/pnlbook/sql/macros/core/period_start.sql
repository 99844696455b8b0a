-- Days, weeks (from Monday), months, quarters and years begin at midnight in the book's zone.
CREATE OR REPLACE MACRO period_start(grain, slot) AS (
    date_trunc(
        CASE WHEN known_grain(grain) THEN grain END,
        make_timestamptz(slot * slot_length() - 62135596800000000) AT TIME ZONE book_timezone()
    )::DATE
);
COMMENT ON MACRO period_start IS 'First day of the local day, week, month, quarter or year of a time slot';

-- tests
-- test: each grain
SELECT assert_equal(period_start('day', time_slot(instant('2025-11-19 23:59'))), DATE '2025-11-19');
SELECT assert_equal(period_start('week', time_slot(instant('2025-11-19'))), DATE '2025-11-17');
SELECT assert_equal(period_start('month', time_slot(instant('2025-11-19'))), DATE '2025-11-01');
SELECT assert_equal(period_start('quarter', time_slot(instant('2025-11-19'))), DATE '2025-10-01');
SELECT assert_equal(period_start('year', time_slot(instant('2025-11-19'))), DATE '2025-01-01');
-- test: midnight is the book's, also where its offset is no whole hour
CREATE OR REPLACE MACRO book_timezone() AS 'Asia/Kathmandu';
SELECT assert_equal(period_start('month', time_slot('2025-09-30 18:15:00+00'::TIMESTAMPTZ)), DATE '2025-10-01');
SELECT assert_equal(period_start('month', time_slot('2025-09-30 18:14:59+00'::TIMESTAMPTZ)), DATE '2025-09-01');
-- test: summer time ends within a day, not at its end
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(period_start('day', time_slot('2025-10-25 22:00:00+00'::TIMESTAMPTZ)), DATE '2025-10-26');
SELECT assert_equal(period_start('day', time_slot('2025-10-26 22:59:59+00'::TIMESTAMPTZ)), DATE '2025-10-26');
SELECT assert_equal(period_start('day', time_slot('2025-10-26 23:00:00+00'::TIMESTAMPTZ)), DATE '2025-10-27');
-- test: a day begins at its instant, through years of zones where midnight comes twice, is skipped or moves
CREATE OR REPLACE MACRO book_timezone() AS 'America/Havana';
SELECT assert_equal(bool_and(instant(period_start('day', time_slot(moment))) <= moment
    AND moment < instant(period_start('day', time_slot(moment)) + 1)), true)
FROM (SELECT '2024-12-31 00:00:00+00'::TIMESTAMPTZ + to_minutes(15 * quarter) AS moment FROM range(36000) r(quarter));
CREATE OR REPLACE MACRO book_timezone() AS 'Atlantic/Azores';
SELECT assert_equal(bool_and(instant(period_start('day', time_slot(moment))) <= moment
    AND moment < instant(period_start('day', time_slot(moment)) + 1)), true)
FROM (SELECT '2024-12-31 00:00:00+00'::TIMESTAMPTZ + to_minutes(15 * quarter) AS moment FROM range(36000) r(quarter));
-- test: NULL stays NULL
SELECT assert_equal(period_start('day', NULL::BIGINT), NULL::DATE);
