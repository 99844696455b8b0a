-- The product of two DECIMAL(38, 18) has up to 76 digits, more than any type holds, so it is taken in
-- parts that are exact: whole × whole; whole × fraction twice, at 18 decimals; fraction × fraction,
-- at 36. What lies below 12 decimals is added up and rounded once, half away from zero.
-- Amount and price stay below 10^18, the value below 10^20.
CREATE OR REPLACE MACRO usd_value(token_amount, price_usd) AS (
    sign(token_amount)::DECIMAL(1, 0) * (
        (trunc(abs(token_amount))::DECIMAL(18, 0) * trunc(price_usd)::DECIMAL(18, 0))::DECIMAL(26, 0)
        + (
            usd_value_middle(token_amount, price_usd)
            - usd_value_middle(token_amount, price_usd) % 0.000000000001::DECIMAL(18, 18)
        )::DECIMAL(32, 12)
        + round(
            ((abs(token_amount) % 1)::DECIMAL(18, 18) * (price_usd % 1)::DECIMAL(18, 18))::DECIMAL(38, 36)
            + (usd_value_middle(token_amount, price_usd) % 0.000000000001::DECIMAL(18, 18))::DECIMAL(38, 36),
            12
        )::DECIMAL(32, 12)
    )::DECIMAL(32, 12)
)::DECIMAL(32, 12);
COMMENT ON MACRO usd_value IS 'Exact value in USD of an amount of a token at a price, rounded half up to 12 decimals';

-- tests
-- test: digits that a double would lose are kept
SELECT assert_equal(
    usd_value(123456789.000000000000000001::DECIMAL(38, 18), 1234.000000000001::DECIMAL(38, 18))::VARCHAR,
    '152345677626.000123456789'
);
-- test: the last digit is rounded once, half away from zero
SELECT assert_equal(usd_value(0.5::DECIMAL(38, 18), 0.000000000001::DECIMAL(38, 18))::VARCHAR, '0.000000000001');
SELECT assert_equal(usd_value(-0.5::DECIMAL(38, 18), 0.000000000001::DECIMAL(38, 18))::VARCHAR, '-0.000000000001');
SELECT assert_equal(usd_value(0.499999999999999999::DECIMAL(38, 18), 0.000000000001::DECIMAL(38, 18))::VARCHAR, '0.000000000000');
-- test: zero is zero, an unknown price is unknown
SELECT assert_equal(usd_value(0::DECIMAL(38, 18), 5::DECIMAL(38, 18)), 0);
SELECT assert_equal(usd_value(1::DECIMAL(38, 18), NULL::DECIMAL(38, 18)), NULL);
