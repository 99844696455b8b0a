-- What a report offers to look at. Days are those of the book's time zone.
CREATE OR REPLACE MACRO work_days() AS TABLE
    SELECT local_time(min(earliest))::DATE AS first_day, local_time(max(latest))::DATE AS last_day
    FROM (
        SELECT min(started_at) AS earliest, max(greatest(started_at, completed_at)) AS latest FROM work_sessions
        UNION ALL SELECT min(started_at), max(greatest(started_at, completed_at)) FROM work_tasks
        UNION ALL SELECT min(changed_at), max(changed_at) FROM file_changes
        UNION ALL SELECT min(used_at), max(used_at) FROM tool_usage
        UNION ALL SELECT min(sent_at), max(sent_at) FROM communication_log
        UNION ALL SELECT min(occurred_at), max(occurred_at) FROM error_log
    );
COMMENT ON MACRO TABLE work_days IS 'First and last day with any row of work; NULL without any';

-- tests
-- test: without work there is none
SELECT assert_equal((first_day, last_day), (NULL, NULL)::STRUCT(a DATE, b DATE)) FROM work_days();
-- test: days are the book's own, and the end of a session counts
CREATE OR REPLACE MACRO book_timezone() AS 'Asia/Kathmandu';
INSERT INTO work_sessions (session_id, started_at, completed_at, source, source_key, load_id)
VALUES ('1', '2025-09-30 18:14:59+00', '2025-10-02 18:15:00+00', 's', '1', 1),
    ('2', '2025-10-01 00:00:00+00', NULL, 's', '2', 1);
INSERT INTO error_log (error_id, error_type, occurred_at, source, source_key, load_id)
VALUES (1, 'e', '2025-10-02 00:00:00+00', 's', '1', 1);
SELECT assert_equal((first_day, last_day), (DATE '2025-09-30', DATE '2025-10-03')) FROM work_days();
