-- What a figure of node_profit or node_monthly_profit consists of: revenue_usd and cost_usd of these rows add up to
-- it. A carried cost is shown and costs 0. A NULL node means the facts without one, fees and backups among them.
CREATE OR REPLACE MACRO node_source_rows(
    node, since := NULL, until := NULL, basis := 'accrual', as_of := NULL, project := NULL
) AS TABLE
    WITH facts AS (
        SELECT 'node_earnings' AS table_name, earning_id::VARCHAR AS id, *
        FROM earning_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'deployment_costs' AS table_name, cost_id::VARCHAR AS id, costs.*,
            coalesce(costs.incurred_at <= pairs.carried_until, false) AS carried
        FROM cost_rows(since := since, until := until, basis := basis, as_of := as_of, project := project) AS costs
        LEFT JOIN net_pairs(as_of := as_of) AS pairs
            ON costs.node_id = pairs.node_id AND costs.project_id = pairs.project_id
        UNION ALL BY NAME
        SELECT 'marketplace_revenue' AS table_name, revenue_id::VARCHAR AS id, *
        FROM fee_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'subscription_revenue' AS table_name, revenue_id::VARCHAR AS id, *
        FROM subscription_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'arweave_backups' AS table_name, backup_id AS id, *
        FROM backup_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT node::VARCHAR AS node_id WHERE NOT known_basis(basis)
    )
    SELECT
        facts.table_name,
        facts.id,
        facts.kind,
        facts.project_id,
        facts.counted_at,
        facts.revenue_usd,
        CASE WHEN facts.carried THEN 0 ELSE facts.cost_usd END AS cost_usd,
        coalesce(facts.carried, false) AS carried,
        facts.payment_status,
        facts.source,
        facts.source_key,
        loads.location,
        facts.source_line,
        facts.load_id
    FROM facts LEFT JOIN loads ON facts.load_id = loads.load_id
    WHERE facts.node_id IS NOT DISTINCT FROM node
    ORDER BY facts.counted_at DESC, facts.table_name, facts.id;
COMMENT ON MACRO TABLE node_source_rows IS 'The facts behind a node''s figures, newest first, each with its file and line; NULL: the facts without a node';
