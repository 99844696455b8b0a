-- A bound typed by a person ('2025-10-01', a date picked in a report) means the book's own clock, whichever
-- zone the session has. A cast to TIMESTAMP drops a written offset, so text that has one is read as it stands.
CREATE OR REPLACE MACRO instant(given) AS (
    CASE
        WHEN typeof(given) = 'TIMESTAMP WITH TIME ZONE' THEN given::TIMESTAMPTZ
        WHEN regexp_matches(given::VARCHAR, ':\d\d(\.\d+)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)$') THEN given::TIMESTAMPTZ
        ELSE given::TIMESTAMP AT TIME ZONE book_timezone()
    END
);
COMMENT ON MACRO instant IS 'The instant that a date, local time or text means in the book''s time zone; instants stay as they are';

-- tests
-- test: a date, a local time and text are the book's own
UPDATE book_settings SET value = 'Europe/Berlin' WHERE name = 'timezone';
SET TimeZone = 'America/New_York';
SELECT assert_equal(instant('2025-10-01'), '2025-09-30 22:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant(DATE '2025-12-01'), '2025-11-30 23:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant(TIMESTAMP '2025-10-01 12:30:00'), '2025-10-01 10:30:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01 12:30:00.5'), '2025-10-01 10:30:00.5+00'::TIMESTAMPTZ);
-- test: an instant stays as it is, and so does text with an offset
UPDATE book_settings SET value = 'Europe/Berlin' WHERE name = 'timezone';
SELECT assert_equal(instant('2025-10-01 00:00:00+00'::TIMESTAMPTZ), '2025-10-01 00:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01T00:00:00Z'), '2025-10-01 00:00:00+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01T00:00:00.25-05:30'), '2025-10-01 05:30:00.25+00'::TIMESTAMPTZ);
SELECT assert_equal(instant('2025-10-01 00:00:00+02'), '2025-09-30 22:00:00+00'::TIMESTAMPTZ);
-- test: no bound is no bound
SELECT assert_equal(instant(NULL), NULL::TIMESTAMPTZ);
