-- Ranges are half-open, so that adjoining periods share no fact and lose none.
CREATE OR REPLACE MACRO in_range(moment, since, until) AS (
    (since IS NULL OR moment >= instant(since)) AND (until IS NULL OR moment < instant(until))
);
COMMENT ON MACRO in_range IS 'Whether since <= moment < until; a bound that is NULL is none';

-- tests
-- test: the start belongs to the range, the end does not
SELECT assert_equal(in_range(instant('2025-10-01'), '2025-10-01', '2025-11-01'), true);
SELECT assert_equal(in_range(instant('2025-11-01'), '2025-10-01', '2025-11-01'), false);
-- test: either bound may be missing
SELECT assert_equal(in_range(instant('2025-09-30'), '2025-10-01', NULL), false);
SELECT assert_equal(in_range(instant('2025-09-30'), NULL, '2025-10-01'), true);
SELECT assert_equal(in_range(instant('2025-09-30'), NULL, NULL), true);
-- test: bounds are local to the book
CREATE OR REPLACE MACRO book_timezone() AS 'Asia/Kathmandu';
SELECT assert_equal(in_range('2025-09-30 18:15:00+00'::TIMESTAMPTZ, DATE '2025-10-01', NULL), true);
SELECT assert_equal(in_range('2025-09-30 18:14:59+00'::TIMESTAMPTZ, DATE '2025-10-01', NULL), false);
