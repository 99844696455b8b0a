-- Arithmetic with days and months is done on the clock of the book, where days have no fixed length.
CREATE OR REPLACE MACRO local_time(given) AS (
    instant(given) AT TIME ZONE book_timezone()
);
COMMENT ON MACRO local_time IS 'What the book''s clock shows at an instant';

-- tests
-- test: a local time is itself, an instant is converted
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(local_time('2025-10-01 08:00'), TIMESTAMP '2025-10-01 08:00:00');
SELECT assert_equal(local_time('2025-10-01 08:00:00+00'::TIMESTAMPTZ), TIMESTAMP '2025-10-01 10:00:00');
-- test: NULL stays NULL
SELECT assert_equal(local_time(NULL), NULL::TIMESTAMP);
