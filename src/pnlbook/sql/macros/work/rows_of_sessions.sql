-- What is made from rows is made anew for the sessions that a load touched. Two branches, one of which is empty
-- before anything is read: a condition with a subquery would be computed for every row.
CREATE OR REPLACE MACRO rows_of_sessions(table_name, as_of := NULL, sessions := NULL) AS TABLE
    FROM as_loaded(table_name, as_of := as_of) WHERE sessions IS NULL
    UNION ALL
    FROM as_loaded(table_name, as_of := as_of) SEMI JOIN query_table(coalesce(sessions, 'work_sessions')) USING (session_id)
    WHERE sessions IS NOT NULL;
COMMENT ON MACRO TABLE rows_of_sessions IS
    'Rows of a table as they were right after load as_of; only of the sessions in the table that `sessions` names, if any';
