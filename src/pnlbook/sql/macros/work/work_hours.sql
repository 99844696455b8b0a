-- Three figures that answer three questions. agent: how long each stream was at work, added up. session: the same with
-- streams of one session that ran at once counted once. wall: with everything that ran at once counted once.
-- `part` is an expression over node_id, project_id, session_id and day. Only a session with a subagent can overlap
-- itself. A union of intervals needs them sorted, and one long sort is several times faster than one for each of a few
-- long parts: those are laid one behind another, each `width` on, so that none reaches into the next.
CREATE OR REPLACE MACRO work_hours(
    part, since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300, daily := false
) AS TABLE
    WITH pieces AS MATERIALIZED (
        SELECT part AS of_part, session_id, agent_id, began, ended
        FROM interval_rows(
            since := since, until := until, as_of := as_of, node := node, project := project,
            idle_seconds := idle_seconds, daily := daily
        )
    ), line AS (
        SELECT (max(ended) - min(began) + 1)::HUGEINT AS width FROM pieces
    ), places AS (
        SELECT of_part, row_number() OVER () * width AS shift FROM (SELECT DISTINCT of_part FROM pieces), line
    ), sums AS (
        SELECT of_part, sum(ended - began) AS agent_us, sum(ended - began) AS session_us, 0 AS wall_us
        FROM pieces
        GROUP BY of_part
        UNION ALL
        SELECT of_part, 0 AS agent_us, -sum(least(ended, reached) - began) AS session_us, 0 AS wall_us
        FROM (
            SELECT
                of_part, began, ended,
                max(ended) OVER (
                    PARTITION BY session_id, of_part
                    ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS reached
            FROM pieces SEMI JOIN (SELECT session_id FROM pieces WHERE agent_id <> '') USING (session_id)
        )
        WHERE reached > began
        GROUP BY of_part
        UNION ALL
        SELECT of_part, 0 AS agent_us, 0 AS session_us, sum(ended - greatest(began, coalesce(reached, began))) AS wall_us
        FROM (
            SELECT
                pieces.of_part, shift + began AS began, shift + ended AS ended,
                max(shift + ended) OVER (ORDER BY shift + began ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                    AS reached
            FROM pieces JOIN places ON pieces.of_part IS NOT DISTINCT FROM places.of_part
        )
        WHERE reached IS NULL OR reached < ended
        GROUP BY of_part
    )
    SELECT
        of_part, sum(wall_us)::BIGINT AS wall_us, sum(session_us)::BIGINT AS session_us,
        sum(agent_us)::BIGINT AS agent_us
    FROM sums
    GROUP BY of_part;
COMMENT ON MACRO TABLE work_hours IS 'Working time by any grain, in microseconds: wall, session and agent';

-- tests
INSERT INTO work_intervals BY NAME
SELECT *, 'busy' AS kind, 'p' AS project_id
FROM (VALUES
    ('one', '', 'a', '2025-10-01 08:00:00+00'::TIMESTAMPTZ, '2025-10-01 10:00:00+00'::TIMESTAMPTZ),
    ('one', 'sub', 'a', '2025-10-01 09:00:00+00', '2025-10-01 11:00:00+00'),
    ('one', 'sub 2', 'a', '2025-10-01 09:30:00+00', '2025-10-01 10:30:00+00'),
    ('two', '', 'a', '2025-10-01 10:30:00+00', '2025-10-01 12:00:00+00'),
    ('two', 'sub', NULL, '2025-10-01 20:00:00+00', '2025-10-01 21:00:00+00'),
    ('three', '', NULL, '2025-10-01 20:00:00+00', '2025-10-01 21:00:00+00')
) v(session_id, agent_id, node_id, started_at, ended_at);
CREATE TEMP MACRO minutes(micros) AS micros // 60000000;
-- test: streams added up, sessions without their own overlaps, the wall without any
SELECT assert_equal(
    list((of_part, minutes(wall_us), minutes(session_us), minutes(agent_us)) ORDER BY of_part NULLS LAST),
    [('a', 240, 270, 390), (NULL, 60, 120, 120)]::STRUCT(p VARCHAR, w BIGINT, s BIGINT, a BIGINT)[]
) FROM work_hours(node_id);
SELECT assert_equal((minutes(wall_us), minutes(session_us), minutes(agent_us)), (300, 390, 510)::STRUCT(w BIGINT, s BIGINT, a BIGINT))
FROM work_hours(NULL);
-- test: twice the same stream of time changes the wall by nothing
INSERT INTO work_intervals BY NAME SELECT * REPLACE (session_id || ' again' AS session_id) FROM work_intervals;
SELECT assert_equal((minutes(wall_us), minutes(session_us), minutes(agent_us)), (300, 780, 1020)::STRUCT(w BIGINT, s BIGINT, a BIGINT))
FROM work_hours(NULL);
-- test: no intervals, no rows
SELECT assert_equal(count(*), 0::BIGINT) FROM work_hours(NULL, until := '2025-01-01');
