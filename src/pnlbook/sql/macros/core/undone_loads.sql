-- A load that was taken back stays on record, for what a report of that time was made of is still known by as_of.
CREATE OR REPLACE MACRO undone_loads() AS TABLE
    SELECT json_extract_string(mapping, '$.undoes')::BIGINT AS load_id, min(load_id) AS undone_by
    FROM loads
    WHERE format = 'undo'
    GROUP BY ALL;
COMMENT ON MACRO TABLE undone_loads IS 'Loads that were undone, each with the first load of its undo';

-- tests
INSERT INTO loads BY NAME
SELECT *, 'loaded' AS status, 'nodes' AS table_name, 's' AS source, 'f' AS location, now() AS started_at,
    now() AS committed_at, 'me' AS loaded_by, '1' AS program_version
FROM (VALUES
    (1, 1, 'csv', '{"request": {}}'), (2, 2, 'csv', NULL), (3, 3, 'undo', '{"undoes": 2}'),
    (4, 3, 'undo', '{"undoes": 2, "restores": 1}')
) v(load_id, batch_id, format, mapping);
-- test: a load undone by several is there once, one that stands is not
SELECT assert_equal(list((load_id, undone_by)), [(2, 3)]::STRUCT(i BIGINT, b BIGINT)[]) FROM undone_loads();
