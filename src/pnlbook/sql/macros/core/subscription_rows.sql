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

-- tests
-- test: billed on accrual, paid on cash, failed never; a NULL, a zero and a repeated amount
INSERT INTO subscription_revenue BY NAME
SELECT *, 1 AS token_amount, 's' AS source, revenue_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 9.00, NULL, 'paid', '2025-09-30 00:00:00+00', '2025-10-02 00:00:00+00'),
    (2, NULL, 'EUR', 'paid', '2025-10-01 00:00:00+00', NULL),
    (3, 0.00, NULL, 'pending', '2025-10-01 00:00:00+00', NULL),
    (4, 9.00, NULL, 'failed', '2025-10-01 00:00:00+00', NULL), (5, 9.00, NULL, 'paid', '2025-10-01 00:00:00+00', NULL)
) v(revenue_id, amount_usd, token, payment_status, billed_at, paid_at);
SELECT assert_equal(list(revenue_usd ORDER BY revenue_id), [9.00, NULL, 0.00, 9.00]::DECIMAL(24, 12)[])
FROM subscription_rows();
SELECT assert_equal(list(revenue_id ORDER BY revenue_id), [2, 3, 5]::BIGINT[])
FROM subscription_rows(since := '2025-10-01');
SELECT assert_equal(list(revenue_id ORDER BY revenue_id), [1, 2, 5]::BIGINT[])
FROM subscription_rows(since := '2025-10-01', basis := 'cash');
-- test: a subscription has no node and no project
INSERT INTO subscription_revenue (revenue_id, amount_usd, billed_at, source, source_key, load_id)
VALUES (1, 9.00, '2025-10-01 00:00:00+00', 's', '1', 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM subscription_rows(node := 'a');
SELECT assert_equal(count(*), 0::BIGINT) FROM subscription_rows(project := 'p');
