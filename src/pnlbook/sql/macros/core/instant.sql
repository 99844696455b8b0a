-- A bound typed by a person ('2025-10-01', a date picked in a report) means the book's own clock, whichever
-- zone the session has. A cast to TIMESTAMP drops a written offset, so text that has one is read as it stands.
-- AT TIME ZONE takes a local time that comes twice as the later; a day or an hour that begins with such a time
-- begins at the first, a microsecond after a time that comes once.
-- (Macros copy an argument wherever they name it; the lambda names it once.)
CREATE OR REPLACE MACRO instant(given) AS (
    list_transform([given], lambda moment: CASE
        WHEN typeof(moment) = 'TIMESTAMP WITH TIME ZONE' THEN moment::TIMESTAMPTZ
        WHEN regexp_matches(moment::VARCHAR, ':\d\d(\.\d+)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)$') THEN moment::TIMESTAMPTZ
        ELSE least(
            moment::TIMESTAMP AT TIME ZONE book_timezone(),
            (moment::TIMESTAMP - INTERVAL 1 MICROSECOND) AT TIME ZONE book_timezone() + INTERVAL 1 MICROSECOND
        )
    END)[1]
);
COMMENT ON MACRO instant IS
    'The instant that a date, local time or text means in the book''s time zone; instants stay as they are';

-- tests
-- test: a date, a local time and text are the book's own
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SET TimeZone = 'America/New_York';
SELECT assert_equal(instant('2025-10-01'), '2025-09-30 22:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant(DATE '2025-12-01'), '2025-11-30 23:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant(TIMESTAMP '2025-10-01 12:30:00'), '2025-10-01 10:30:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01 12:30:00.5'), '2025-10-01 10:30:00.5+00'::TIMESTAMPTZ);
-- test: an instant stays as it is, and so does text with an offset
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(instant('2025-10-01 00:00:00+00'::TIMESTAMPTZ), '2025-10-01 00:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01T00:00:00Z'), '2025-10-01 00:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01T00:00:00.25-05:30'), '2025-10-01 05:30:00.25+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01 00:00:00+02'), '2025-09-30 22:00:00+00'::TIMESTAMPTZ);
-- test: where midnight comes twice, a day begins at the first; where it is skipped, with the first time after it
CREATE OR REPLACE MACRO book_timezone() AS 'America/Havana';
SELECT assert_equal(instant('2025-11-02'), '2025-11-02 04:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-11-01'), '2025-11-01 04:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-11-03'), '2025-11-03 05:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-03-09'), '2025-03-09 05:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-03-09 01:00'), '2025-03-09 05:00:00+00'::TIMESTAMPTZ);
-- test: so does an hour that comes twice, and within it a time is the later
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(instant('2025-10-26 02:00'), '2025-10-26 00:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-26 02:30'), '2025-10-26 01:30:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-26 03:00'), '2025-10-26 02:00:00+00'::TIMESTAMPTZ);
-- test: no time is too early or too late
SELECT assert_equal(instant('infinity'), 'infinity'::TIMESTAMPTZ);
SELECT assert_equal(instant('-infinity'), '-infinity'::TIMESTAMPTZ);
-- test: no bound is no bound
SELECT assert_equal(instant(NULL), NULL::TIMESTAMPTZ);
