-- The parts are summed before the one rounding. Prices with up to six decimals, as all providers publish them, need
-- none. A kind of token that was used and has no rate makes the whole unknown.
CREATE OR REPLACE MACRO usage_cost(usage, rates) AS (
    (try_cast(
        (
            token_units(usage.input_tokens, rates.input_rate)
            + token_units(usage.cache_read_tokens, rates.cache_read_rate)
            + token_units(usage.cache_write_5m_tokens, rates.cache_write_5m_rate)
            + token_units(usage.cache_write_1h_tokens, rates.cache_write_1h_rate)
            + token_units(usage.output_tokens, rates.output_rate)
            + 500000
        ) // 1000000
    AS DECIMAL(24, 0)) * 0.000000000001::DECIMAL(12, 12))::DECIMAL(24, 12)
);
COMMENT ON MACRO usage_cost IS
    'What the tokens of a message (a row of communication_log) cost in USD at a row of price_ranges; NULL: not known';

-- tests
CREATE TEMP TABLE rates AS
SELECT
    scaled_integer(input) AS input_rate, scaled_integer(0.30) AS cache_read_rate,
    scaled_integer(3.75) AS cache_write_5m_rate, NULL::HUGEINT AS cache_write_1h_rate,
    scaled_integer(15) AS output_rate
FROM (VALUES (3)) v(input);
CREATE TEMP TABLE messages (
    line INTEGER, input_tokens BIGINT, cache_read_tokens BIGINT, cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT, output_tokens BIGINT
);
-- test: each kind of token at its own rate: 10 x 3 + 1000 x 0.30 + 100 x 3.75 + 7 x 15, for a million
INSERT INTO messages VALUES (1, 10, 1000, 100, 0, 7), (2, 10, 1000, 100, NULL, 7);
SELECT assert_equal(list(usage_cost(m, r) ORDER BY line), [0.00081, 0.00081]::DECIMAL(24, 12)[])
FROM messages AS m, rates AS r;
-- test: tokens without a rate make the cost unknown, and so does a price that is not there
INSERT INTO messages VALUES (1, 10, 0, 0, 1, 7), (2, 0, 0, 0, 0, 0);
SELECT assert_equal(list(usage_cost(m, r) ORDER BY line), [NULL, 0]::DECIMAL(24, 12)[]) FROM messages AS m, rates AS r;
SELECT assert_equal(usage_cost(m, r), NULL::DECIMAL(24, 12))
FROM messages AS m LEFT JOIN rates AS r ON false WHERE line = 1;
-- test: beyond twelve decimals the sum is rounded once, half up
UPDATE rates SET input_rate = scaled_integer(0.000000400000), output_rate = scaled_integer(0.000000100000);
INSERT INTO messages VALUES (1, 1, 0, 0, 0, 1), (2, 1, 0, 0, 0, 0), (3, 2, 0, 0, 0, 2);
SELECT assert_equal(
    list(usage_cost(m, r) ORDER BY line), [0.000000000001, 0, 0.000000000001]::DECIMAL(24, 12)[]
) FROM messages AS m, rates AS r;
-- test: more than a column can hold is not known
UPDATE rates SET input_rate = scaled_integer(999999999999);
INSERT INTO messages VALUES (1, 10000000000000, 0, 0, 0, 0);
SELECT assert_equal(usage_cost(m, r), NULL::DECIMAL(24, 12)) FROM messages AS m, rates AS r;
