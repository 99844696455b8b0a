-- Costs of deployments; uploads and leases only detail them, so those tables never count.
CREATE OR REPLACE MACRO cost_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        cost_id, node_id, project_id, category AS kind, payment_status, counted_at, amount_usd AS cost_usd,
        incurred_at, source, source_key, source_line, load_id
    FROM (
        SELECT *, CASE WHEN basis = 'cash' THEN coalesce(paid_at, incurred_at) ELSE incurred_at END AS counted_at
        FROM as_loaded('deployment_costs', as_of := as_of)
    )
    WHERE counts(payment_status, basis)
        AND in_range(counted_at, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE cost_rows IS 'Deployment costs that count, carried ones included';

-- tests
-- test: every cost but a failed one on accrual, what was paid on cash
INSERT INTO deployment_costs BY NAME
SELECT *, 1 AS token_amount, 's' AS source, cost_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 5.00, NULL, 'paid', '2025-09-30 00:00:00+00', '2025-10-02 00:00:00+00'),
    (2, 0.00, NULL, 'paid', '2025-10-01 00:00:00+00', NULL),
    (3, NULL, 'AKT', 'pending', '2025-10-01 00:00:00+00', NULL),
    (4, 7.00, NULL, 'failed', '2025-10-01 00:00:00+00', NULL),
    (5, -5.00, NULL, 'paid', '2025-10-01 00:00:00+00', NULL)
) v(cost_id, amount_usd, token, payment_status, incurred_at, paid_at);
SELECT assert_equal(list(cost_usd ORDER BY cost_id), [5.00, 0.00, NULL, -5.00]::DECIMAL(24, 12)[]) FROM cost_rows();
SELECT assert_equal(list(cost_id ORDER BY cost_id), [2, 3, 5]::BIGINT[]) FROM cost_rows(since := '2025-10-01');
SELECT assert_equal(list(cost_id ORDER BY cost_id), [1, 2, 5]::BIGINT[])
FROM cost_rows(basis := 'cash', since := '2025-10-01');
-- test: uploads and leases are details of costs, no costs
INSERT INTO arweave_uploads (upload_id, cost_usd, uploaded_at, source, source_key, load_id)
VALUES ('u', 3.00, '2025-10-01 00:00:00+00', 's', 'u', 1);
INSERT INTO akash_deployments (akash_id, cost_usd, started_at, source, source_key, load_id)
VALUES ('a', 3.00, '2025-10-01 00:00:00+00', 's', 'a', 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM cost_rows();
SELECT assert_equal(count(*), 0::BIGINT) FROM fact_sums(NULL, NULL);
