-- Money and time are summed to the grain apart and meet as rows, so that neither multiplies the other and what has
-- only one of the two is not lost.
CREATE OR REPLACE MACRO profit_hours(
    part, since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL,
    idle_seconds := 300, listed := NULL
) AS TABLE
    WITH sums AS (
        SELECT
            part AS of_part, facts, total_revenue_usd AS revenue, total_costs_usd AS costs, net_profit_usd AS net,
            unpriced_rows AS unpriced
        FROM sums_by(
            part, NULL, NULL,
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
        UNION ALL BY NAME
        SELECT of_part, wall_us AS wall, session_us AS session, agent_us AS agent
        FROM work_hours(
            part, since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
        UNION ALL BY NAME
        SELECT part AS of_part, count(*) AS without_time
        FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT part AS of_part
        FROM as_loaded(coalesce(listed, 'work_tasks'), as_of := as_of)
        WHERE listed IS NOT NULL AND (coalesce(node, project) IS NULL OR part = coalesce(node, project))
    )
    SELECT
        of_part,
        zero_without(sum(facts), sum(revenue))::DECIMAL(38, 12) AS total_revenue_usd,
        zero_without(sum(facts), sum(costs))::DECIMAL(38, 12) AS total_costs_usd,
        zero_without(sum(facts), sum(net))::DECIMAL(38, 12) AS net_profit_usd,
        known_time(sum(wall), sum(without_time)) AS wall_us,
        known_time(sum(session), sum(without_time)) AS session_us,
        known_time(sum(agent), sum(without_time)) AS agent_us,
        coalesce(sum(without_time), 0)::BIGINT AS sessions_without_time,
        coalesce(sum(unpriced), 0)::BIGINT AS unpriced_rows
    FROM sums
    GROUP BY of_part;
COMMENT ON MACRO TABLE profit_hours IS 'Revenue, costs, profit and working time by any grain of node_id and project_id';
