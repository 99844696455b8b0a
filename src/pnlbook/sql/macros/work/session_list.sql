-- A session is of a range, node or project that it began in or worked in; its figures are of what lies there.
CREATE OR REPLACE MACRO session_list(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    WITH sums AS (
        SELECT session_id, true AS met
        FROM work_rows(
            'work_sessions', started_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
        UNION ALL BY NAME
        SELECT of_part AS session_id, session_us, agent_us, true AS met
        FROM work_hours(
            session_id, since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
        UNION ALL BY NAME
        SELECT session_id, 1 AS without_time
        FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
        UNION ALL BY NAME
        SELECT session_id, count(DISTINCT agent_id) AS subagents
        FROM interval_rows(
            since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
        WHERE agent_id <> ''
        GROUP BY session_id
        UNION ALL BY NAME
        SELECT
            session_id, count(*) AS tasks, count(*) FILTER (task_outcome(success, status)) AS tasks_succeeded,
            count(*) FILTER (NOT task_outcome(success, status)) AS tasks_failed
        FROM work_rows(
            'work_tasks', started_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
        GROUP BY session_id
        UNION ALL BY NAME
        SELECT
            session_id, sum(invocation_count) AS tool_invocations,
            sum(invocation_count - success_count) AS tool_failures
        FROM event_rows(
            'tool_usage', used_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
        GROUP BY session_id
        UNION ALL BY NAME
        SELECT session_id, count(*) AS errors
        FROM event_rows(
            'error_log', occurred_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
        GROUP BY session_id
        UNION ALL BY NAME
        SELECT
            session_id, count(*) AS messages, sum(cost_usd) AS model_cost_usd,
            count(*) FILTER (cost_usd IS NULL AND used.any_tokens > 0) AS unpriced_messages,
            count(*) FILTER (usage_final = false) AS messages_not_final,
            count(*) FILTER (role = 'assistant' AND any_tokens IS NULL AND cost_usd IS NULL) AS messages_without_tokens
        FROM (
            SELECT
                *,
                greatest(
                    input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens
                ) AS any_tokens
            FROM event_rows(
                'communication_log', sent_at,
                since := since, until := until, as_of := as_of, node := node, project := project
            )
        ) AS used
        GROUP BY session_id
    ), sessions AS (
        SELECT
            session_id AS of_session,
            known_time(sum(sums.session_us), sum(without_time)) AS session_us,
            known_time(sum(sums.agent_us), sum(without_time)) AS agent_us,
            coalesce(sum(sums.subagents), 0)::BIGINT AS subagents,
            coalesce(sum(sums.tasks), 0)::BIGINT AS tasks,
            coalesce(sum(sums.tasks_succeeded), 0)::BIGINT AS tasks_succeeded,
            coalesce(sum(sums.tasks_failed), 0)::BIGINT AS tasks_failed,
            coalesce(sum(sums.tool_invocations), 0)::BIGINT AS tool_invocations,
            coalesce(sum(sums.tool_failures), 0)::BIGINT AS tool_failures,
            coalesce(sum(sums.errors), 0)::BIGINT AS errors,
            zero_without(sum(messages), sum(sums.model_cost_usd))::DECIMAL(38, 12) AS model_cost_usd,
            coalesce(sum(unpriced_messages + messages_not_final + messages_without_tokens), 0) > 0 AS at_least
        FROM sums
        WHERE session_id IS NOT NULL
        GROUP BY session_id
        HAVING bool_or(met)
    )
    SELECT
        of_session AS session_id,
        known.node_id,
        CASE WHEN nodes.node_id IS NULL THEN 'unattributed' ELSE coalesce(nodes.node_name, nodes.node_id) END AS node_name,
        known.project_id,
        CASE WHEN projects.project_id IS NULL THEN 'unattributed'
            ELSE coalesce(projects.project_name, projects.project_id) END AS project_name,
        known.session_type, known.status, known.agent, known.branch, known.started_at, known.completed_at,
        hours(session_us) AS session_hours,
        hours(agent_us) AS agent_hours,
        subagents, tasks, tasks_succeeded, tasks_failed, tool_invocations, tool_failures, errors, model_cost_usd,
        at_least
    FROM sessions
    LEFT JOIN as_loaded('work_sessions', as_of := as_of) AS known ON of_session = known.session_id
    LEFT JOIN as_loaded('nodes', as_of := as_of) AS nodes ON known.node_id = nodes.node_id
    LEFT JOIN as_loaded('projects', as_of := as_of) AS projects ON known.project_id = projects.project_id
    ORDER BY known.started_at DESC, of_session;
COMMENT ON MACRO TABLE session_list IS
    'Sessions with their hours, tasks, tools, errors and model costs; session_hours is NULL where no time is known';

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id) VALUES ('a', 'Ada', 's', 'a', 1);
INSERT INTO work_sessions BY NAME
SELECT *, 'p' AS project_id, 's' AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 3600, '2025-10-01 08:00:00+00'), ('2', 'x', NULL, '2025-10-02 08:00:00+00'),
    ('3', 'a', 0, '2025-10-03 08:00:00+00')
) v(session_id, node_id, total_duration_seconds, started_at);
INSERT INTO work_tasks BY NAME
SELECT *, 's' AS source, task_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', '1', 'a', true, '2025-10-01 08:00:00+00'), ('2', '1', 'a', false, '2025-10-01 08:00:00+00'),
    ('3', '1', 'a', NULL, '2025-10-01 08:00:00+00'), ('4', NULL, 'a', true, '2025-10-01 08:00:00+00')
) v(task_id, session_id, node_id, success, started_at);
INSERT INTO communication_log BY NAME
SELECT *, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', '1', 'a', NULL, 'assistant', 5, 1.50, NULL, '2025-10-01 08:00:00+00'),
    ('2', '1', 'a', 'sub', 'assistant', 5, 1.50, false, '2025-10-01 08:00:00+00'),
    ('3', '2', 'x', NULL, 'assistant', NULL, NULL, NULL, '2025-10-02 08:00:00+00'),
    ('4', '3', 'a', NULL, 'user', NULL, NULL, NULL, '2025-10-03 08:00:00+00')
) v(message_id, session_id, node_id, agent_id, role, output_tokens, cost_usd, usage_final, sent_at);
INSERT INTO work_intervals BY NAME FROM work_timeline();
-- test: newest first, each with what it did; unknown time is NULL, an unknown node unattributed
SELECT assert_equal(
    list((session_id, node_name, session_hours, tasks, tasks_succeeded, tasks_failed, model_cost_usd, at_least)),
    [
        ('3', 'Ada', 0, 0, 0, 0, NULL, false), ('2', 'unattributed', NULL, 0, 0, 0, NULL, true),
        ('1', 'Ada', 1, 3, 1, 1, 3, true)
    ]::STRUCT(
        s VARCHAR, n VARCHAR, h DECIMAL(38, 6), t BIGINT, u BIGINT, f BIGINT, c DECIMAL(38, 12), l BOOLEAN
    )[]
) FROM session_list();
-- test: a node's own, a range's own
SELECT assert_equal(list(session_id), ['2']) FROM session_list(node := 'x');
SELECT assert_equal(list(session_id), ['1']) FROM session_list(until := '2025-10-01 09:30');
SELECT assert_equal(list(session_hours), [0.5]::DECIMAL(38, 6)[])
FROM session_list(since := '2025-10-01 08:30', until := '2025-10-02');
-- test: what telemetry repeats counts once
INSERT INTO tool_usage (usage_id, node_id, session_id, tool_name, success_count, used_at, source, source_key, load_id)
VALUES
    (1, 'a', '1', 'Bash', 0, '2025-10-01 08:10:00+00', 'claude-code', 'toolu_1', 1),
    (2, 'a', '1', 'Bash', 0, '2025-10-01 08:10:00+00', 'otlp', 'toolu_1', 1);
SELECT assert_equal((tool_invocations, tool_failures), (1, 1)::STRUCT(i BIGINT, f BIGINT))
FROM session_list(until := '2025-10-02');
