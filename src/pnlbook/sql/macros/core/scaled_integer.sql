-- DuckDB has no way to read a DECIMAL's unscaled integer; its text without the point is it, and exact.
CREATE OR REPLACE MACRO scaled_integer(amount) AS (
    replace(amount::DECIMAL(38, 12)::VARCHAR, '.', '')::HUGEINT
);
COMMENT ON MACRO scaled_integer IS 'An amount in units of 10^-12, for exact integer arithmetic';

-- tests
-- test: sign, leading zeros and twelve decimals survive
SELECT assert_equal(scaled_integer(-0.5), -500000000000::HUGEINT);
SELECT assert_equal(scaled_integer(0.000000000001), 1::HUGEINT);
SELECT assert_equal(
    scaled_integer(12345678901234567890123456.123456789012),
    12345678901234567890123456123456789012::HUGEINT
);
-- test: integers count as amounts
SELECT assert_equal(scaled_integer(3), 3000000000000::HUGEINT);
-- test: zero is zero and NULL stays NULL
SELECT assert_equal(scaled_integer(0.00), 0::HUGEINT);
SELECT assert_equal(scaled_integer(NULL), NULL::HUGEINT);
