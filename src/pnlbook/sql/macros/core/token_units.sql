-- Exact: a rate has twelve decimals and holds for a million tokens, so a token costs whole units of 10^-18 USD. More
-- tokens than that in one message, or fewer than none, are no count that could be priced.
CREATE OR REPLACE MACRO token_units(tokens, rate) AS (
    CASE
        WHEN coalesce(tokens, 0) = 0 THEN 0::HUGEINT
        WHEN tokens BETWEEN 1 AND 10000000000000 THEN tokens::HUGEINT * rate
    END
);
COMMENT ON MACRO token_units IS
    'What tokens cost in units of 10^-18 USD; rate: of a million tokens in units of 10^-12 USD; NULL: not known';

-- tests
-- test: tokens times rate; no tokens cost nothing, whatever the rate
SELECT assert_equal(token_units(3, 15000000000000::HUGEINT), 45000000000000::HUGEINT);
SELECT assert_equal(token_units(0, NULL::HUGEINT), 0::HUGEINT);
SELECT assert_equal(token_units(NULL::BIGINT, 15::HUGEINT), 0::HUGEINT);
-- test: without a rate the cost is not known, at a rate of zero it is zero
SELECT assert_equal(token_units(3, NULL::HUGEINT), NULL::HUGEINT);
SELECT assert_equal(token_units(3, 0::HUGEINT), 0::HUGEINT);
-- test: what is no count has no cost
SELECT assert_equal(token_units(-1, 15::HUGEINT), NULL::HUGEINT);
SELECT assert_equal(token_units(9223372036854775807, 15::HUGEINT), NULL::HUGEINT);
