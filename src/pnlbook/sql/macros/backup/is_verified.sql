-- A vault that lists an object has not shown that its bytes are right; only reading them back does.
CREATE OR REPLACE MACRO is_verified(state) AS (
    coalesce(state IN ('verified', 'permanent'), false)
);
COMMENT ON MACRO is_verified IS 'Whether the bytes of a copy in that state were read back and found equal';

-- tests
-- test: verified and permanent copies only, NULL is none
SELECT assert_equal(list(is_verified(state) ORDER BY line), [true, true, false, false, false, true])
FROM (VALUES (1, 'verified'), (2, 'permanent'), (3, 'seen'), (4, 'damaged'), (5, NULL), (6, 'verified')) s(line, state);
