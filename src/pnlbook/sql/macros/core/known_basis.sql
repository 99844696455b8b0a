-- A misspelt basis must not silently become the other one.
CREATE OR REPLACE MACRO known_basis(basis) AS (
    CASE
        WHEN basis IN ('accrual', 'cash') THEN true
        ELSE error(concat('basis is ', coalesce(basis, 'NULL'), '; use accrual or cash'))
    END
);
COMMENT ON MACRO known_basis IS 'true for accrual and cash; an error for anything else';

-- tests
-- test: both bases are known
SELECT assert_equal(known_basis('accrual'), true);
SELECT assert_equal(known_basis('cash'), true);
