-- Money and time are summed to the grain apart and meet as rows, so that neither multiplies the other and what has
-- only one of the two is not lost. `grain` is node_id or project_id; `listed` as in work_sums.
CREATE OR REPLACE MACRO profit_hours(
    grain, since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL,
    idle_seconds := 300, listed := NULL
) AS TABLE
    WITH sums AS (
        SELECT
            part AS of_part, facts, total_revenue_usd AS revenue, total_costs_usd AS costs, net_profit_usd AS net,
            unpriced_rows AS unpriced
        FROM sums_by(
            grain, NULL, NULL,
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
        UNION ALL BY NAME
        SELECT of_part, wall_us AS wall, session_us AS session, agent_us AS agent
        FROM work_hours(
            grain, since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
        UNION ALL BY NAME
        SELECT grain AS of_part, count(*) AS without_time
        FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
        GROUP BY ALL HAVING count(*) > 0
        UNION ALL BY NAME
        SELECT grain AS of_part
        FROM as_loaded(coalesce(listed, 'work_tasks'), as_of := as_of)
        WHERE listed IS NOT NULL AND (coalesce(node, project) IS NULL OR grain = coalesce(node, project))
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

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'Ada', 's', 'a', 1), ('b', NULL, 's', 'b', 1);
INSERT INTO projects (project_id, project_name, source, source_key, load_id) VALUES ('p', 'Portal', 's', 'p', 1);
INSERT INTO work_sessions BY NAME
SELECT *, 's' AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('one', 'a', 'p', 'completed', '2025-10-01 08:00:00+00', '2025-10-01 09:00:00+00', 3600),
    ('two', 'a', 'p', 'failed', '2025-10-01 08:30:00+00', '2025-10-01 09:30:00+00', 3600),
    ('three', 'x', NULL, 'in_progress', '2025-10-02 08:00:00+00', NULL, NULL)
) v(session_id, node_id, project_id, status, started_at, completed_at, total_duration_seconds);
INSERT INTO work_tasks BY NAME
SELECT *, 's' AS source, task_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 'completed', true, '2025-10-01 08:00:00+00'), ('2', 'a', 'p', 'completed', NULL, '2025-10-01 08:00:00+00'),
    ('3', 'a', 'p', 'failed', NULL, '2025-10-01 08:40:00+00'), ('4', NULL, 'p', 'in_progress', NULL, '2025-10-02 08:00:00+00')
) v(task_id, node_id, project_id, status, success, started_at);
INSERT INTO file_changes BY NAME
SELECT *, 'modified' AS change_type, 's' AS source, change_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'f', 'edit', 100, 10, '2025-10-01 08:10:00+00'), (2, 'a', 'p', 'f', 'edit', 20, 0, '2025-10-01 08:20:00+00'),
    (3, 'a', 'p', 'g', 'edit', NULL, NULL, '2025-10-01 08:30:00+00'), (4, 'a', 'p', 'f', 'commit', 120, 10, '2025-10-01 09:00:00+00')
) v(change_id, node_id, project_id, file_path, origin, lines_added, lines_deleted, changed_at);
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'bash', 5, 4, '2025-10-01 08:10:00+00'), (2, 'a', 'p', 'bash', 1, NULL, '2025-10-01 08:11:00+00'),
    (3, NULL, NULL, 'edit', 1, 0, '2025-10-01 08:12:00+00')
) v(usage_id, node_id, project_id, tool_name, invocation_count, success_count, used_at);
INSERT INTO communication_log BY NAME
SELECT *, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 'user', NULL, NULL, NULL, NULL, NULL, '2025-10-01 08:00:00+00'),
    ('2', 'a', 'p', 'assistant', 10, 500, 30, true, 0.25, '2025-10-01 08:01:00+00'),
    ('3', 'a', 'p', 'assistant', 10, NULL, 30, false, NULL, '2025-10-01 08:02:00+00'),
    ('4', 'a', 'p', 'assistant', NULL, NULL, NULL, NULL, NULL, '2025-10-01 08:03:00+00')
) v(message_id, node_id, project_id, role, input_tokens, cache_read_tokens, output_tokens, usage_final, cost_usd, sent_at);
INSERT INTO node_earnings BY NAME
SELECT *, gross_amount_usd AS amount_usd, 1 AS token_amount, 'milestone' AS payment_type, 'paid' AS payment_status,
    '2025-10-01 00:00:00+00' AS earned_at, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES (1, 'a', 'p', 100.00, NULL), (2, 'y', NULL, NULL, 'SOL'))
    v(earning_id, node_id, project_id, gross_amount_usd, token);
INSERT INTO work_intervals BY NAME FROM work_timeline();

INSERT INTO deployment_costs (cost_id, node_id, project_id, amount_usd, incurred_at, source, source_key, load_id)
VALUES (1, 'a', 'p', 40.00, '2025-10-01 00:00:00+00', 's', '1', 1);

-- test: money and time of a part meet, and neither is lost without the other
SELECT assert_equal(
    list((of_part, total_revenue_usd, total_costs_usd, session_us, sessions_without_time) ORDER BY of_part NULLS LAST),
    [('a', 100, 40.25, 7200000000, 0), ('b', 0, 0, 0, 0), ('x', 0, 0, NULL, 1), ('y', NULL, 0, 0, 0)]
        ::STRUCT(p VARCHAR, r DECIMAL(38, 12), c DECIMAL(38, 12), s BIGINT, w BIGINT)[]
) FROM profit_hours(node_id, listed := 'nodes');
-- test: a cost more changes no revenue and no hour
INSERT INTO deployment_costs (cost_id, node_id, project_id, amount_usd, incurred_at, source, source_key, load_id)
VALUES (2, 'a', 'p', 1.00, '2025-10-01 00:00:00+00', 's', '2', 1);
SELECT assert_equal((total_revenue_usd, session_us), (100, 7200000000)::STRUCT(r DECIMAL(38, 12), s BIGINT))
FROM profit_hours(project_id) WHERE of_part = 'p';
