-- A transcript does not tell that its session ended, so `completed` says no more there than that a model answered.
-- A session that was left behind without an end is no active one, so something must have been heard of it lately: a
-- message, a tool, a task, a change, an error, its own beginning or end. `at` is the moment that is counted back from.
CREATE OR REPLACE MACRO active_sessions(minutes := 30, "at" := NULL, node := NULL, project := NULL) AS TABLE
    WITH clock AS (
        SELECT coalesce(instant("at"), now()) AS moment
    ), running AS (
        SELECT sessions.*, moment
        FROM work_sessions AS sessions, clock
        WHERE (status = 'in_progress' OR source IN ('claude-code', 'codex')) AND started_at <= moment
            AND (node IS NULL OR node_id = node)
            AND (project IS NULL OR project_id = project)
    ), heard AS (
        SELECT session_id, started_at AS heard_at, NULL AS tool_name, NULL AS task_name, 'session' AS what FROM running
        UNION ALL SELECT session_id, completed_at, NULL, NULL, 'session' FROM running
        UNION ALL SELECT session_id, started_at, NULL, task_name, 'task' FROM work_tasks
        UNION ALL SELECT session_id, completed_at, NULL, NULL, 'task end' FROM work_tasks
        UNION ALL SELECT session_id, coalesce(completed_at, sent_at), NULL, NULL, 'message' FROM communication_log
        UNION ALL SELECT session_id, later(used_at, total_duration_ms, 1000), tool_name, NULL, 'tool' FROM tool_usage
        UNION ALL SELECT session_id, changed_at, NULL, NULL, 'change' FROM file_changes
        UNION ALL SELECT session_id, occurred_at, tool_name, NULL, 'error' FROM error_log
    ), latest AS (
        SELECT
            session_id, max(heard_at) AS last_at,
            count(*) FILTER (what = 'message') AS messages,
            count(*) FILTER (what = 'tool') AS tools,
            count(*) FILTER (what = 'error') AS errors,
            arg_max(tool_name, heard_at) FILTER (what = 'tool') AS last_tool,
            arg_max(task_name, heard_at) FILTER (what = 'task') AS last_task
        FROM heard SEMI JOIN running USING (session_id), clock
        WHERE heard_at <= moment
        GROUP BY session_id
    )
    SELECT
        session_id, running.node_id,
        CASE WHEN nodes.node_id IS NULL THEN 'unattributed' ELSE coalesce(nodes.node_name, nodes.node_id) END AS node_name,
        running.project_id,
        CASE WHEN projects.project_id IS NULL THEN 'unattributed'
            ELSE coalesce(projects.project_name, projects.project_id) END AS project_name,
        running.session_type, running.agent, running.branch, running.started_at, last_at,
        epoch_us(moment) // 1000000 - epoch_us(last_at) // 1000000 AS silent_seconds,
        messages, tools AS tool_invocations, errors, last_task, last_tool
    FROM running JOIN latest USING (session_id)
    LEFT JOIN nodes ON running.node_id = nodes.node_id
    LEFT JOIN projects ON running.project_id = projects.project_id
    WHERE epoch_us(last_at) > epoch_us(moment) - minutes::BIGINT * 60000000
    ORDER BY last_at DESC, session_id;
COMMENT ON MACRO TABLE active_sessions IS
    'Sessions not known to have ended of which something was heard in the last minutes, by default 30';

-- tests
INSERT INTO work_sessions BY NAME
SELECT *, if(session_id = 'told', 'codex', 's') AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('live', 'in_progress', '2025-10-01 08:00:00+00', NULL), ('left', 'in_progress', '2025-10-01 08:00:00+00', NULL),
    ('new', 'in_progress', '2025-10-01 11:55:00+00', NULL), ('done', 'completed', '2025-10-01 11:50:00+00', '2025-10-01 11:58:00+00'),
    ('told', 'completed', '2025-10-01 11:00:00+00', '2025-10-01 11:40:00+00'),
    ('later', 'in_progress', '2025-10-01 12:10:00+00', NULL), ('ended', 'in_progress', '2025-10-01 08:00:00+00', '2025-10-01 11:45:00+00')
) v(session_id, status, started_at, completed_at);
INSERT INTO tool_usage (usage_id, session_id, tool_name, total_duration_ms, used_at, source, source_key, load_id)
VALUES
    (1, 'live', 'read', NULL, '2025-10-01 11:00:00+00', 's', '1', 1),
    (2, 'live', 'bash', 600000, '2025-10-01 11:30:00+00', 's', '2', 1),
    (3, 'live', 'edit', NULL, '2025-10-01 12:30:00+00', 's', '3', 1);
-- test: not known to have ended, and heard of within the minutes
SELECT assert_equal(
    list((session_id, silent_seconds, tool_invocations, last_tool)),
    [('new', 300, 0, NULL), ('ended', 900, 0, NULL), ('live', 1200, 2, 'bash'), ('told', 1200, 0, NULL)]
        ::STRUCT(s VARCHAR, q BIGINT, t BIGINT, l VARCHAR)[]
) FROM active_sessions("at" := '2025-10-01 12:00');
SELECT assert_equal(list(session_id), ['new', 'ended']) FROM active_sessions(20, "at" := '2025-10-01 12:00');
SELECT assert_equal(list(session_id), NULL::VARCHAR[]) FROM active_sessions("at" := '2025-10-01 12:00', node := 'a');
-- test: by now everything has gone silent
SELECT assert_equal(count(*), 0::BIGINT) FROM active_sessions();
