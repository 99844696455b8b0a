CREATE OR REPLACE MACRO per_hour(amount, micros) AS (
    ratio(amount * 3600, micros * 0.000001::DECIMAL(7, 6), 2)::DECIMAL(38, 2)
);
COMMENT ON MACRO per_hour IS 'Amount for each hour of so many microseconds, rounded to 2 digits; NULL over no time';

-- tests
-- test: the published earnings per hour, of 67.5 hours
SELECT assert_equal(per_hour(5000::DECIMAL(38, 12), 243000000000::BIGINT), 74.07::DECIMAL(38, 2));
-- test: over no time and over an unknown one there is none; of nothing it is zero
SELECT assert_equal(
    list(per_hour(amount, micros) ORDER BY line), [12.50, NULL, NULL, 0.00, NULL, 12.50]::DECIMAL(38, 2)[]
) FROM (VALUES
    (1, 25::BIGINT, 7200000000::BIGINT), (2, 25, 0), (3, 25, NULL), (4, 0, 3600000000), (5, NULL, 3600000000),
    (6, 25, 7200000000)
) r(line, amount, micros);
