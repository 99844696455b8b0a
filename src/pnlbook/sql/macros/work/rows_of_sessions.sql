-- What is made from rows is made anew for the sessions that a load touched. Two branches, one of which is empty
-- before anything is read: a condition with a subquery would be computed for every row.
CREATE OR REPLACE MACRO rows_of_sessions(table_name, as_of := NULL, sessions := NULL) AS TABLE
    FROM as_loaded(table_name, as_of := as_of) WHERE sessions IS NULL
    UNION ALL
    FROM as_loaded(table_name, as_of := as_of) SEMI JOIN query_table(coalesce(sessions, 'work_sessions')) USING (session_id)
    WHERE sessions IS NOT NULL;
COMMENT ON MACRO TABLE rows_of_sessions IS
    'Rows of a table as they were right after load as_of; only of the sessions in the table that `sessions` names, if any';

-- tests
INSERT INTO tool_usage (usage_id, session_id, tool_name, used_at, source, source_key, load_id)
VALUES
    (1, 'one', 'bash', '2025-10-01 00:00:00+00', 's', '1', 1), (2, 'two', 'bash', '2025-10-01 00:00:00+00', 's', '2', 2),
    (3, NULL, 'bash', '2025-10-01 00:00:00+00', 's', '3', 1);
CREATE TEMP TABLE wanted AS SELECT unnest(['two', 'two', 'three', NULL]) AS session_id;
-- test: all rows, or those of the sessions that a table names, each once
SELECT assert_equal(list(usage_id ORDER BY usage_id), [1, 2, 3]::BIGINT[]) FROM rows_of_sessions('tool_usage');
SELECT assert_equal(list(usage_id ORDER BY usage_id), [2]::BIGINT[])
FROM rows_of_sessions('tool_usage', sessions := 'wanted');
-- test: as of a load
SELECT assert_equal(list(usage_id ORDER BY usage_id), [1, 3]::BIGINT[]) FROM rows_of_sessions('tool_usage', as_of := 1);
SELECT assert_equal(count(*), 0::BIGINT) FROM rows_of_sessions('tool_usage', as_of := 1, sessions := 'wanted');
