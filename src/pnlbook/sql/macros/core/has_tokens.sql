CREATE OR REPLACE MACRO has_tokens(usage) AS (
    coalesce(usage.input_tokens, 0) <> 0 OR coalesce(usage.cache_read_tokens, 0) <> 0
    OR coalesce(usage.cache_write_5m_tokens, 0) <> 0 OR coalesce(usage.cache_write_1h_tokens, 0) <> 0
    OR coalesce(usage.output_tokens, 0) <> 0
);
COMMENT ON MACRO has_tokens IS 'Whether a message (a row of communication_log) tells of tokens; none at all cost nothing';

-- tests
-- test: any kind of token will do, none and zero are none
SELECT assert_equal(list(has_tokens(m) ORDER BY line), [false, false, true, true, true, true, true])
FROM (VALUES
    (1, NULL, NULL, NULL, NULL, NULL), (2, 0, 0, 0, 0, 0), (3, 1, NULL, NULL, NULL, NULL), (4, 0, 1, 0, 0, 0),
    (5, 0, 0, 1, 0, 0), (6, NULL, NULL, NULL, 1, NULL), (7, 0, 0, 0, 0, 1)
) m(line, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens);
