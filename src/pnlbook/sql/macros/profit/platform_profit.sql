-- The statement by month. A month without facts between two that have some is a month of zeros, so that the change
-- is always the one on the calendar month before.
CREATE OR REPLACE MACRO platform_profit(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH sums AS MATERIALIZED (
        FROM sums_by(
            NULL, quarter_hour(counted_at), period_start('month', in_bucket),
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
    ), months AS (
        SELECT unnest(generate_series(min(period), max(period), INTERVAL 1 MONTH))::DATE AS month FROM sums
    )
    SELECT
        month,
        zero_without(facts, sums.node_earnings_usd) AS node_earnings_usd,
        zero_without(facts, sums.marketplace_fees_usd) AS marketplace_fees_usd,
        zero_without(facts, sums.subscription_revenue_usd) AS subscription_revenue_usd,
        zero_without(facts, sums.total_revenue_usd) AS total_revenue_usd,
        zero_without(facts, sums.deployment_costs_usd) AS deployment_costs_usd,
        zero_without(facts, sums.deducted_at_source_usd) AS deducted_at_source_usd,
        zero_without(facts, sums.backup_costs_usd) AS backup_costs_usd,
        zero_without(facts, sums.costs_carried_usd) AS costs_carried_usd,
        zero_without(facts, sums.total_costs_usd) AS total_costs_usd,
        zero_without(facts, sums.net_profit_usd) AS net_profit_usd,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_revenue_usd) AS profit_margin_pct,
        zero_without(facts, sums.net_profit_usd)
            - lag(zero_without(facts, sums.net_profit_usd)) OVER (ORDER BY month) AS net_change_usd,
        percent(net_change_usd, abs(lag(zero_without(facts, sums.net_profit_usd)) OVER (ORDER BY month)))
            AS net_change_pct,
        zero_without(facts, sums.unpriced_rows) AS unpriced_rows
    FROM months LEFT JOIN sums ON sums.period = month
    ORDER BY month DESC;
COMMENT ON MACRO TABLE platform_profit IS 'Profit and loss of the platform by month, newest first, with the change on the month before';
