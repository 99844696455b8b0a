-- A subscription belongs to no node and no project.
CREATE OR REPLACE MACRO subscription_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        revenue_id, NULL::VARCHAR AS node_id, NULL::VARCHAR AS project_id, 'subscription' AS kind, payment_status,
        counted_at, amount_usd AS revenue_usd, source, source_key, source_line, load_id
    FROM (
        SELECT *, CASE WHEN basis = 'cash' THEN coalesce(paid_at, billed_at) ELSE billed_at END AS counted_at
        FROM as_loaded('subscription_revenue', as_of := as_of)
    )
    WHERE counts(payment_status, basis)
        AND in_range(counted_at, since, until)
        AND node IS NULL
        AND project IS NULL;
COMMENT ON MACRO TABLE subscription_rows IS 'Subscription bills that count';
