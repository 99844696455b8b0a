-- Lines tell of activity, not of worth: those that were added and those that were deleted stand apart, and so do edits
-- and commits, which hold the same lines twice. Per hour means per session hour of all work in the range.
CREATE OR REPLACE MACRO lines_activity(
    idle_seconds := 300, since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH changes AS (
        SELECT
            CASE WHEN origin = 'commit' THEN 'commit' ELSE 'edit' END AS origin, file_class, file_path,
            lines_added, lines_deleted, lines_modified
        FROM work_rows(
            'file_changes', changed_at,
            since := since, until := until, as_of := as_of, node := node, project := project
        )
    ), sums AS (
        SELECT
            origin, file_class, count(*) AS changes, sum(lines_added)::BIGINT AS lines_added,
            sum(lines_deleted)::BIGINT AS lines_deleted, sum(lines_modified)::BIGINT AS lines_modified,
            count(*) FILTER (changes.lines_added IS NULL OR changes.lines_deleted IS NULL) AS changes_without_lines
        FROM changes
        GROUP BY ALL
    ), files AS (
        SELECT origin, file_class, count(*) AS files
        FROM (SELECT DISTINCT origin, file_class, file_path FROM changes)
        GROUP BY ALL
    ), spent AS (
        SELECT known_time(sum(session_us), (
            SELECT count(*)
            FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
        )) AS session_us
        FROM work_hours(
            NULL, since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds
        )
    )
    SELECT
        sums.origin, sums.file_class, changes, files, changes_without_lines, lines_added, lines_deleted, lines_modified,
        hours(session_us) AS session_hours,
        per_hour(lines_added, session_us) AS lines_added_per_session_hour,
        per_hour(lines_deleted, session_us) AS lines_deleted_per_session_hour
    FROM sums
    JOIN files ON sums.origin = files.origin AND sums.file_class IS NOT DISTINCT FROM files.file_class
    CROSS JOIN spent
    ORDER BY sums.origin DESC, lines_added DESC NULLS LAST, sums.file_class;
COMMENT ON MACRO TABLE lines_activity IS
    'Lines added and deleted by edits and by commits, by class of file, in all and per session hour';

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'Ada', 's', 'a', 1), ('b', NULL, 's', 'b', 1);
INSERT INTO projects (project_id, project_name, source, source_key, load_id) VALUES ('p', 'Portal', 's', 'p', 1);
INSERT INTO work_sessions BY NAME
SELECT *, 's' AS source, session_id AS source_key, 1 AS load_id
FROM (VALUES
    ('one', 'a', 'p', 'completed', '2025-10-01 08:00:00+00', '2025-10-01 09:00:00+00', 3600),
    ('two', 'a', 'p', 'failed', '2025-10-01 08:30:00+00', '2025-10-01 09:30:00+00', 3600),
    ('three', 'x', NULL, 'in_progress', '2025-10-02 08:00:00+00', NULL, NULL)
) v(session_id, node_id, project_id, status, started_at, completed_at, total_duration_seconds);
INSERT INTO work_tasks BY NAME
SELECT *, 's' AS source, task_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 'completed', true, '2025-10-01 08:00:00+00'), ('2', 'a', 'p', 'completed', NULL, '2025-10-01 08:00:00+00'),
    ('3', 'a', 'p', 'failed', NULL, '2025-10-01 08:40:00+00'), ('4', NULL, 'p', 'in_progress', NULL, '2025-10-02 08:00:00+00')
) v(task_id, node_id, project_id, status, success, started_at);
INSERT INTO file_changes BY NAME
SELECT *, 'modified' AS change_type, 's' AS source, change_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'f', 'edit', 100, 10, '2025-10-01 08:10:00+00'), (2, 'a', 'p', 'f', 'edit', 20, 0, '2025-10-01 08:20:00+00'),
    (3, 'a', 'p', 'g', 'edit', NULL, NULL, '2025-10-01 08:30:00+00'), (4, 'a', 'p', 'f', 'commit', 120, 10, '2025-10-01 09:00:00+00')
) v(change_id, node_id, project_id, file_path, origin, lines_added, lines_deleted, changed_at);
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'bash', 5, 4, '2025-10-01 08:10:00+00'), (2, 'a', 'p', 'bash', 1, NULL, '2025-10-01 08:11:00+00'),
    (3, NULL, NULL, 'edit', 1, 0, '2025-10-01 08:12:00+00')
) v(usage_id, node_id, project_id, tool_name, invocation_count, success_count, used_at);
INSERT INTO communication_log BY NAME
SELECT *, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 'user', NULL, NULL, NULL, NULL, NULL, '2025-10-01 08:00:00+00'),
    ('2', 'a', 'p', 'assistant', 10, 500, 30, true, 0.25, '2025-10-01 08:01:00+00'),
    ('3', 'a', 'p', 'assistant', 10, NULL, 30, false, NULL, '2025-10-01 08:02:00+00'),
    ('4', 'a', 'p', 'assistant', NULL, NULL, NULL, NULL, NULL, '2025-10-01 08:03:00+00')
) v(message_id, node_id, project_id, role, input_tokens, cache_read_tokens, output_tokens, usage_final, cost_usd, sent_at);
INSERT INTO node_earnings BY NAME
SELECT *, gross_amount_usd AS amount_usd, 1 AS token_amount, 'milestone' AS payment_type, 'paid' AS payment_status,
    '2025-10-01 00:00:00+00' AS earned_at, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES (1, 'a', 'p', 100.00, NULL), (2, 'y', NULL, NULL, 'SOL'))
    v(earning_id, node_id, project_id, gross_amount_usd, token);
INSERT INTO work_intervals BY NAME FROM work_timeline();

-- test: edits and commits apart, per session hour of all work
SELECT assert_equal(
    list((origin, file_class, changes, files, lines_added, lines_deleted, changes_without_lines, lines_added_per_session_hour)),
    [('edit', NULL, 3, 2, 120, 10, 1, 60), ('commit', NULL, 1, 1, 120, 10, 0, 60)]::STRUCT(
        o VARCHAR, k VARCHAR, c BIGINT, f BIGINT, a BIGINT, d BIGINT, u BIGINT, r DECIMAL(38, 2)
    )[]
) FROM lines_activity();
-- test: without time there is no rate, and unknown lines are not none
UPDATE file_changes SET lines_added = NULL, file_class = 'binary' WHERE origin = 'commit';
DELETE FROM work_intervals;
SELECT assert_equal(
    list((origin, lines_added, lines_added_per_session_hour)),
    [('edit', 120, NULL), ('commit', NULL, NULL)]::STRUCT(o VARCHAR, a BIGINT, r DECIMAL(38, 2))[]
) FROM lines_activity(0);
