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
