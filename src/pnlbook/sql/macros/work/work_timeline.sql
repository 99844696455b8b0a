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
