-- `moment` is the column that says when a row of the table counts. `day` is computed only where it is asked for.
CREATE OR REPLACE MACRO work_rows(
    table_name, moment, since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT *, period_start('day', time_slot(moment)) AS day
    FROM as_loaded(table_name, as_of := as_of)
    WHERE in_range(moment, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE work_rows IS 'Rows of a table of work that count, each with its day in the book''s time zone';
