-- Two views of a project: the platform's, which takes the fees, and the node's, which takes the earnings; both
-- bear the same costs. Subscriptions and backups have no project and are unattributed.
CREATE OR REPLACE MACRO project_roi(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        coalesce(known.project_id, sums.part) AS project_id,
        CASE WHEN known.project_id IS NULL THEN 'unattributed' ELSE coalesce(known.project_name, known.project_id) END
            AS project_name,
        known.project_id IS NOT NULL AS attributed,
        zero_without(facts, sums.node_earnings_usd) AS node_earnings_usd,
        zero_without(facts, sums.marketplace_fees_usd) AS platform_fees_usd,
        zero_without(facts, sums.subscription_revenue_usd) AS subscription_revenue_usd,
        zero_without(facts, sums.deployment_costs_usd) AS deployment_costs_usd,
        zero_without(facts, sums.deducted_at_source_usd) AS deducted_at_source_usd,
        zero_without(facts, sums.backup_costs_usd) AS backup_costs_usd,
        zero_without(facts, sums.costs_carried_usd) AS costs_carried_usd,
        zero_without(facts, sums.total_costs_usd) AS total_costs_usd,
        zero_without(facts, sums.platform_profit_usd) AS platform_profit_usd,
        zero_without(facts, sums.node_profit_usd) AS node_profit_usd,
        percent(
            sums.marketplace_fees_usd + sums.subscription_revenue_usd - sums.total_costs_usd, sums.total_costs_usd
        ) AS platform_roi_percentage,
        percent(sums.node_earnings_usd - sums.total_costs_usd, sums.total_costs_usd) AS node_roi_percentage,
        zero_without(facts, sums.unpriced_rows) AS unpriced_rows
    FROM sums_by(
        project_id, NULL, NULL,
        since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
    ) AS sums
    FULL JOIN (
        SELECT project_id, project_name FROM as_loaded('projects', as_of := as_of)
        WHERE node IS NULL AND (project IS NULL OR project_id = project)
    ) AS known ON sums.part = known.project_id
    ORDER BY platform_profit_usd DESC NULLS LAST, project_id;
COMMENT ON MACRO TABLE project_roi IS 'Return of every project for the platform and for its nodes, with what is unattributed';
