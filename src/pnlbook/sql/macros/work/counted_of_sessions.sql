-- rows_of_sessions, each fact once.
CREATE OR REPLACE MACRO counted_of_sessions(table_name, as_of := NULL, sessions := NULL) AS TABLE
    FROM counted_rows(table_name, as_of := as_of) WHERE sessions IS NULL
    UNION ALL
    FROM counted_rows(table_name, as_of := as_of) SEMI JOIN query_table(coalesce(sessions, 'work_sessions')) USING (session_id)
    WHERE sessions IS NOT NULL;
COMMENT ON MACRO TABLE counted_of_sessions IS
    'Facts of a table, each once, as they were right after load as_of; only of the sessions in the table that `sessions` names, if any';

-- tests
-- test: telemetry that repeats a transcript is left out, in all sessions and in those that are named
INSERT INTO tool_usage (usage_id, session_id, tool_name, used_at, source, source_key, load_id)
VALUES
    (1, 'one', 'Bash', '2025-10-01 00:00:00+00', 'claude-code', 'toolu_1', 1),
    (2, 'one', 'Bash', '2025-10-01 00:00:00+00', 'otlp', 'toolu_1', 2),
    (3, 'two', 'Bash', '2025-10-01 00:00:00+00', 'otlp', 'toolu_3', 2);
CREATE TEMP TABLE wanted AS SELECT 'one' AS session_id;
SELECT assert_equal(list(usage_id ORDER BY usage_id), [1, 3]::BIGINT[]) FROM counted_of_sessions('tool_usage');
SELECT assert_equal(list(usage_id ORDER BY usage_id), [1]::BIGINT[])
FROM counted_of_sessions('tool_usage', sessions := 'wanted');
SELECT assert_equal(list(usage_id ORDER BY usage_id), [1]::BIGINT[]) FROM counted_of_sessions('tool_usage', as_of := 1);
