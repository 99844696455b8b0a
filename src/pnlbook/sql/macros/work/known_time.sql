-- Without any time there was none, unless there were sessions of whose time nothing is known.
CREATE OR REPLACE MACRO known_time(micros, sessions_without_time) AS (
    coalesce(micros, CASE WHEN sessions_without_time > 0 THEN NULL ELSE 0 END)::BIGINT
);
COMMENT ON MACRO known_time IS 'Microseconds worked; NULL where only sessions without a known time were';

-- tests
-- test: time, none, and none that is known
SELECT assert_equal(known_time(5, 2), 5::BIGINT);
SELECT assert_equal(known_time(NULL, NULL), 0::BIGINT);
SELECT assert_equal(known_time(NULL, 0), 0::BIGINT);
SELECT assert_equal(known_time(0, 1), 0::BIGINT);
SELECT assert_equal(known_time(NULL, 1), NULL::BIGINT);
