-- A type misspelt would find no backup, which reads like having none.
CREATE OR REPLACE MACRO known_backup_type(kind) AS (
    CASE
        WHEN kind IS NULL OR kind IN ('full', 'incremental', 'schema', 'data') THEN true
        ELSE error(concat('kind is ', kind, '; use full, incremental, schema or data'))
    END
);
COMMENT ON MACRO known_backup_type IS 'true for full, incremental, schema, data and NULL; an error for anything else';

-- tests
-- test: the four types are known, and NULL means any
SELECT assert_equal(bool_and(known_backup_type(kind)), true)
FROM (VALUES ('full'), ('incremental'), ('schema'), ('data'), (NULL)) k(kind);
