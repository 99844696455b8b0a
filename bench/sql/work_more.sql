-- A small load into the book of work_book.sql: the last session goes on.
INSERT INTO tool_usage BY NAME
SELECT
    1000000000 + n AS usage_id, any_value(session_id) AS session_id, any_value(node_id) AS node_id,
    any_value(project_id) AS project_id, 'bash' AS tool_name, 1 AS success_count, 900 AS total_duration_ms,
    max(started_at) + to_seconds(7 * n) AS used_at, 'bench' AS source, 'new ' || n AS source_key, 2 AS load_id
FROM (FROM work_sessions ORDER BY started_at DESC LIMIT 1), range(500) AS r(n)
GROUP BY n;
