-- Every known node has a row, so that one without facts is seen to have none. Facts without a node share the row
-- whose node_id is NULL; facts of a node that nobody knows keep their node_id in a row of their own.
CREATE OR REPLACE MACRO node_profit(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        coalesce(known.node_id, sums.part) AS node_id,
        CASE WHEN known.node_id IS NULL THEN 'unattributed' ELSE coalesce(known.node_name, known.node_id) END
            AS node_name,
        known.node_id IS NOT NULL AS attributed,
        zero_without(facts, sums.total_revenue_usd) AS total_revenue_usd,
        zero_without(facts, sums.total_costs_usd) AS total_costs_usd,
        zero_without(facts, sums.costs_carried_usd) AS costs_carried_usd,
        zero_without(facts, sums.net_profit_usd) AS net_profit_usd,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_revenue_usd) AS profit_margin_percentage,
        percent(sums.total_revenue_usd - sums.total_costs_usd, sums.total_costs_usd) AS roi_percentage,
        zero_without(facts, sums.unpriced_rows) AS unpriced_rows
    FROM sums_by(
        node_id, NULL, NULL,
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
    ) AS sums
    FULL JOIN (
        SELECT node_id, node_name FROM as_loaded('nodes', as_of := as_of)
        WHERE project IS NULL AND (node IS NULL OR node_id = node)
    ) AS known ON sums.part = known.node_id
    ORDER BY net_profit_usd DESC NULLS LAST, node_id;
COMMENT ON MACRO TABLE node_profit IS 'Profit of every node, best first, with what is unattributed';
