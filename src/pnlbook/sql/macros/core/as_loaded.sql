-- A load replaces rows and keeps what they were in <table>_history, so the state right after a load is what it and
-- its forerunners brought, less what they or later loads had replaced. Without as_of only the table itself is named:
-- a UNION with a history that then yields nothing would still cost the statistics that fast sums live on. That
-- makes superseded_by a column that is there or not, which only COLUMNS can express.
CREATE OR REPLACE MACRO as_loaded(table_name, as_of := NULL) AS TABLE
    SELECT COLUMNS(lambda name: name NOT IN ('superseded_by', 'loads_of_row'))
    FROM (
        SELECT *, list_value(*COLUMNS(lambda name: name IN ('load_id', 'superseded_by'))) AS loads_of_row
        FROM query_table(
            CASE WHEN as_of IS NULL THEN [table_name] ELSE [table_name, table_name || '_history'] END, true
        )
    )
    WHERE as_of IS NULL OR load_id <= as_of AND coalesce(loads_of_row[2] > as_of, true);
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
