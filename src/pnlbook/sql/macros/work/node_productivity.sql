-- Every known node has a row; what has no node or an unknown one is unattributed. Lines are those of edits: commits hold
-- the same lines again and stand apart. What is said per hour is said per session hour, on accrual.
CREATE OR REPLACE MACRO node_productivity(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    SELECT
        part AS node_id,
        CASE WHEN known.node_id IS NULL THEN 'unattributed' ELSE coalesce(known.node_name, known.node_id) END
            AS node_name,
        known.node_id IS NOT NULL AS attributed,
        sessions AS total_sessions,
        sessions_completed AS completed_sessions,
        sessions_failed AS failed_sessions,
        sessions_without_time,
        tasks AS total_tasks,
        tasks_completed AS completed_tasks,
        tasks_succeeded AS succeeded_tasks,
        tasks_failed AS failed_tasks,
        percent(tasks_succeeded, tasks_succeeded + tasks_failed) AS task_success_rate_pct,
        changes AS file_changes,
        files_changed,
        changes_without_lines,
        lines_added AS total_lines_added,
        lines_deleted AS total_lines_deleted,
        commit_lines_added,
        commit_lines_deleted,
        tool_invocations,
        tool_successes,
        tool_failures,
        tool_outcomes_unknown,
        percent(tool_failures, tool_successes + tool_failures) AS error_rate_pct,
        errors,
        messages,
        input_tokens,
        output_tokens,
        messages_without_tokens,
        messages_not_final,
        model_cost_usd,
        unpriced_messages,
        hours(wall_us) AS wall_hours,
        hours(session_us) AS session_hours,
        hours(agent_us) AS agent_hours,
        per_hour(lines_added, session_us) AS lines_per_hour,
        per_hour(tasks_completed, session_us) AS tasks_per_hour,
        earnings_usd,
        unpriced_earnings,
        per_hour(earnings_usd, session_us) AS earnings_per_hour
    FROM work_sums(
        node_id, since := since, until := until, as_of := as_of, node := node, project := project,
        idle_seconds := idle_seconds, listed := CASE WHEN project IS NULL THEN 'nodes' END, with_earnings := true
    )
    LEFT JOIN as_loaded('nodes', as_of := as_of) AS known ON part = known.node_id
    ORDER BY completed_tasks DESC, total_sessions DESC, part;
COMMENT ON MACRO TABLE node_productivity IS
    'What every node did, what it took in hours and tokens, and what it earned in an hour, with what is unattributed';

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

-- test: known nodes, an unknown one and work without one, by tasks
SELECT assert_equal(
    list((node_id, node_name, attributed, total_sessions, completed_tasks, task_success_rate_pct, total_lines_added)),
    [
        ('a', 'Ada', true, 2, 2, 50.00, 120), ('x', 'unattributed', false, 1, 0, NULL, 0), ('b', 'b', true, 0, 0, NULL, 0),
        ('y', 'unattributed', false, 0, 0, NULL, 0), (NULL, 'unattributed', false, 0, 0, NULL, 0)
    ]::STRUCT(i VARCHAR, n VARCHAR, a BOOLEAN, s BIGINT, t BIGINT, r DECIMAL(38, 2), l BIGINT)[]
) FROM node_productivity();
-- test: three kinds of hours, and what is said per session hour
SELECT assert_equal(
    (wall_hours, session_hours, agent_hours, lines_per_hour, tasks_per_hour, earnings_per_hour, error_rate_pct),
    (1.5, 2, 2, 60, 1, 50, 20)::STRUCT(
        w DECIMAL(38, 6), s DECIMAL(38, 6), a DECIMAL(38, 6), l DECIMAL(38, 2), t DECIMAL(38, 2), e DECIMAL(38, 2), r DECIMAL(38, 2)
    )
) FROM node_productivity() WHERE node_id = 'a';
SELECT assert_equal((session_hours, lines_per_hour), (NULL, NULL)::STRUCT(s DECIMAL(38, 6), l DECIMAL(38, 2)))
FROM node_productivity() WHERE node_id = 'x';
-- test: filtered to a project, nodes that did nothing for it are left out
SELECT assert_equal(list(node_id), ['a', NULL]) FROM node_productivity(project := 'p');
SELECT assert_equal(list(node_id), ['b']) FROM node_productivity(node := 'b');
