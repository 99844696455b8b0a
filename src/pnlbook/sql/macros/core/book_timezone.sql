-- Days and months of every figure begin at midnight of this zone, whichever zone a client's session has. It is a
-- constant, so that a range is known before a scan begins; pnlbook replaces it with the setting of the book.
CREATE OR REPLACE MACRO book_timezone() AS (
    'UTC'
);
COMMENT ON MACRO book_timezone IS 'The reporting time zone of the book, an IANA name';

-- tests
-- test: a new book reports in UTC, as its settings say
SELECT assert_equal(book_timezone(), 'UTC');
SELECT assert_equal(value, book_timezone()) FROM book_settings WHERE name = 'timezone';
-- test: whatever it is replaced with, the other macros follow
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(local_time('2025-10-01 08:00:00+00'::TIMESTAMPTZ), TIMESTAMP '2025-10-01 10:00:00');
