-- For sums by node and month, where summing by quarter hour first would leave as many rows as facts. From the
-- 2nd to the 27th of a month in UTC every zone is in the same month, so few instants need a real conversion.
CREATE OR REPLACE MACRO local_month(moment) AS (
    CASE
        WHEN day(make_timestamp(epoch_us(moment))) BETWEEN 2 AND 27
            THEN date_trunc('month', make_timestamp(epoch_us(moment)))::DATE
        ELSE period_start('month', time_slot(moment))
    END
);
COMMENT ON MACRO local_month IS 'First day of the month, in the book''s time zone, that an instant lies in';

-- tests
-- test: it is the month of period_start, hour by hour through a year, in zones at both ends
CREATE OR REPLACE MACRO book_timezone() AS 'Pacific/Kiritimati';
SELECT assert_equal(bool_and(local_month(moment) = period_start('month', time_slot(moment))), true)
FROM (SELECT '2024-01-01 00:00:00+00'::TIMESTAMPTZ + to_hours(hour) AS moment FROM range(9000) r(hour));
CREATE OR REPLACE MACRO book_timezone() AS 'Etc/GMT+12';
SELECT assert_equal(bool_and(local_month(moment) = period_start('month', time_slot(moment))), true)
FROM (SELECT '2024-01-01 00:00:00+00'::TIMESTAMPTZ + to_hours(hour) AS moment FROM range(9000) r(hour));
-- test: the last local second of a month
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(local_month('2025-09-30 21:59:59+00'::TIMESTAMPTZ), DATE '2025-09-01');
SELECT assert_equal(local_month('2025-09-30 22:00:00+00'::TIMESTAMPTZ), DATE '2025-10-01');
-- test: NULL stays NULL
SELECT assert_equal(local_month(NULL::TIMESTAMPTZ), NULL::DATE);
