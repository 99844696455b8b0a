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
        deployment_costs_usd, deducted_at_source_usd, backup_costs_usd, costs_carried_usd, total_costs_usd,
        net_profit_usd,
        percent(total_revenue_usd - total_costs_usd, total_revenue_usd) AS profit_margin_pct,
        net_profit_usd - net_before_usd AS net_change_usd,
        percent(net_profit_usd - net_before_usd, abs(net_before_usd)) AS net_change_pct,
        unpriced_rows
    FROM changes
    ORDER BY month DESC;
COMMENT ON MACRO TABLE platform_profit IS 'Profit and loss of the platform by month, newest first, with the change on the month before';
