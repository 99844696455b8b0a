-- Revenue is what was earned before any deduction; costs are subtracted where they stand, once. An earning that
-- its source had reduced (net_of_costs) brings the difference along as a cost of its own, so that its profit is
-- exactly what was paid out.
CREATE OR REPLACE MACRO earning_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        earning_id, node_id, project_id, payment_type AS kind, payment_status, counted_at,
        coalesce(
            gross_amount_usd, (amount_usd + costs_deducted_usd)::DECIMAL(24, 12), amount_usd
        ) AS revenue_usd,
        CASE WHEN net_of_costs THEN revenue_usd - coalesce(amount_usd, gross_amount_usd - costs_deducted_usd) END
            AS cost_usd,
        net_of_costs, source, source_key, source_line, load_id
    FROM (
        SELECT *, CASE WHEN basis = 'cash' THEN coalesce(paid_at, earned_at) ELSE earned_at END AS counted_at
        FROM as_loaded('node_earnings', as_of := as_of)
    )
    WHERE counts(payment_status, basis)
        AND in_range(counted_at, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE earning_rows IS
    'Node earnings that count: revenue_usd before deductions, cost_usd deducted at the source';

-- tests
-- test: revenue is what was earned before deductions, zero and repeated amounts included
INSERT INTO node_earnings BY NAME
SELECT *, gross_amount_usd - costs_deducted_usd AS amount_usd, 'milestone' AS payment_type, 'paid' AS payment_status,
    '2025-10-01 00:00:00+00' AS earned_at, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES (1, 500.00, 2.86), (2, 0.00, 0.00), (3, 80.00, 0.00), (4, 80.00, 0.00))
    v(earning_id, gross_amount_usd, costs_deducted_usd);
SELECT assert_equal(list(revenue_usd ORDER BY earning_id), [500.00, 0.00, 80.00, 80.00]::DECIMAL(24, 12)[])
FROM earning_rows();
SELECT assert_equal(count(cost_usd), 0::BIGINT) FROM earning_rows();
-- test: an earning that its source had reduced brings the difference as a cost, and none where it is not known
INSERT INTO node_earnings BY NAME
SELECT *, 1 AS token_amount, true AS net_of_costs, 'milestone' AS payment_type, 'paid' AS payment_status,
    '2025-10-01 00:00:00+00' AS earned_at, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 500.00, 2.86, 497.14, NULL), (2, NULL, 2.86, 497.14, NULL), (3, NULL, NULL, 497.14, NULL),
    (4, 500.00, NULL, 497.14, NULL), (5, 500.00, NULL, NULL, 'SOL'), (6, NULL, NULL, NULL, 'SOL')
) v(earning_id, gross_amount_usd, costs_deducted_usd, amount_usd, token);
SELECT assert_equal(
    list(revenue_usd ORDER BY earning_id), [500.00, 500.00, 497.14, 500.00, 500.00, NULL]::DECIMAL(24, 12)[]
) FROM earning_rows();
SELECT assert_equal(
    list(cost_usd ORDER BY earning_id), [2.86, 2.86, 0.00, 2.86, NULL, NULL]::DECIMAL(26, 12)[]
) FROM earning_rows();
-- test: accrual counts by earned_at all but failed, cash by paid_at what was paid, by earned_at if paid_at is missing
INSERT INTO node_earnings BY NAME
SELECT *, 1 AS gross_amount_usd, 0 AS costs_deducted_usd, 1 AS amount_usd, 'bonus' AS payment_type, 's' AS source,
    earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'paid', '2025-09-30 00:00:00+00', '2025-10-02 00:00:00+00'),
    (2, 'paid', '2025-10-01 00:00:00+00', NULL),
    (3, 'pending', '2025-10-01 00:00:00+00', NULL),
    (4, 'failed', '2025-10-01 00:00:00+00', '2025-10-01 00:00:00+00')
) v(earning_id, payment_status, earned_at, paid_at);
SELECT assert_equal(list(earning_id ORDER BY earning_id), [1, 2, 3]::BIGINT[]) FROM earning_rows();
SELECT assert_equal(list(earning_id ORDER BY earning_id), [2, 3]::BIGINT[]) FROM earning_rows(since := '2025-10-01');
SELECT assert_equal(list(earning_id ORDER BY earning_id), [1]::BIGINT[]) FROM earning_rows(until := '2025-10-01');
SELECT assert_equal(list(earning_id ORDER BY earning_id), [1, 2]::BIGINT[])
FROM earning_rows(basis := 'cash', since := '2025-10-01');
-- test: filters leave out facts without a node or project
INSERT INTO node_earnings BY NAME
SELECT *, 1 AS amount_usd, 1 AS gross_amount_usd, 'bonus' AS payment_type, 'paid' AS payment_status,
    '2025-10-01 00:00:00+00' AS earned_at, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES (1, 'a', 'p'), (2, 'a', NULL), (3, NULL, 'p'), (4, 'b', 'p'), (5, 'a', 'p'))
    v(earning_id, node_id, project_id);
SELECT assert_equal(list(earning_id ORDER BY earning_id), [1, 2, 5]::BIGINT[]) FROM earning_rows(node := 'a');
SELECT assert_equal(list(earning_id ORDER BY earning_id), [1, 3, 4, 5]::BIGINT[]) FROM earning_rows(project := 'p');
