-- What work_metrics_daily holds. Rows of no node or project have an empty key there; names of unknown ones stay, so that
-- a later load of nodes changes nothing. Columns are in the order of the table.
CREATE OR REPLACE MACRO work_daily(since := NULL, until := NULL) AS TABLE
    SELECT
        part.day AS day,
        part.node_id AS node_id,
        part.project_id AS project_id,
        sessions, sessions_completed, sessions_failed, tasks, tasks_completed, tasks_succeeded,
        (wall_us * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS wall_seconds,
        (session_us * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS session_seconds,
        (agent_us * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS agent_seconds,
        files_changed, lines_added, lines_deleted,
        tool_invocations,
        CASE WHEN tool_outcomes_unknown = 0 OR tool_outcomes_unknown < tool_invocations THEN tool_successes END
            AS tool_successes,
        messages, input_tokens, output_tokens, errors, errors_resolved,
        commit_lines_added, commit_lines_deleted, model_cost_usd, unpriced_messages
    FROM work_sums(
        {day: day, node_id: coalesce(node_id, ''), project_id: coalesce(project_id, '')},
        since := since, until := until, daily := true,
        idle_seconds := (SELECT max(value)::BIGINT FROM book_settings WHERE name = 'work_idle_seconds')
    );
COMMENT ON MACRO TABLE work_daily IS 'Work by day, node and project, computed from the rows';

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

-- test: by day, node and project; empty for none
SELECT assert_equal(
    list((day, node_id, project_id, sessions, tasks_succeeded, wall_seconds, session_seconds, lines_added, tool_successes)
        ORDER BY day, node_id, project_id),
    [
        ('2025-10-01', '', '', 0, 0, 0, 0, 0, 0), ('2025-10-01', 'a', 'p', 2, 1, 5400, 7200, 120, 4),
        ('2025-10-02', '', 'p', 0, 0, 0, 0, 0, 0), ('2025-10-02', 'x', '', 1, 0, NULL, NULL, 0, 0)
    ]::STRUCT(
        d DATE, n VARCHAR, p VARCHAR, s BIGINT, t BIGINT, w DECIMAL(18, 6), e DECIMAL(18, 6), l BIGINT, u BIGINT
    )[]
) FROM work_daily();
-- test: tools of which no outcome is known have no number of successes
UPDATE tool_usage SET success_count = NULL;
SELECT assert_equal(list(tool_successes ORDER BY node_id), [NULL, NULL]::BIGINT[]) FROM work_daily(until := '2025-10-02');
-- test: idle time counts up to the setting
INSERT INTO work_intervals (session_id, started_at, ended_at, kind)
VALUES ('one', '2025-10-05 00:00:00+00', '2025-10-05 00:06:00+00', 'idle');
SELECT assert_equal(count(*), 0::BIGINT) FROM work_daily(since := '2025-10-05');
UPDATE book_settings SET value = '360' WHERE name = 'work_idle_seconds';
SELECT assert_equal(list(session_seconds), [360]::DECIMAL(18, 6)[]) FROM work_daily(since := '2025-10-05');
