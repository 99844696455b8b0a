-- Whole months are compared with as many months before (October with September, though it is a day longer);
-- any other range with the equally long one before, on the book's clock.
CREATE OR REPLACE MACRO period_before(since, until) AS (
    CASE
        WHEN day(local_time(since)) = 1 AND local_time(since) = date_trunc('day', local_time(since))
            AND day(local_time(until)) = 1 AND local_time(until) = date_trunc('day', local_time(until))
            THEN local_time(since) - to_months(date_diff('month', local_time(since), local_time(until)))
        ELSE local_time(since) - (local_time(until) - local_time(since))
    END AT TIME ZONE book_timezone()
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
UPDATE book_settings SET value = 'Europe/Berlin' WHERE name = 'timezone';
SELECT assert_equal(period_before('2025-10-27', '2025-11-03'), instant('2025-10-20'));
-- test: without both bounds there is none
SELECT assert_equal(period_before(NULL, '2025-11-01'), NULL::TIMESTAMPTZ);
SELECT assert_equal(period_before('2025-10-01', NULL), NULL::TIMESTAMPTZ);
