-- The same facts in columns. `period` is an expression over in_bucket: what is slow to compute for each fact
-- (a local month) is computed for each bucket instead.
CREATE OR REPLACE MACRO sums_by(
    part, bucket, period,
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        of_part AS part, period AS period,
        known_sum(revenue_usd, family = 'earnings') AS node_earnings_usd,
        known_sum(revenue_usd, family = 'fees') AS marketplace_fees_usd,
        known_sum(revenue_usd, family = 'subscriptions') AS subscription_revenue_usd,
        known_sum(revenue_usd, family IN ('earnings', 'fees', 'subscriptions')) AS total_revenue_usd,
        known_sum(cost_usd, family = 'deployment') AS deployment_costs_usd,
        known_sum(cost_usd, family = 'deducted') AS deducted_at_source_usd,
        known_sum(cost_usd, family = 'backup') AS backup_costs_usd,
        known_sum(cost_usd, family = 'model') AS model_costs_usd,
        coalesce(-sum(cost_usd) FILTER (family = 'carried'), 0) AS costs_carried_usd,
        known_sum(cost_usd, family IN ('deployment', 'deducted', 'carried', 'backup', 'model')) AS total_costs_usd,
        sum(net(revenue_usd, cost_usd)) AS net_profit_usd,
        known_sum(net(revenue_usd, cost_usd), family <> 'earnings') AS platform_profit_usd,
        known_sum(net(revenue_usd, cost_usd), family NOT IN ('fees', 'subscriptions')) AS node_profit_usd,
        coalesce(sum(facts) FILTER (family NOT IN ('deducted', 'carried')), 0)::BIGINT AS facts,
        sum(unpriced)::BIGINT AS unpriced_rows
    FROM fact_sums(
        part, bucket,
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
    )
    GROUP BY ALL HAVING count(*) > 0;
COMMENT ON MACRO TABLE sums_by IS
    'Revenue, costs and net profit by any grain of the facts; what the profit macros are made of';

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
-- test: carried costs are taken back, unknown amounts counted
SELECT assert_equal(
    (total_revenue_usd, deployment_costs_usd, costs_carried_usd, total_costs_usd, net_profit_usd, facts, unpriced_rows),
    (247.00, 25.00, 5.00, 20.00, 227.00, 10, 2)::STRUCT(
        r DECIMAL(38, 12), d DECIMAL(38, 12), x DECIMAL(38, 12), c DECIMAL(38, 12), n DECIMAL(38, 12), f BIGINT, u BIGINT
    )
) FROM sums_by(NULL, NULL, NULL);
-- test: no row is zero, rows without a known amount are NULL, and neither is added to the other
SELECT assert_equal(
    list((part, total_revenue_usd, total_costs_usd, net_profit_usd) ORDER BY part NULLS FIRST),
    [(NULL, 7.00, 0.00, 7.00), ('a', 240.00, 20.00, 220.00), ('x', 0.00, NULL, 0.00)]
        ::STRUCT(p VARCHAR, r DECIMAL(38, 12), c DECIMAL(38, 12), n DECIMAL(38, 12))[]
) FROM sums_by(node_id, NULL, NULL);
-- test: models are costs, borne by the node and by the platform
INSERT INTO communication_log BY NAME
SELECT *, 'assistant' AS role, 1 AS output_tokens, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 0.25, '2025-09-01 00:00:00+00'), ('2', 'a', 0.25, '2025-09-02 00:00:00+00'),
    ('3', 'a', NULL, '2025-09-02 00:00:00+00'), ('4', NULL, 0.00, '2025-09-02 00:00:00+00')
) v(message_id, node_id, cost_usd, sent_at);
SELECT assert_equal(
    (model_costs_usd, total_costs_usd, net_profit_usd, platform_profit_usd, node_profit_usd, facts, unpriced_rows),
    (0.50, 20.50, 226.50, -13.50, 219.50, 14, 3)::STRUCT(
        m DECIMAL(38, 12), c DECIMAL(38, 12), n DECIMAL(38, 12), p DECIMAL(38, 12), e DECIMAL(38, 12), f BIGINT, u BIGINT
    )
) FROM sums_by(NULL, NULL, NULL);
