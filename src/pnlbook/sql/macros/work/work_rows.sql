-- `moment` is the column that says when a row of the table counts. `day` is computed only where it is asked for.
CREATE OR REPLACE MACRO work_rows(
    table_name, moment, since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT *, local_day(moment) AS day
    FROM as_loaded(table_name, as_of := as_of)
    WHERE in_range(moment, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE work_rows IS 'Rows of a table of work that count, each with its day in the book''s time zone';

-- tests
-- test: rows of a range, on the day of the book
INSERT INTO work_tasks (task_id, node_id, project_id, started_at, source, source_key, load_id)
VALUES
    ('1', 'a', 'p', '2025-10-01 23:00:00+00', 's', '1', 1), ('2', NULL, 'p', '2025-10-02 00:00:00+00', 's', '2', 1),
    ('3', 'b', NULL, '2025-10-03 00:00:00+00', 's', '3', 1);
SELECT assert_equal(list((task_id, day) ORDER BY task_id), [('1', DATE '2025-10-01'), ('2', DATE '2025-10-02')])
FROM work_rows('work_tasks', started_at, until := '2025-10-03');
SELECT assert_equal(list(task_id ORDER BY task_id), ['1']) FROM work_rows('work_tasks', started_at, node := 'a');
SELECT assert_equal(list(task_id ORDER BY task_id), ['1', '2']) FROM work_rows('work_tasks', started_at, project := 'p');
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(list(day ORDER BY task_id), [DATE '2025-10-02', DATE '2025-10-02', DATE '2025-10-03'])
FROM work_rows('work_tasks', started_at);
