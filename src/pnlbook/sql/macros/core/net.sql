-- Profit must add up over nodes and months also where one side is not known, so the unknown side is left out (and
-- counted beside it as unpriced); only where nothing is known there is no profit.
CREATE OR REPLACE MACRO net(revenue, costs) AS (
    coalesce(revenue - coalesce(costs, 0), -costs)
);
COMMENT ON MACRO net IS 'Known revenue less known costs; NULL where neither is known';

-- tests
-- test: a NULL side is left out, a zero is not, twice the same is twice the same
SELECT assert_equal(
    list(net(revenue, costs) ORDER BY line), [3.00, 5.00, -2.00, NULL, 0.00, 3.00]::DECIMAL(6, 2)[]
) FROM (VALUES
    (1, 5.00, 2.00), (2, 5.00, NULL), (3, NULL, 2.00), (4, NULL, NULL), (5, 0.00, 0.00), (6, 5.00, 2.00)
) r(line, revenue, costs);
