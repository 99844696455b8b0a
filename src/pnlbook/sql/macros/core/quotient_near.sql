-- See quotient. Operands are read at 12 decimals, as in scaled_integer.
CREATE OR REPLACE MACRO quotient_near(numerator, denominator, digits) AS (
    numerator::DECIMAL(38, 12)::DOUBLE / nullif(denominator::DECIMAL(38, 12)::DOUBLE, 0)
    * ('1' || repeat('0', digits))::DOUBLE
);
COMMENT ON MACRO quotient_near IS
    'numerator / denominator in units of 10^-digits as a DOUBLE, off by less than 10^-14 of itself; NULL over zero';

-- tests
-- test: it is close
SELECT assert_equal(quotient_near(1, 4, 2), 25::DOUBLE);
SELECT assert_equal(abs(quotient_near(94395, 100, 12) / 943950000000000 - 1) < 1e-14, true);
-- test: over zero and of NULL there is none, also where zero shows only at 12 decimals
SELECT assert_equal(quotient_near(1, 0, 2), NULL::DOUBLE);
SELECT assert_equal(quotient_near(1, 0.0000000000001, 2), NULL::DOUBLE);
SELECT assert_equal(quotient_near(NULL, 1, 2), NULL::DOUBLE);
