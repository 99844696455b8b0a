-- Days and months of every figure begin at midnight of this zone, whichever zone a client's session has.
CREATE OR REPLACE MACRO book_timezone() AS (
    SELECT value FROM book_settings WHERE name = 'timezone'
);
COMMENT ON MACRO book_timezone IS 'The reporting time zone of the book, an IANA name';

-- tests
-- test: a new book reports in UTC
SELECT assert_equal(book_timezone(), 'UTC');
-- test: the setting decides
UPDATE book_settings SET value = 'Europe/Berlin' WHERE name = 'timezone';
SELECT assert_equal(book_timezone(), 'Europe/Berlin');
