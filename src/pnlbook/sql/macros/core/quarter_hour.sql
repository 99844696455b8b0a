-- Conversion to local time is the slowest part of a monthly sum over millions of facts. Every offset in use
-- since 1973 is a multiple of 15 minutes, so facts are summed by quarter hour first and only those are converted.
CREATE OR REPLACE MACRO quarter_hour(moment) AS (
    epoch_us(moment) // 900000000
);
COMMENT ON MACRO quarter_hour IS 'Number of the quarter hour, counted from 1970, that an instant lies in';

-- tests
-- test: one number from the first microsecond to the last
SELECT assert_equal(quarter_hour('1970-01-01 00:15:00+00'::TIMESTAMPTZ), 1::BIGINT);
SELECT assert_equal(quarter_hour('1970-01-01 00:29:59.999999+00'::TIMESTAMPTZ), 1::BIGINT);
SELECT assert_equal(quarter_hour('1970-01-01 00:30:00+00'::TIMESTAMPTZ), 2::BIGINT);
-- test: NULL stays NULL
SELECT assert_equal(quarter_hour(NULL::TIMESTAMPTZ), NULL::BIGINT);
