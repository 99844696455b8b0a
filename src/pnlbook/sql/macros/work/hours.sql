-- Hours are kept in microseconds until they are shown.
CREATE OR REPLACE MACRO hours(micros) AS (
    ratio(micros, 3600000000, 6)::DECIMAL(38, 6)
);
COMMENT ON MACRO hours IS 'Microseconds in hours, rounded to 6 digits';

-- tests
-- test: an hour and a half, a third of one, none, unknown
SELECT assert_equal(
    list(hours(micros) ORDER BY line), [1.5, 0.333333, 0, NULL, 1.5]::DECIMAL(38, 6)[]
) FROM (VALUES (1, 5400000000), (2, 1200000000), (3, 0), (4, NULL), (5, 5400000000)) r(line, micros);
