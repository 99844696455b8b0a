-- `/` returns DOUBLE, and a rounded DOUBLE may turn 94.395 into 94.39; a quotient of integers is exact.
-- Operands are read at 12 decimals. |numerator| * 10^digits, |denominator| and |quotient| must stay below
-- 8e25; beyond that DuckDB may raise an overflow, it never answers wrongly.
CREATE OR REPLACE MACRO ratio(numerator, denominator, digits) AS (
    (quotient(numerator, denominator, digits) * ('1' || repeat('0', 12 - digits))::HUGEINT)::DECIMAL(38, 0)
    * 0.000000000001::DECIMAL(12, 12)
);
COMMENT ON MACRO ratio IS
    'numerator / denominator, exactly, rounded half away from zero to 0 to 12 digits; NULL over zero';

-- tests
-- test: ties go away from zero, on both sides
SELECT assert_equal(ratio(1, 8, 2), 0.13::DECIMAL(38, 12));
SELECT assert_equal(ratio(-1, 8, 2), -0.13::DECIMAL(38, 12));
SELECT assert_equal(ratio(1, -8, 2), -0.13::DECIMAL(38, 12));
SELECT assert_equal(ratio(-1, -8, 2), 0.13::DECIMAL(38, 12));
-- test: what a DOUBLE would get wrong
SELECT assert_equal(ratio(1.005, 1, 2), 1.01::DECIMAL(38, 12));
SELECT assert_equal(ratio(94.395, 1, 2), 94.40::DECIMAL(38, 12));
-- test: below a tie goes down
SELECT assert_equal(ratio(0.124999999999, 1, 2), 0.12::DECIMAL(38, 12));
-- test: over zero, over NULL and of NULL there is no ratio
SELECT assert_equal(ratio(1, 0, 2), NULL::DECIMAL(38, 12));
SELECT assert_equal(ratio(0, 0, 2), NULL::DECIMAL(38, 12));
SELECT assert_equal(ratio(1, NULL, 2), NULL::DECIMAL(38, 12));
SELECT assert_equal(ratio(NULL, 1, 2), NULL::DECIMAL(38, 12));
-- test: zero over something is zero
SELECT assert_equal(ratio(0, 7, 2), 0::DECIMAL(38, 12));
-- test: from none to twelve digits
SELECT assert_equal(ratio(2, 3, 0), 1::DECIMAL(38, 12));
SELECT assert_equal(ratio(2, 3, 12), 0.666666666667::DECIMAL(38, 12));
-- test: trillions over the smallest amount
SELECT assert_equal(ratio(1000000000000, 0.000000000001, 0), 1000000000000000000000000::DECIMAL(38, 12));
-- test: a column with a NULL, a zero and a repeated row
SELECT assert_equal(
    list(ratio(part, whole, 2) ORDER BY line),
    [0.33, NULL, NULL, 0.00, 0.33]::DECIMAL(38, 12)[]
) FROM (VALUES (1, 1.00, 3.00), (2, NULL, 3.00), (3, 1.00, 0.00), (4, 0.00, 3.00), (5, 1.00, 3.00)) r(line, part, whole);
