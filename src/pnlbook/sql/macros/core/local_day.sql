-- In UTC a slot is a day; elsewhere the conversion is that of period_start.
CREATE OR REPLACE MACRO local_day(moment) AS (
    CASE
        WHEN book_timezone() = 'UTC' THEN DATE '0001-01-01' + time_slot(moment)::INTEGER
        ELSE period_start('day', time_slot(moment))
    END
);
COMMENT ON MACRO local_day IS 'Day, in the book''s time zone, that an instant lies in';

-- tests
-- test: it is the day of period_start, hour by hour through two years, before 1970 too
SELECT assert_equal(bool_and(local_day(moment) = period_start('day', time_slot(moment))), true)
FROM (SELECT '1969-01-01 00:00:00+00'::TIMESTAMPTZ + to_hours(hour) AS moment FROM range(18000) r(hour));
-- test: midnight is the book's
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(local_day('2025-09-30 21:59:59+00'::TIMESTAMPTZ), DATE '2025-09-30');
SELECT assert_equal(local_day('2025-09-30 22:00:00+00'::TIMESTAMPTZ), DATE '2025-10-01');
-- test: NULL stays NULL
SELECT assert_equal(local_day(NULL::TIMESTAMPTZ), NULL::DATE);
