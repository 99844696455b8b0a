-- The counterpart of node_productivity. `nodes` had sessions on the project; its first and last session tell from when
-- to when it was worked on.
CREATE OR REPLACE MACRO project_work(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    WITH history AS (
        SELECT
            project_id AS of_project, count(DISTINCT node_id) AS nodes, min(started_at) AS first_session_at,
            max(greatest(started_at, completed_at)) AS last_session_at
        FROM work_rows(
            'work_sessions', started_at, since := since, until := until, as_of := as_of, node := node, project := project
        )
        GROUP BY project_id
    )
    SELECT
        part AS project_id,
        CASE WHEN known.project_id IS NULL THEN 'unattributed' ELSE coalesce(known.project_name, known.project_id) END
            AS project_name,
        known.project_id IS NOT NULL AS attributed,
        coalesce(nodes, 0) AS nodes,
        first_session_at,
        last_session_at,
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
        project_id, since := since, until := until, as_of := as_of, node := node, project := project,
        idle_seconds := idle_seconds, listed := CASE WHEN node IS NULL THEN 'projects' END, with_earnings := true
    )
    LEFT JOIN as_loaded('projects', as_of := as_of) AS known ON part = known.project_id
    LEFT JOIN history ON part IS NOT DISTINCT FROM of_project
    ORDER BY last_session_at DESC NULLS LAST, total_sessions DESC, part;
COMMENT ON MACRO TABLE project_work IS
    'What was done for every project, what it took in hours and tokens, and what its nodes earned in an hour, with what is unattributed';

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

-- test: known projects and work without one, the latest first
SELECT assert_equal(
    list((project_id, project_name, attributed, nodes, total_sessions, total_tasks, session_hours, earnings_per_hour)),
    [(NULL, 'unattributed', false, 1, 1, 0, NULL, NULL), ('p', 'Portal', true, 1, 2, 4, 2, 50)]::STRUCT(
        i VARCHAR, n VARCHAR, a BOOLEAN, k BIGINT, s BIGINT, t BIGINT, h DECIMAL(38, 6), e DECIMAL(38, 2)
    )[]
) FROM project_work();
SELECT assert_equal((first_session_at, last_session_at), (instant('2025-10-01 08:00'), instant('2025-10-01 09:30')))
FROM project_work(project := 'p');
-- test: filtered to a node, projects that it did nothing for are left out
SELECT assert_equal(list(project_id), [NULL]) FROM project_work(node := 'x');
