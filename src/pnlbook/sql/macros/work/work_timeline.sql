-- A stream's time goes without gaps or overlaps from its first instant to its last. What runs makes it busy, and so
-- does what follows: until a message or a tool begins, the model was at work on it. Only a gap that a person ends is
-- idle. Time is of the node and project of the row that ran then (of several the one that began first), a gap of the
-- row that ends it.
-- Of all rows, sorted once, few are kept: those where node or project change or an idle gap ends. `reached` is how far
-- all rows before went, so the time between two kept rows is from the one's `reached` to the other's.
-- A duration that the source gives stands for all rows of the session; without any length in its rows, it lasts from
-- its beginning to its end.
CREATE OR REPLACE MACRO work_timeline(as_of := NULL, sessions := NULL) AS TABLE
    WITH known AS (
        SELECT
            session_id, node_id, project_id, started_at, completed_at,
            later(started_at, total_duration_seconds, 1000000) AS ended_at, total_duration_seconds IS NULL AS by_rows
        FROM rows_of_sessions('work_sessions', as_of := as_of, sessions := sessions)
    ), placed AS (
        SELECT
            *,
            row_number() OVER stream AS place,
            max(ended_at) OVER (stream ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached,
            max(ended_at) OVER (stream ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS reached_at_last,
            lag(node_id) OVER stream AS node_before,
            lag(project_id) OVER stream AS project_before
        FROM work_spans(as_of := as_of, sessions := sessions)
        ANTI JOIN (SELECT session_id FROM known WHERE NOT by_rows) USING (session_id)
        WINDOW stream AS (
            PARTITION BY session_id, agent_id ORDER BY started_at, person DESC, ended_at, node_id, project_id
        )
    ), kept AS (
        SELECT
            *,
            coalesce(person AND reached < started_at, false) AS after_idle,
            coalesce(lead(reached) OVER (PARTITION BY session_id, agent_id ORDER BY place), reached_at_last) AS reached_next
        FROM placed
        WHERE reached IS NULL
            OR (person AND reached < started_at)
            OR node_id IS DISTINCT FROM node_before
            OR project_id IS DISTINCT FROM project_before
    ), parts AS (
        SELECT session_id, agent_id, node_id, project_id, 'idle' AS kind, reached AS started_at, started_at AS ended_at
        FROM kept
        WHERE after_idle
        UNION ALL
        SELECT
            session_id, agent_id, node_id, project_id, 'busy' AS kind,
            CASE WHEN after_idle THEN started_at ELSE coalesce(reached, started_at) END AS started_at,
            reached_next AS ended_at
        FROM kept
        UNION ALL
        SELECT session_id, '' AS agent_id, node_id, project_id, 'busy' AS kind, started_at, ended_at
        FROM known
        WHERE NOT by_rows
    ), merged AS (
        SELECT session_id, agent_id, node_id, project_id, kind, min(started_at) AS started_at, max(ended_at) AS ended_at
        FROM (
            SELECT *, count(*) FILTER (differs) OVER (PARTITION BY session_id, agent_id ORDER BY started_at) AS number
            FROM (
                SELECT
                    *,
                    kind = 'idle' OR (kind, node_id, project_id) IS DISTINCT FROM lag((kind, node_id, project_id)) OVER (
                        PARTITION BY session_id, agent_id ORDER BY started_at
                    ) AS differs
                FROM parts
                WHERE started_at < ended_at
            )
        )
        GROUP BY session_id, agent_id, number, node_id, project_id, kind
    )
    SELECT session_id, agent_id, started_at, ended_at, kind, node_id, project_id
    FROM merged
    UNION ALL
    SELECT session_id, '' AS agent_id, started_at, completed_at AS ended_at, 'busy' AS kind, node_id, project_id
    FROM known ANTI JOIN merged USING (session_id)
    WHERE by_rows AND started_at < completed_at;
COMMENT ON MACRO TABLE work_timeline IS
    'The time of each stream of work, made from the rows: busy, or idle while a person was waited for';

-- tests
CREATE TEMP MACRO clock(moment) AS epoch_us(moment) // 1000000 % 86400;
CREATE TEMP MACRO found() AS TABLE
    SELECT list((session_id, agent_id, kind, clock(started_at), clock(ended_at), project_id) ORDER BY session_id, agent_id, started_at)
        AS rows
    FROM work_timeline();
INSERT INTO communication_log BY NAME
SELECT *, 'p' AS project_id, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 's', NULL, 'user', '2025-10-01 00:00:00+00', NULL),
    ('2', 's', NULL, 'assistant', '2025-10-01 00:00:10+00', '2025-10-01 00:00:20+00'),
    ('3', 's', NULL, 'user', '2025-10-01 00:01:00+00', NULL),
    ('4', 's', NULL, 'assistant', '2025-10-01 00:01:30+00', NULL)
) v(message_id, session_id, agent_id, role, sent_at, completed_at);
-- test: only what a person ends is idle
SELECT assert_equal(rows, [
    ('s', '', 'busy', 0, 20, 'p'), ('s', '', 'idle', 20, 60, 'p'), ('s', '', 'busy', 60, 90, 'p')
]) FROM found();
-- test: while a tool runs a prompt makes nothing idle; what waits for a person does not run
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS session_id, 'p' AS project_id, 'x' AS tool_name, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 50000, NULL, '2025-10-01 00:00:20+00'), (2, 100000, true, '2025-10-01 00:01:40+00'),
    (3, 5000, NULL, '2025-10-01 00:01:50+00')
) v(usage_id, total_duration_ms, waits_for_person, used_at);
SELECT assert_equal(rows, [('s', '', 'busy', 0, 115, 'p'), ('s', '', 'idle', 115, 200, 'p')]) FROM found();
-- test: another project breaks an interval where its row began, or after the row that ran
INSERT INTO tool_usage BY NAME
SELECT *, 's' AS session_id, 'x' AS tool_name, 's' AS source, usage_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'q', 10000, '2025-10-01 00:01:30+00'), (2, NULL, 15000, '2025-10-01 00:01:35+00')
) v(usage_id, project_id, total_duration_ms, used_at);
SELECT assert_equal(rows, [
    ('s', '', 'busy', 0, 20, 'p'), ('s', '', 'idle', 20, 60, 'p'), ('s', '', 'busy', 60, 90, 'p'),
    ('s', '', 'busy', 90, 100, 'q'), ('s', '', 'busy', 100, 110, NULL)
]) FROM found();
-- test: each subagent is a stream of its own
INSERT INTO communication_log (
    message_id, session_id, agent_id, project_id, role, sent_at, completed_at, source, source_key, load_id
)
VALUES ('5', 's', 'sub', 'p', 'assistant', '2025-10-01 00:00:30+00', '2025-10-01 00:00:50+00', 's', '5', 1);
SELECT assert_equal(rows[4], ('s', 'sub', 'busy', 30, 50, 'p')) FROM found();
-- test: a duration that the source gives stands for all rows, also one of nothing
INSERT INTO work_sessions (session_id, project_id, started_at, total_duration_seconds, source, source_key, load_id)
VALUES
    ('s', 'q', '2025-10-01 00:00:05+00', 7.5, 's', 's', 1), ('none', 'q', '2025-10-01 00:00:05+00', 0, 's', 'none', 1);
SELECT assert_equal(rows, [('s', '', 'busy', 5, 12, 'q')]) FROM found();
-- test: without a length in its rows a session lasts from its beginning to its end
INSERT INTO work_sessions (session_id, project_id, started_at, completed_at, source, source_key, load_id)
VALUES
    ('s', 'q', '2025-10-01 00:00:00+00', '2025-10-01 01:00:00+00', 's', 's', 1),
    ('t', 'q', '2025-10-01 00:00:00+00', '2025-10-01 00:00:07+00', 's', 't', 1),
    ('u', 'q', '2025-10-01 00:00:07+00', '2025-10-01 00:00:00+00', 's', 'u', 1),
    ('v', 'q', '2025-10-01 00:00:07+00', NULL, 's', 'v', 1);
INSERT INTO communication_log (message_id, session_id, role, sent_at, source, source_key, load_id)
VALUES ('6', 't', 'user', '2025-10-01 00:00:00+00', 's', '6', 1);
SELECT assert_equal(rows[4:], [('t', '', 'busy', 0, 7, 'q')]) FROM found();
