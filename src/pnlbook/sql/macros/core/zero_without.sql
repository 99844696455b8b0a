-- A month or node met in a list but in no fact has zeros; one whose facts have no known amount keeps its NULL.
CREATE OR REPLACE MACRO zero_without(facts, amount) AS (
    CASE WHEN facts IS NULL THEN 0 ELSE amount END
);
COMMENT ON MACRO zero_without IS 'The amount, or 0 where there are no facts at all';

-- tests
-- test: no facts, facts without and facts with an amount
SELECT assert_equal(
    list(zero_without(facts, amount) ORDER BY line), [0.00, NULL, 0.00, 2.50, 2.50]::DECIMAL(12, 2)[]
) FROM (VALUES (1, NULL, NULL), (2, 1, NULL), (3, 2, 0.00), (4, 3, 2.50), (5, 3, 2.50)) r(line, facts, amount);
