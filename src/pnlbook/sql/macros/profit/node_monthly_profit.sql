-- Only months with facts: every node times every month would bury them.
CREATE OR REPLACE MACRO node_monthly_profit(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        sums.period AS month,
        sums.part AS node_id,
        CASE WHEN known.node_id IS NULL THEN 'unattributed' ELSE coalesce(known.node_name, known.node_id) END
            AS node_name,
        known.node_id IS NOT NULL AS attributed,
        sums.total_revenue_usd,
        sums.total_costs_usd,
        sums.costs_carried_usd,
        sums.net_profit_usd,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_revenue_usd) AS profit_margin_percentage,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_costs_usd) AS roi_percentage,
        sums.unpriced_rows
    FROM sums_by(
        node_id, local_month(counted_at), in_bucket,
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
    ) AS sums
    LEFT JOIN as_loaded('nodes', as_of := as_of) AS known ON sums.part = known.node_id
    ORDER BY month DESC, net_profit_usd DESC NULLS LAST, node_id;
COMMENT ON MACRO TABLE node_monthly_profit IS
    'Profit of every node by month, newest month first, with what is unattributed';

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'Ada', 's', 'a', 1), ('b', NULL, 's', 'b', 1);
INSERT INTO node_earnings BY NAME
SELECT *, 1 AS token_amount, 'milestone' AS payment_type, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 100.00, 100.00, NULL, false, 'paid', '2025-09-15 00:00:00+00'),
    (2, 'a', 'p', 100.00, 100.00, NULL, false, 'pending', '2025-11-15 00:00:00+00'),
    (3, 'a', 'q', NULL, 40.00, NULL, true, 'paid', '2025-11-16 00:00:00+00'),
    (4, 'x', 'q', 0.00, 0.00, NULL, false, 'paid', '2025-11-15 00:00:00+00'),
    (5, NULL, NULL, NULL, NULL, 'SOL', false, 'paid', '2025-11-15 00:00:00+00'),
    (6, 'a', 'p', 900.00, 900.00, NULL, false, 'failed', '2025-11-15 00:00:00+00')
) v(earning_id, node_id, project_id, gross_amount_usd, amount_usd, token, net_of_costs, payment_status, earned_at);
INSERT INTO deployment_costs BY NAME
SELECT *, 1 AS token_amount, 's' AS source, cost_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'akash', 10.00, NULL, '2025-09-16 00:00:00+00'),
    (2, 'a', 'p', 'akash', 10.00, NULL, '2025-11-01 00:00:00+00'),
    (3, 'a', 'q', 'arweave', 5.00, NULL, '2025-11-02 00:00:00+00'),
    (4, 'x', NULL, 'akash', NULL, 'AKT', '2025-11-03 00:00:00+00')
) v(cost_id, node_id, project_id, category, amount_usd, token, incurred_at);
INSERT INTO marketplace_revenue (
    revenue_id, project_id, amount_usd, fee_type, collected_at, source, source_key, load_id
)
VALUES (1, 'p', 7.00, 'platform_fee', '2025-11-05 00:00:00+00', 's', '1', 1);
-- test: months with facts, newest first, carried costs in the month of the cost
SELECT assert_equal(
    list((month, node_id, total_revenue_usd, total_costs_usd, costs_carried_usd)),
    [
        ('2025-11-01', 'a', 140.00, 10.00, 5.00),
        ('2025-11-01', NULL, 7.00, 0.00, 0.00),
        ('2025-11-01', 'x', 0.00, NULL, 0.00),
        ('2025-09-01', 'a', 100.00, 10.00, 0.00)
    ]::STRUCT(m DATE, n VARCHAR, r DECIMAL(38, 12), c DECIMAL(38, 12), x DECIMAL(38, 12))[]
) FROM node_monthly_profit();
-- test: months are those of the book's zone
CREATE OR REPLACE MACRO book_timezone() AS 'America/New_York';
SELECT assert_equal(total_costs_usd, 10.00::DECIMAL(38, 12))
FROM node_monthly_profit() WHERE month = '2025-10-01' AND node_id = 'a';
