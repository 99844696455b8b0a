-- One row for each interval of a stream, as a chart draws it, idle gaps beyond the threshold too (counted = false). A
-- session of whose time nothing is known has a row without an end.
CREATE OR REPLACE MACRO session_timeline(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    WITH drawn AS (
        SELECT
            session_id, agent_id, node_id, project_id, kind,
            CASE WHEN since IS NULL THEN started_at ELSE greatest(started_at, instant(since)) END AS started_at,
            CASE WHEN until IS NULL THEN ended_at ELSE least(ended_at, instant(until)) END AS ended_at,
            kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= idle_seconds::BIGINT * 1000000 AS counted
        FROM timeline_rows(as_of := as_of) AS stood
        WHERE (since IS NULL OR stood.ended_at > instant(since))
            AND (until IS NULL OR stood.started_at < instant(until))
            AND coalesce(instant(since) < instant(until), true)
            AND (node IS NULL OR node_id = node)
            AND (project IS NULL OR project_id = project)
        UNION ALL
        SELECT session_id, '' AS agent_id, node_id, project_id, 'unknown' AS kind, started_at, NULL, false AS counted
        FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
    )
    SELECT
        drawn.session_id, drawn.agent_id, drawn.node_id,
        CASE WHEN nodes.node_id IS NULL THEN 'unattributed' ELSE coalesce(nodes.node_name, nodes.node_id) END AS node_name,
        drawn.project_id,
        CASE WHEN projects.project_id IS NULL THEN 'unattributed'
            ELSE coalesce(projects.project_name, projects.project_id) END AS project_name,
        sessions.session_type, sessions.status, sessions.agent, sessions.description,
        drawn.kind, drawn.counted, drawn.started_at, drawn.ended_at,
        ((epoch_us(drawn.ended_at) - epoch_us(drawn.started_at)) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS seconds
    FROM drawn
    LEFT JOIN as_loaded('work_sessions', as_of := as_of) AS sessions USING (session_id)
    LEFT JOIN as_loaded('nodes', as_of := as_of) AS nodes ON drawn.node_id = nodes.node_id
    LEFT JOIN as_loaded('projects', as_of := as_of) AS projects ON drawn.project_id = projects.project_id
    ORDER BY drawn.started_at, drawn.session_id, drawn.agent_id;
COMMENT ON MACRO TABLE session_timeline IS
    'When each stream of each session was at work, waited for a person, or is not known to have been at work';

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

-- test: a row for each interval, named and cut to the range, and one for a session without a known time
SELECT assert_equal(
    list((session_id, node_name, project_name, kind, seconds)),
    [('one', 'Ada', 'Portal', 'busy', 3600), ('two', 'Ada', 'Portal', 'busy', 3600),
        ('three', 'unattributed', 'unattributed', 'unknown', NULL)]
        ::STRUCT(s VARCHAR, n VARCHAR, p VARCHAR, k VARCHAR, d DECIMAL(18, 6))[]
) FROM session_timeline();
SELECT assert_equal(list((session_id, seconds)), [('one', 900), ('two', 900)]::STRUCT(s VARCHAR, d DECIMAL(18, 6))[])
FROM session_timeline(since := '2025-10-01 08:45', until := '2025-10-01 09:00', project := 'p');
-- test: a long idle gap is drawn and not counted
INSERT INTO work_intervals (session_id, started_at, ended_at, kind)
VALUES ('three', '2025-10-03 00:00:00+00', '2025-10-03 00:10:00+00', 'idle');
SELECT assert_equal(list((kind, counted)), [('idle', false)]) FROM session_timeline(since := '2025-10-03');
SELECT assert_equal(list((kind, counted)), [('idle', true)]) FROM session_timeline(since := '2025-10-03', idle_seconds := 600);
