-- Work of made-up agents: `tools` invocations (a variable), a hundred a session, each after a message of the model,
-- every twentieth after a prompt of a person. A fifth of every other session is a subagent's. Random figures come
-- from hashes, so the same number makes the same book.
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
SELECT 'node-' || n, 'Node ' || n, 'bench', n, 1 FROM range(40) r(n);
INSERT INTO projects (project_id, project_name, source, source_key, load_id)
SELECT 'project-' || n, 'Project ' || n, 'bench', n, 1 FROM range(60) r(n);

CREATE TEMP TABLE calls AS
SELECT
    call, call // 100 AS session, call % 100 AS step, (hash(call) >> 2)::BIGINT AS luck,
    'session-' || session || '-' || hash(session) AS session_id,
    CASE WHEN session % 2 = 0 AND step BETWEEN 40 AND 59 THEN 'agent-' || session END AS agent_id,
    'node-' || hash(session) % 40 AS node_id,
    CASE WHEN session % 50 > 0 THEN 'project-' || hash(session, 1) % 61 END AS project_id,
    to_timestamp(1700000000 + session * 600 + step * 12 + (step // 20) * (hash(session, step // 20) % 600)) AS moment
FROM (SELECT range AS call FROM range(getvariable('tools')));

INSERT INTO work_sessions BY NAME
SELECT
    any_value(session_id) AS session_id, any_value(node_id) AS node_id, any_value(project_id) AS project_id,
    'development' AS session_type, CASE WHEN session % 20 = 0 THEN 'failed' ELSE 'completed' END AS status,
    'bench' AS agent, min(moment) AS started_at, max(moment) AS completed_at,
    'bench' AS source, any_value(session_id) AS source_key, 1 AS load_id
FROM calls GROUP BY session ORDER BY session;

INSERT INTO work_tasks BY NAME
SELECT
    'task-' || call AS task_id, session_id, node_id, project_id, 'prompt' AS task_type, 'completed' AS status,
    luck % 10 > 0 AS success, moment AS started_at, 'bench' AS source, call AS source_key, 1 AS load_id
FROM calls WHERE step % 20 = 0;

INSERT INTO tool_usage BY NAME
SELECT
    call AS usage_id, session_id, agent_id, node_id, project_id,
    ['bash', 'edit', 'read', 'write', 'grep', 'glob', 'task', 'fetch'][1 + luck % 8] AS tool_name,
    'src/' || luck % 5000 || '.py' AS subject,
    CASE WHEN luck % 100 > 0 THEN CASE WHEN luck % 17 = 0 THEN 0 ELSE 1 END END AS success_count,
    CASE WHEN luck % 17 = 0 THEN ['tool', 'exit_code', 'hook_block', 'user_reject', 'timeout'][1 + luck % 5] END
        AS error_class,
    CASE WHEN luck % 50 > 0 THEN luck % 8000 END AS total_duration_ms,
    luck % 500 = 7 AS waits_for_person, moment AS used_at,
    'bench' AS source, call AS source_key, 1 AS load_id
FROM calls;

INSERT INTO communication_log BY NAME
SELECT
    'message-' || call AS message_id, session_id, agent_id, node_id, project_id, 'assistant' AS role,
    'model-' || luck % 6 AS model, luck % 900 AS content_chars, luck % 40 AS input_tokens,
    luck % 90000 AS cache_read_tokens, luck % 3000 AS cache_write_5m_tokens, 0 AS cache_write_1h_tokens,
    luck % 2000 AS output_tokens, luck % 30 > 0 AS usage_final,
    moment - INTERVAL 4 SECOND AS sent_at, moment AS completed_at,
    CASE WHEN luck % 6 > 0 THEN (luck % 100000) * 0.000001 END AS cost_usd,
    CASE WHEN luck % 6 > 0 THEN 'list' END AS cost_basis,
    'bench' AS source, call AS source_key, 1 AS load_id
FROM calls;

INSERT INTO communication_log BY NAME
SELECT
    'prompt-' || call AS message_id, session_id, node_id, project_id, 'user' AS role, 200 AS content_chars,
    moment - INTERVAL 6 SECOND AS sent_at, 'bench' AS source, 'prompt-' || call AS source_key, 1 AS load_id
FROM calls WHERE step % 20 = 0;

INSERT INTO file_changes BY NAME
SELECT
    call AS change_id, session_id, agent_id, node_id, project_id, 'src/' || luck % 5000 || '.py' AS file_path,
    'modified' AS change_type, luck % 40 AS lines_added, luck % 15 AS lines_deleted,
    CASE WHEN call % 10 = 0 THEN 'commit' ELSE 'edit' END AS origin,
    ['source', 'source', 'generated', 'lock'][1 + luck % 4] AS file_class,
    moment AS changed_at, 'bench' AS source, call AS source_key, 1 AS load_id
FROM calls WHERE call % 5 = 0;

INSERT INTO error_log BY NAME
SELECT
    call AS error_id, session_id, agent_id, node_id, project_id, 'tool_error' AS error_type,
    ['tool', 'exit_code', 'hook_block', 'user_reject', 'timeout'][1 + luck % 5] AS error_class,
    'message ' || luck % 200 AS error_message, 'bash' AS tool_name, 'src/' || luck % 5000 || '.py' AS subject,
    moment AS occurred_at, 'bench' AS source, call AS source_key, 1 AS load_id
FROM calls WHERE luck % 17 = 0;

INSERT INTO node_earnings BY NAME
SELECT
    session AS earning_id, any_value(node_id) AS node_id, any_value(project_id) AS project_id,
    session % 300 AS gross_amount_usd, 0 AS costs_deducted_usd, session % 300 AS amount_usd,
    'milestone' AS payment_type, 'pending' AS payment_status, max(moment) AS earned_at,
    'bench' AS source, session AS source_key, 1 AS load_id
FROM calls GROUP BY session ORDER BY session;

INSERT INTO loads BY NAME
SELECT
    1 AS load_id, 1 AS batch_id, 'loaded' AS status, 'work log' AS table_name, 'bench' AS source, 'bench' AS location,
    'sql' AS format, now() AS started_at, now() AS committed_at, 'bench' AS loaded_by, '0' AS program_version;

DROP TABLE calls;
