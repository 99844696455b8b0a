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
COMMENT ON MACRO TABLE earning_rows IS 'Node earnings that count: revenue_usd before deductions, cost_usd deducted at the source';
