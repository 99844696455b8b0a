CREATE OR REPLACE MACRO all_input_tokens(usage) AS (
    coalesce(usage.input_tokens, 0)::HUGEINT + coalesce(usage.cache_read_tokens, 0)
    + coalesce(usage.cache_write_5m_tokens, 0) + coalesce(usage.cache_write_1h_tokens, 0)
);
COMMENT ON MACRO all_input_tokens IS
    'Input of a message (a row of communication_log), tokens read from and written to a cache included';

-- tests
-- test: all kinds of input, none of output, and counts that no sum of theirs would fit
SELECT assert_equal(
    list(all_input_tokens(m) ORDER BY line), [1111, 1, 0, 18446744073709551614]::HUGEINT[]
)
FROM (VALUES
    (1, 1000, 100, 10, 1, 7), (2, 1, NULL, NULL, NULL, NULL), (3, 0, NULL, 0, 0, 9),
    (4, 9223372036854775807, 0, 9223372036854775807, 0, 0)
) m(line, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens);
