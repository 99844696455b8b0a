-- The statement by month. A month without facts between two that have some is a month of zeros, so that the change
-- is always the one on the calendar month before.
CREATE OR REPLACE MACRO platform_profit(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH sums AS (
        SELECT *, lead(period) OVER (ORDER BY period) AS next_period
        FROM sums_by(
            NULL, time_slot(counted_at), period_start('month', in_bucket),
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
    ), spread AS (
        SELECT *, unnest(
            generate_series(period, coalesce(next_period - INTERVAL 1 MONTH, period), INTERVAL 1 MONTH)
        )::DATE AS month
        FROM sums
    ), months AS (
        SELECT * REPLACE (CASE WHEN month = period THEN facts END AS facts) FROM spread
    ), statement AS (
        SELECT
            month,
            zero_without(facts, node_earnings_usd) AS node_earnings_usd,
            zero_without(facts, marketplace_fees_usd) AS marketplace_fees_usd,
            zero_without(facts, subscription_revenue_usd) AS subscription_revenue_usd,
            zero_without(facts, total_revenue_usd) AS total_revenue_usd,
            zero_without(facts, deployment_costs_usd) AS deployment_costs_usd,
            zero_without(facts, deducted_at_source_usd) AS deducted_at_source_usd,
            zero_without(facts, backup_costs_usd) AS backup_costs_usd,
            zero_without(facts, model_costs_usd) AS model_costs_usd,
            zero_without(facts, costs_carried_usd) AS costs_carried_usd,
            zero_without(facts, total_costs_usd) AS total_costs_usd,
            zero_without(facts, net_profit_usd) AS net_profit_usd,
            zero_without(facts, unpriced_rows) AS unpriced_rows
        FROM months
    ), changes AS (
        SELECT *, lag(net_profit_usd) OVER (ORDER BY month) AS net_before_usd FROM statement
    )
    SELECT
        month, node_earnings_usd, marketplace_fees_usd, subscription_revenue_usd, total_revenue_usd,
        deployment_costs_usd, deducted_at_source_usd, backup_costs_usd, model_costs_usd, costs_carried_usd,
        total_costs_usd, net_profit_usd,
        percent(total_revenue_usd - total_costs_usd, total_revenue_usd) AS profit_margin_pct,
        net_profit_usd - net_before_usd AS net_change_usd,
        percent(net_profit_usd - net_before_usd, abs(net_before_usd)) AS net_change_pct,
        unpriced_rows
    FROM changes
    ORDER BY month DESC;
COMMENT ON MACRO TABLE platform_profit IS
    'Profit and loss of the platform by month, newest first, with the change on the month before';

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
-- test: newest month first, a month without facts is zeros and counts for the change
SELECT assert_equal(
    list((month, total_revenue_usd, total_costs_usd, net_profit_usd, profit_margin_pct, net_change_usd, net_change_pct)),
    [
        ('2025-11-01', 147.00, 10.00, 137.00, 93.20, 137.00, NULL),
        ('2025-10-01', 0.00, 0.00, 0.00, NULL, -90.00, -100.00),
        ('2025-09-01', 100.00, 10.00, 90.00, 90.00, NULL, NULL)
    ]::STRUCT(
        m DATE, r DECIMAL(38, 12), c DECIMAL(38, 12), n DECIMAL(38, 12), p DECIMAL(38, 2), d DECIMAL(38, 12), q DECIMAL(38, 2)
    )[]
) FROM platform_profit();
-- test: kinds of revenue and cost stand apart
SELECT assert_equal(
    (node_earnings_usd, marketplace_fees_usd, subscription_revenue_usd, deployment_costs_usd, backup_costs_usd, costs_carried_usd,
        unpriced_rows),
    (140.00, 7.00, 0.00, 15.00, 0.00, 5.00, 2)::STRUCT(
        e DECIMAL(38, 12), f DECIMAL(38, 12), s DECIMAL(38, 12), d DECIMAL(38, 12), b DECIMAL(38, 12), x DECIMAL(38, 12), u BIGINT
    )
) FROM platform_profit(since := '2025-11-01');
-- test: models cost in the month that their messages were sent in
INSERT INTO communication_log BY NAME
SELECT *, 'assistant' AS role, 1 AS output_tokens, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 0.25, '2025-10-31 23:59:59+00'), ('2', 0.25, '2025-11-01 00:00:00+00'),
    ('3', 0.25, '2025-11-30 00:00:00+00'), ('4', NULL, '2025-11-30 00:00:00+00')
) v(message_id, cost_usd, sent_at);
SELECT assert_equal(
    list((month, model_costs_usd, total_costs_usd, unpriced_rows)),
    [('2025-11-01', 0.50, 10.50, 3), ('2025-10-01', 0.25, 0.25, 0), ('2025-09-01', 0.00, 10.00, 0)]
        ::STRUCT(m DATE, c DECIMAL(38, 12), t DECIMAL(38, 12), u BIGINT)[]
) FROM platform_profit();
-- test: after a loss, a rise is positive
INSERT INTO deployment_costs (cost_id, amount_usd, incurred_at, source, source_key, load_id)
VALUES (91, 50.00, '2024-09-01 00:00:00+00', 's', '91', 1), (92, 25.00, '2024-10-01 00:00:00+00', 's', '92', 1);
SELECT assert_equal(net_change_pct, 50.00::DECIMAL(38, 2)) FROM platform_profit() WHERE month = '2024-10-01';
-- test: a month whose only fact has no known amount is not zero
INSERT INTO deployment_costs (cost_id, token, token_amount, incurred_at, source, source_key, load_id)
VALUES (91, 'AKT', 1, '2024-09-01 00:00:00+00', 's', '91', 1);
SELECT assert_equal(
    (total_costs_usd, net_profit_usd, unpriced_rows),
    (NULL, NULL, 1)::STRUCT(c DECIMAL(38, 12), n DECIMAL(38, 12), u BIGINT)
) FROM platform_profit(until := '2025-01-01');
-- test: a range without facts has no month
SELECT assert_equal(count(*), 0::BIGINT) FROM platform_profit(until := '2025-01-01');
-- test: filtered to a node, fees without a node are left out
SELECT assert_equal(sum(total_revenue_usd), 240.00::DECIMAL(38, 12)) FROM platform_profit(node := 'a');
SELECT assert_equal(sum(total_revenue_usd), 207.00::DECIMAL(38, 12)) FROM platform_profit(project := 'p');
