-- Each kind summed by node, carried costs by a second scan of the costs.
WITH pairs AS (
    SELECT node_id, project_id, max(earned_at) AS carried_until
    FROM node_earnings
    WHERE net_of_costs AND payment_status <> 'failed' AND node_id IS NOT NULL AND project_id IS NOT NULL
    GROUP BY node_id, project_id
), facts AS (
    SELECT node_id, sum(coalesce(gross_amount_usd, amount_usd)) AS revenue, count(*) AS revenues,
        sum(gross_amount_usd - amount_usd) FILTER (net_of_costs) AS cost,
        count(*) FILTER (net_of_costs AND gross_amount_usd IS NOT NULL) AS costs, 0 AS carried,
        count(*) - count(coalesce(gross_amount_usd, amount_usd)) AS unpriced
    FROM node_earnings
    WHERE payment_status <> 'failed'
    GROUP BY node_id
    UNION ALL BY NAME
    SELECT node_id, sum(amount_usd) AS cost, count(*) AS costs, count(*) - count(amount_usd) AS unpriced
    FROM deployment_costs
    WHERE payment_status <> 'failed'
    GROUP BY node_id
    UNION ALL BY NAME
    SELECT spent.node_id, -sum(amount_usd) AS cost, sum(amount_usd) AS carried
    FROM deployment_costs AS spent JOIN pairs USING (node_id, project_id)
    WHERE payment_status <> 'failed' AND incurred_at <= carried_until
    GROUP BY spent.node_id
    UNION ALL BY NAME
    SELECT sum(amount_usd) AS revenue, count(*) AS revenues, count(*) - count(amount_usd) AS unpriced
    FROM marketplace_revenue
    HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT sum(amount_usd) AS revenue, count(*) AS revenues, count(*) - count(amount_usd) AS unpriced
    FROM subscription_revenue WHERE payment_status <> 'failed'
    HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT sum(cost_usd) AS cost, count(*) AS costs, count(*) - count(cost_usd) AS unpriced
    FROM arweave_backups
    HAVING count(*) > 0
    UNION ALL BY NAME
    SELECT node_id, sum(cost_usd) AS cost, count(*) AS costs, count(*) - count(cost_usd) AS unpriced
    FROM communication_log
    WHERE cost_usd IS NOT NULL OR input_tokens <> 0 OR cache_read_tokens <> 0 OR cache_write_5m_tokens <> 0
        OR cache_write_1h_tokens <> 0 OR output_tokens <> 0
    GROUP BY node_id
), sums AS (
    SELECT node_id,
        if(sum(revenues) > 0, sum(revenue), 0) AS revenue, if(sum(costs) > 0, sum(cost), 0) AS cost,
        coalesce(sum(carried), 0) AS carried, sum(unpriced)::BIGINT AS unpriced,
        coalesce(sum(revenue) - coalesce(sum(cost), 0), -sum(cost)) AS net
    FROM facts
    GROUP BY node_id
)
SELECT coalesce(nodes.node_id, sums.node_id) AS node_id,
    if(nodes.node_id IS NULL, 'unattributed', coalesce(node_name, nodes.node_id)) AS node_name,
    nodes.node_id IS NOT NULL AS attributed,
    if(unpriced IS NULL, 0, revenue) AS total_revenue_usd,
    if(unpriced IS NULL, 0, cost) AS total_costs_usd,
    coalesce(carried, 0) AS costs_carried_usd,
    if(unpriced IS NULL, 0, net) AS net_profit_usd,
    round((revenue - cost) * 100 / nullif(revenue, 0), 2) AS profit_margin_percentage,
    round((revenue - cost) * 100 / nullif(cost, 0), 2) AS roi_percentage,
    coalesce(unpriced, 0) AS unpriced_rows
FROM sums FULL JOIN nodes ON sums.node_id = nodes.node_id
ORDER BY net_profit_usd DESC NULLS LAST, node_id
