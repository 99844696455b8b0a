-- Zero means that nothing was there; NULL means that something was, with no amount known.
CREATE OR REPLACE MACRO known_sum(amount, condition) AS (
    CASE WHEN count(*) FILTER (condition) = 0 THEN 0 ELSE sum(amount) FILTER (condition) END
);
COMMENT ON MACRO known_sum IS
    'Sum of the known amounts where the condition holds; 0 without a row, NULL if no row has an amount';

-- tests
-- test: known amounts are summed, a repeated row twice, a NULL not at all
SELECT assert_equal(known_sum(amount, true), 6.50::DECIMAL(38, 2))
FROM (VALUES (3.25), (NULL), (0.00), (3.25)) r(amount);
-- test: no row is zero
SELECT assert_equal(known_sum(amount, amount > 5), 0::DECIMAL(38, 2)) FROM (VALUES (3.25), (0.00)) r(amount);
-- test: rows without any amount are not zero
SELECT assert_equal(known_sum(amount, true), NULL::DECIMAL(38, 2))
FROM (VALUES (NULL::DECIMAL(4, 2)), (NULL)) r(amount);
