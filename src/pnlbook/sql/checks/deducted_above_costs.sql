-- warn: More was deducted from the earnings of a node on a project than it cost there
-- What a source deducted by itself (net_of_costs) may be for costs that nobody loaded.
WITH deducted AS (
    SELECT node_id, project_id, sum(costs_deducted_usd) AS deducted_usd, count(*) AS earnings
    FROM node_earnings
    WHERE costs_deducted_usd > 0 AND NOT net_of_costs AND payment_status <> 'failed'
    GROUP BY ALL
),
spent AS (
    SELECT node_id, project_id, sum(amount_usd) AS costs_usd, count(*) AS costs
    FROM deployment_costs
    WHERE payment_status <> 'failed'
    GROUP BY ALL
)
SELECT
    d.node_id, d.project_id, d.deducted_usd, coalesce(s.costs_usd, 0) AS costs_usd,
    d.deducted_usd - coalesce(s.costs_usd, 0) AS excess_usd, d.earnings, coalesce(s.costs, 0) AS costs
FROM deducted AS d LEFT JOIN spent AS s
    ON d.node_id IS NOT DISTINCT FROM s.node_id AND d.project_id IS NOT DISTINCT FROM s.project_id
WHERE d.deducted_usd > coalesce(s.costs_usd, 0)
ORDER BY ALL;
