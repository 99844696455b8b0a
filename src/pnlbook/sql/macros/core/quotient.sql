-- A quotient of DOUBLEs is off by less than 10^-14 of itself; where that cannot move it over a half, its rounding is
-- exact, and that is nearly everywhere. What lies closer to a half is divided in integers, which are exact and slow.
CREATE OR REPLACE MACRO quotient(numerator, denominator, digits) AS (
    CASE
        WHEN digits NOT BETWEEN 0 AND 12 THEN error('ratio: digits must be from 0 to 12')
        WHEN abs(abs(quotient_near(numerator, denominator, digits)) % 1 - 0.5::DOUBLE)
            > abs(quotient_near(numerator, denominator, digits)) * 1e-14
            THEN round(quotient_near(numerator, denominator, digits))::HUGEINT
        WHEN denominator <> 0 THEN
            CASE WHEN (numerator < 0) <> (denominator < 0) THEN -1 ELSE 1 END
            * (
                (
                    2 * ('1' || repeat('0', digits))::HUGEINT * abs(scaled_integer(numerator))
                    + abs(scaled_integer(denominator))
                ) // (2 * abs(scaled_integer(denominator)))
            )
    END
);
COMMENT ON MACRO quotient IS
    'numerator / denominator in units of 10^-digits, rounded half away from zero: the integer behind ratio and percent';

-- tests
-- test: ties go away from zero, on both sides
SELECT assert_equal(quotient(1, 8, 2), 13::HUGEINT);
SELECT assert_equal(quotient(-1, 8, 2), -13::HUGEINT);
SELECT assert_equal(quotient(1, -8, 2), -13::HUGEINT);
-- test: a hair below a tie goes down, where a DOUBLE would see the tie
SELECT assert_equal(quotient(1000000.499999999999, 1, 0), 1000000::HUGEINT);
SELECT assert_equal(quotient(100000000000.499999999999, 1, 0), 100000000000::HUGEINT);
SELECT assert_equal(quotient(-100000000000.499999999999, 1, 0), -100000000000::HUGEINT);
-- test: integers that no DOUBLE can hold
SELECT assert_equal(quotient(9007199254740993, 1, 0), 9007199254740993::HUGEINT);
SELECT assert_equal(quotient(12345678901234567890123, 7, 2), 176366841446208112716043::HUGEINT);
-- test: over zero, over NULL and of NULL there is none; of zero it is zero
SELECT assert_equal(
    list(quotient(part, whole, 4) ORDER BY line), [3333, NULL, NULL, 0, 3333]::HUGEINT[]
) FROM (VALUES (1, 1.00, 3.00), (2, NULL, 3.00), (3, 1.00, 0.00), (4, 0.00, 3.00), (5, 1.00, 3.00)) r(line, part, whole);
