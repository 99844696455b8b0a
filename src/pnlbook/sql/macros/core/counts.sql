-- The two bases: accrual counts all that is due, cash only what was paid; a failed payment is neither.
CREATE OR REPLACE MACRO counts(payment_status, basis) AS (
    CASE WHEN basis = 'cash' THEN payment_status = 'paid' ELSE payment_status <> 'failed' END
);
COMMENT ON MACRO counts IS 'Whether a payment of that status counts on the basis accrual or cash';

-- tests
-- test: pending counts on accrual only, failed never
SELECT assert_equal(list(counts(status, 'accrual') ORDER BY line), [true, true, false])
FROM (VALUES (1, 'paid'), (2, 'pending'), (3, 'failed')) r(line, status);
SELECT assert_equal(list(counts(status, 'cash') ORDER BY line), [true, false, false])
FROM (VALUES (1, 'paid'), (2, 'pending'), (3, 'failed')) r(line, status);
