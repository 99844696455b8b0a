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
        SELECT sum(session_us)::BIGINT AS session_us
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
