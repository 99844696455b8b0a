-- warn: Rows name a session that the book does not know: it has no status, no beginning and no end
SELECT session_id, table_name, rows
FROM (
    SELECT 'work_tasks' AS table_name, session_id, count(*) AS rows FROM work_tasks GROUP BY session_id
    UNION ALL SELECT 'file_changes', session_id, count(*) FROM file_changes GROUP BY session_id
    UNION ALL SELECT 'tool_usage', session_id, count(*) FROM tool_usage GROUP BY session_id
    UNION ALL SELECT 'communication_log', session_id, count(*) FROM communication_log GROUP BY session_id
    UNION ALL SELECT 'error_log', session_id, count(*) FROM error_log GROUP BY session_id
) ANTI JOIN work_sessions USING (session_id)
WHERE session_id IS NOT NULL
ORDER BY ALL;
