-- warn: A session or task ends before it begins: its clock was changed, or the two instants were confused
SELECT
    'work_sessions' AS table_name, session_id AS id, source, source_key, source_line, load_id, started_at, completed_at
FROM work_sessions WHERE completed_at < started_at
UNION ALL
SELECT
    'work_tasks' AS table_name, task_id AS id, source, source_key, source_line, load_id, started_at, completed_at
FROM work_tasks WHERE completed_at < started_at
ORDER BY ALL;
