-- The counterpart of work_profit. Earnings of a project's nodes are revenue here as everywhere.
CREATE OR REPLACE MACRO project_work_profit(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    SELECT
        of_part AS project_id,
        CASE WHEN known.project_id IS NULL THEN 'unattributed' ELSE coalesce(known.project_name, known.project_id) END
            AS project_name,
        known.project_id IS NOT NULL AS attributed,
        total_revenue_usd,
        total_costs_usd,
        net_profit_usd,
        hours(wall_us) AS wall_hours,
        hours(session_us) AS session_hours,
        hours(agent_us) AS agent_hours,
        per_hour(total_revenue_usd, wall_us) AS revenue_per_wall_hour,
        per_hour(total_costs_usd, wall_us) AS costs_per_wall_hour,
        per_hour(net_profit_usd, wall_us) AS profit_per_wall_hour,
        per_hour(total_revenue_usd, session_us) AS revenue_per_session_hour,
        per_hour(total_costs_usd, session_us) AS costs_per_session_hour,
        per_hour(net_profit_usd, session_us) AS profit_per_session_hour,
        per_hour(total_revenue_usd, agent_us) AS revenue_per_agent_hour,
        per_hour(total_costs_usd, agent_us) AS costs_per_agent_hour,
        per_hour(net_profit_usd, agent_us) AS profit_per_agent_hour,
        sessions_without_time,
        unpriced_rows
    FROM profit_hours(
        project_id, since := since, until := until, basis := basis, as_of := as_of, node := node, project := project,
        idle_seconds := idle_seconds, listed := CASE WHEN node IS NULL THEN 'projects' END
    )
    LEFT JOIN as_loaded('projects', as_of := as_of) AS known ON of_part = known.project_id
    ORDER BY net_profit_usd DESC NULLS LAST, of_part;
COMMENT ON MACRO TABLE project_work_profit IS
    'Revenue, costs and profit of every project, in all and per wall, session and agent hour, with what is unattributed';
