-- Every percentage of pnlbook is this one: the quotient to four digits, read as a percentage to two.
CREATE OR REPLACE MACRO percent(part, whole) AS (
    quotient(part, whole, 4)::DECIMAL(38, 0) * 0.01::DECIMAL(2, 2)
);
COMMENT ON MACRO percent IS 'part as a percentage of whole, rounded half away from zero to 2 digits; NULL over zero';

-- tests
-- test: the published margins
SELECT assert_equal(percent(4720.00, 5000.00), 94.40::DECIMAL(38, 2));
SELECT assert_equal(percent(3005.00, 3200.00), 93.91::DECIMAL(38, 2));
-- test: a loss is a negative percentage
SELECT assert_equal(percent(-1, 3), -33.33::DECIMAL(38, 2));
-- test: a NULL, a zero and a repeated row
SELECT assert_equal(
    list(percent(part, whole) ORDER BY line),
    [33.33, NULL, NULL, 0.00, 33.33]::DECIMAL(38, 2)[]
) FROM (VALUES (1, 1.00, 3.00), (2, NULL, 3.00), (3, 1.00, 0.00), (4, 0.00, 3.00), (5, 1.00, 3.00)) r(line, part, whole);
