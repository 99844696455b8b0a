-- Whole months are compared with as many months before (October with September, though it is a day longer);
-- any other range with the equally long one before, on the book's clock.
CREATE OR REPLACE MACRO period_before(since, until) AS (
    instant(list_transform([{start: local_time(since), stop: local_time(until)}], lambda period: CASE
        WHEN period.start = date_trunc('month', period.start) AND period.stop = date_trunc('month', period.stop)
            THEN period.start - to_months(date_diff('month', period.start, period.stop))
        ELSE period.start - (period.stop - period.start)
    END)[1])
);
COMMENT ON MACRO period_before IS 'Start of the period before [since, until): as many whole months, or equally long';

-- tests
-- test: whole months before whole months
SELECT assert_equal(period_before('2025-10-01', '2025-11-01'), instant('2025-09-01'));
SELECT assert_equal(period_before('2025-01-01', '2026-01-01'), instant('2024-01-01'));
-- test: otherwise equally long
SELECT assert_equal(period_before('2025-10-08', '2025-10-15'), instant('2025-10-01'));
SELECT assert_equal(period_before('2025-10-01', '2025-10-31'), instant('2025-09-01'));
SELECT assert_equal(period_before('2025-10-01 12:00', '2025-11-01'), instant('2025-08-31 12:00') + INTERVAL 12 HOUR);
-- test: midnight stays midnight through a change of the clock
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(period_before('2025-10-27', '2025-11-03'), instant('2025-10-20'));
-- test: it may begin where midnight comes twice
CREATE OR REPLACE MACRO book_timezone() AS 'America/Havana';
SELECT assert_equal(period_before('2025-11-09', '2025-11-16'), '2025-11-02 04:00:00+00'::TIMESTAMPTZ);
-- test: without both bounds there is none
SELECT assert_equal(period_before(NULL, '2025-11-01'), NULL::TIMESTAMPTZ);
SELECT assert_equal(period_before('2025-10-01', NULL), NULL::TIMESTAMPTZ);
