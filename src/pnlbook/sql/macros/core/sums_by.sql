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
        coalesce(-sum(cost_usd) FILTER (family = 'carried'), 0) AS costs_carried_usd,
        known_sum(cost_usd, family IN ('deployment', 'deducted', 'carried', 'backup')) AS total_costs_usd,
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
COMMENT ON MACRO TABLE sums_by IS 'Revenue, costs and net profit by any grain of the facts; what the profit macros are made of';
