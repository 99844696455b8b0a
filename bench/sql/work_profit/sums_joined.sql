-- Earnings and the cost of messages summed by node, hours by a window for each, then joined.
WITH counted AS MATERIALIZED (
    SELECT node_id, session_id, agent_id, epoch_us(started_at) AS began, epoch_us(ended_at) AS ended
    FROM work_intervals
    WHERE kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= 300000000
), hours AS (
    SELECT node_id, sum(agent_us) AS agent_us, sum(session_us) AS session_us, sum(wall_us) AS wall_us
    FROM (
        SELECT node_id, sum(ended - began) AS agent_us, NULL AS session_us, NULL AS wall_us
        FROM counted GROUP BY node_id
        UNION ALL
        SELECT node_id, NULL, sum(ended - greatest(began, coalesce(reached, began))), NULL
        FROM (
            SELECT *, max(ended) OVER (
                PARTITION BY node_id, session_id ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
            FROM counted
        )
        WHERE reached IS NULL OR reached < ended GROUP BY node_id
        UNION ALL
        SELECT node_id, NULL, NULL, sum(ended - greatest(began, coalesce(reached, began)))
        FROM (
            SELECT *, max(ended) OVER (
                PARTITION BY node_id ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS reached
            FROM counted
        )
        WHERE reached IS NULL OR reached < ended GROUP BY node_id
    )
    GROUP BY node_id
), keys AS (
    SELECT node_id FROM nodes
    UNION SELECT DISTINCT node_id FROM work_intervals
    UNION SELECT DISTINCT node_id FROM node_earnings
), earned AS (
    SELECT node_id, sum(gross_amount_usd) AS revenue FROM node_earnings WHERE payment_status <> 'failed' GROUP BY node_id
), spent AS (
    SELECT node_id, sum(cost_usd) AS costs FROM communication_log GROUP BY node_id
)
SELECT
    keys.node_id, coalesce(revenue, 0)::DECIMAL(38, 12) AS total_revenue_usd,
    coalesce(costs, 0)::DECIMAL(38, 12) AS total_costs_usd,
    (coalesce(revenue, 0) - coalesce(costs, 0))::DECIMAL(38, 12) AS net_profit_usd,
    coalesce(round(wall_us / 3.6e9, 6), 0)::DECIMAL(38, 6) AS wall_hours,
    coalesce(round(session_us / 3.6e9, 6), 0)::DECIMAL(38, 6) AS session_hours,
    coalesce(round(agent_us / 3.6e9, 6), 0)::DECIMAL(38, 6) AS agent_hours
FROM keys
LEFT JOIN earned ON keys.node_id IS NOT DISTINCT FROM earned.node_id
LEFT JOIN spent ON keys.node_id IS NOT DISTINCT FROM spent.node_id
LEFT JOIN hours ON keys.node_id IS NOT DISTINCT FROM hours.node_id
