-- A week of work of which little is known for certain: two days of Ada's, an evening across midnight in Berlin, a
-- subagent at the same time; a session that was over at once, one without an end, one of nobody.
INSERT INTO work_sessions BY NAME
SELECT *, session_id AS source_key, 'claude-code' AS agent, 'test' AS source, 1 AS load_id
FROM (VALUES
    ('day', 'ada', 'mill', 'completed', '2025-10-08 07:00:00+00', '2025-10-08 09:00:00+00', NULL),
    ('night', 'ada', 'mill', 'completed', '2025-10-09 21:00:00+00', '2025-10-10 00:00:00+00', 10800),
    ('open', 'ada', NULL, 'in_progress', '2025-10-10 07:00:00+00', NULL, NULL),
    ('blink', 'ghost', 'mill', 'failed', '2025-10-11 07:00:00+00', NULL, 0),
    ('nobody', NULL, 'mill', 'completed', '2025-10-12 07:00:00+00', '2025-10-12 07:30:00+00', 1800)
) v(session_id, node_id, project_id, status, started_at, completed_at, total_duration_seconds);

INSERT INTO communication_log BY NAME
SELECT *, message_id AS source_key, 'ada' AS node_id, 'mill' AS project_id, 'day' AS session_id, 'test' AS source, 1 AS load_id
FROM (VALUES
    ('1', NULL, 'user', NULL, '2025-10-08 07:00:00+00', '2025-10-08 07:00:00+00', NULL, NULL, NULL, NULL),
    ('2', NULL, 'assistant', 'known-1', '2025-10-08 07:00:10+00', '2025-10-08 07:30:00+00', 100, 20, 0.123456, true),
    ('3', 'scout', 'assistant', 'known-1', '2025-10-08 07:10:00+00', '2025-10-08 07:40:00+00', 100, 20, 0.5, false),
    ('4', NULL, 'user', NULL, '2025-10-08 07:34:00+00', NULL, NULL, NULL, NULL, NULL),
    ('5', NULL, 'assistant', 'new-2', '2025-10-08 07:35:00+00', '2025-10-08 07:50:00+00', 7, 1, NULL, true),
    ('6', NULL, 'user', NULL, '2025-10-08 08:30:00+00', NULL, NULL, NULL, NULL, NULL),
    ('7', NULL, 'assistant', NULL, '2025-10-08 08:31:00+00', '2025-10-08 09:00:00+00', NULL, NULL, NULL, NULL)
) v(message_id, agent_id, role, model, sent_at, completed_at, input_tokens, output_tokens, cost_usd, usage_final);

INSERT INTO work_tasks BY NAME
SELECT *, task_id AS source_key, 'ada' AS node_id, 'mill' AS project_id, 'day' AS session_id, 'test' AS source, 1 AS load_id
FROM (VALUES
    ('t1', true, 'completed', '2025-10-08 07:00:00+00'), ('t2', false, 'failed', '2025-10-08 07:34:00+00'),
    ('t3', NULL, 'completed', '2025-10-08 08:30:00+00')
) v(task_id, success, status, started_at);

INSERT INTO tool_usage BY NAME
SELECT
    n AS usage_id, n::VARCHAR AS source_key, 'ada' AS node_id, 'mill' AS project_id, 'day' AS session_id,
    CASE WHEN n < 8 THEN 'Bash' WHEN n < 12 THEN 'Read <1>' ELSE 'Ask' END AS tool_name,
    CASE WHEN n < 8 THEN 'make test' END AS subject,
    CASE WHEN n < 12 THEN (n NOT IN (2, 3, 7))::INT END AS success_count,
    CASE n WHEN 2 THEN 'exit_code' WHEN 3 THEN 'timeout' WHEN 7 THEN 'exit_code' END AS error_class,
    1500 AS total_duration_ms, TIMESTAMPTZ '2025-10-08 07:01:00+00' + to_minutes(n) AS used_at, 'test' AS source, 1 AS load_id
FROM range(1, 14) r(n);

INSERT INTO error_log BY NAME
SELECT *, error_id::VARCHAR AS source_key, 'ada' AS node_id, 'day' AS session_id, 'test' AS source, 1 AS load_id
FROM (VALUES
    (1, 'failed', 'exit_code', 'Bash', 'exit N', true, '2025-10-08 07:03:00+00'),
    (2, 'failed', NULL, NULL, '<b>gone</b>', NULL, '2025-10-08 07:04:00+00')
) v(error_id, error_type, error_class, tool_name, error_message, resolved, occurred_at);

INSERT INTO file_changes BY NAME
SELECT *, change_id::VARCHAR AS source_key, 'ada' AS node_id, 'mill' AS project_id, 'modified' AS change_type,
    TIMESTAMPTZ '2025-10-08 07:20:00+00' AS changed_at, 'test' AS source, 1 AS load_id
FROM (VALUES
    (1, 'edit', 'source', 'a.py', 30, 4), (2, 'edit', 'source', 'a.py', 5, 0),
    (3, 'commit', 'source', 'a.py', 35, 4), (4, 'commit', 'lock', 'x.lock', 900, 1),
    (5, 'commit', 'binary', 'x.png', NULL, NULL)
) v(change_id, origin, file_class, file_path, lines_added, lines_deleted);

INSERT INTO nodes BY NAME SELECT 'ada' AS node_id, 'Ada <1>' AS node_name, 'ada' AS source_key, 'test' AS source, 1 AS load_id;
INSERT INTO projects BY NAME
SELECT 'mill' AS project_id, 'The Mill' AS project_name, 'mill' AS source_key, 'test' AS source, 1 AS load_id;

INSERT INTO node_earnings BY NAME
SELECT *, amount_usd AS gross_amount_usd, earning_id::VARCHAR AS source_key, 'milestone' AS payment_type,
    'paid' AS payment_status, 1 AS token_amount, 'test' AS source, 1 AS load_id
FROM (VALUES
    (1, 'ada', 'mill', 100.00, NULL, '2025-10-08 10:00:00+00'), (2, 'ada', NULL, NULL, 'SOL', '2025-10-08 11:00:00+00'),
    (3, 'rig', NULL, 5000.00, NULL, '2025-10-09 11:00:00+00')
) v(earning_id, node_id, project_id, amount_usd, token, earned_at);
