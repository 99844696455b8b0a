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
COMMENT ON MACRO TABLE node_monthly_profit IS 'Profit of every node by month, newest month first, with what is unattributed';
