-- warn: A session is over and neither its end nor its duration is known; its hours are those of its messages and tools
SELECT session_id AS id, source, source_key, source_line, load_id, status, started_at
FROM work_sessions
WHERE status <> 'in_progress' AND completed_at IS NULL AND total_duration_seconds IS NULL
ORDER BY ALL;
