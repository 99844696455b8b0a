-- See time_slot.
CREATE OR REPLACE MACRO slot_length() AS (
    CASE WHEN book_timezone() = 'UTC' THEN 86400000000 ELSE 900000000 END
);
COMMENT ON MACRO slot_length IS 'Length of a slot of time in microseconds: a day in UTC, a quarter hour elsewhere';

-- tests
-- test: a day in UTC, a quarter hour elsewhere
SELECT assert_equal(slot_length(), 24 * 3600 * 1000000::BIGINT);
CREATE OR REPLACE MACRO book_timezone() AS 'Asia/Kathmandu';
SELECT assert_equal(slot_length(), 15 * 60 * 1000000::BIGINT);
