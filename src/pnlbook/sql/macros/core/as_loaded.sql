-- A load replaces rows and keeps what they were in <table>_history, so the state right after any load is what it
-- and its forerunners brought, less what later loads replaced. Without as_of the history is not even opened.
CREATE OR REPLACE MACRO as_loaded(table_name, as_of := NULL) AS TABLE
    SELECT * FROM query_table(table_name)
    WHERE as_of IS NULL OR load_id <= as_of
    UNION ALL BY NAME
    SELECT * EXCLUDE (superseded_by) FROM query_table(table_name || '_history')
    WHERE as_of IS NOT NULL AND load_id <= as_of AND superseded_by > as_of;
COMMENT ON MACRO TABLE as_loaded IS 'Rows of a table as they were right after load as_of; by default as they are now';

-- tests
-- test: every load's state can be read again
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'third', 's', 'a', 3), ('b', 'only', 's', 'b', 2);
INSERT INTO nodes_history (node_id, node_name, source, source_key, load_id, superseded_by)
VALUES ('a', 'first', 's', 'a', 1, 2), ('a', 'second', 's', 'a', 2, 3);
SELECT assert_equal(list(node_name ORDER BY node_name), NULL::VARCHAR[]) FROM as_loaded('nodes', as_of := 0);
SELECT assert_equal(list(node_name ORDER BY node_name), ['first']) FROM as_loaded('nodes', as_of := 1);
SELECT assert_equal(list(node_name ORDER BY node_name), ['only', 'second']) FROM as_loaded('nodes', as_of := 2);
SELECT assert_equal(list(node_name ORDER BY node_name), ['only', 'third']) FROM as_loaded('nodes', as_of := 3);
SELECT assert_equal(list(node_name ORDER BY node_name), ['only', 'third']) FROM as_loaded('nodes', as_of := 99);
SELECT assert_equal(list(node_name ORDER BY node_name), ['only', 'third']) FROM as_loaded('nodes');
