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

-- test: profit in all and per hour of each kind, NULL over no time
SELECT assert_equal(
    list((project_id, project_name, total_revenue_usd, net_profit_usd, session_hours, profit_per_wall_hour, profit_per_session_hour)),
    [
        ('p', 'Portal', 100, 59.75, 2, 39.83, 29.88), (NULL, 'unattributed', NULL, NULL, NULL, NULL, NULL)
    ]::STRUCT(
        i VARCHAR, n VARCHAR, r DECIMAL(38, 12), p DECIMAL(38, 12), h DECIMAL(38, 6), w DECIMAL(38, 2), s DECIMAL(38, 2)
    )[]
) FROM project_work_profit();
-- test: the rows add up to the platform on both bases
SELECT assert_equal(
    (SELECT sum(net_profit_usd) FROM project_work_profit()), (SELECT sum(net_profit_usd) FROM platform_profit())
);
SELECT assert_equal(
    (SELECT sum(net_profit_usd) FROM project_work_profit(basis := 'cash')),
    (SELECT sum(net_profit_usd) FROM platform_profit(basis := 'cash'))
);
