-- The two products of a whole part and a fraction within usd_value, exact at 18 decimals.
CREATE OR REPLACE MACRO usd_value_middle(token_amount, price_usd) AS (
    (trunc(abs(token_amount))::DECIMAL(18, 0) * (price_usd % 1)::DECIMAL(18, 18))::DECIMAL(38, 18)
    + (trunc(price_usd)::DECIMAL(18, 0) * (abs(token_amount) % 1)::DECIMAL(18, 18))::DECIMAL(38, 18)
);
COMMENT ON MACRO usd_value_middle IS 'Whole times fraction, both ways: a part of usd_value';

-- tests
-- test: both products are summed
SELECT assert_equal(usd_value_middle(2.5::DECIMAL(38, 18), 3.25::DECIMAL(38, 18)), 2.0);
