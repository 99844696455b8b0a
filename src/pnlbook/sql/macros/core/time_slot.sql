-- Conversion to local time is the slowest part of a monthly sum over millions of facts, so facts are summed by slot
-- first and only slots are converted. Every offset in use since 1980 is a multiple of 15 minutes, and no quarter
-- hour spans two local days; where the book reports in UTC, a slot may be the whole day. Slots are counted from the
-- year 1 (62135596800 seconds before 1970), because integer division rounds towards zero.
CREATE OR REPLACE MACRO time_slot(moment) AS (
    (epoch_us(moment) + 62135596800000000) // slot_length()
);
COMMENT ON MACRO time_slot IS 'Number of the slot of time that an instant lies in; no slot spans two days of the book';

-- tests
-- test: in UTC, one slot from the first microsecond of a day to the last
SELECT assert_equal(time_slot('2025-10-01 00:00:00+00'::TIMESTAMPTZ), 739524::BIGINT);
SELECT assert_equal(time_slot('2025-10-01 23:59:59.999999+00'::TIMESTAMPTZ), 739524::BIGINT);
SELECT assert_equal(time_slot('2025-10-02 00:00:00+00'::TIMESTAMPTZ), 739525::BIGINT);
-- test: before 1970 too
SELECT assert_equal(
    time_slot('1969-12-31 23:59:59.999999+00'::TIMESTAMPTZ), time_slot('1969-12-31 00:00:00+00'::TIMESTAMPTZ)
);
-- test: elsewhere, one slot a quarter hour
CREATE OR REPLACE MACRO book_timezone() AS 'Asia/Kathmandu';
SELECT assert_equal(
    list(time_slot(moment) - time_slot('2025-10-01 00:00:00+00'::TIMESTAMPTZ) ORDER BY moment), [-1, 0, 0, 0, 1]
) FROM (VALUES
    ('2025-09-30 23:59:59.999999+00'::TIMESTAMPTZ), ('2025-10-01 00:00:00+00'),
    ('2025-10-01 00:14:59.999999+00'), ('2025-10-01 00:14:59.999999+00'), ('2025-10-01 00:15:00+00')
) r(moment);
-- test: NULL stays NULL
SELECT assert_equal(time_slot(NULL::TIMESTAMPTZ), NULL::BIGINT);
