-- The time that counts, in microseconds since 1970, cut to the range. An idle gap beyond the threshold counts nowhere,
-- a shorter one whole; which it is does not depend on where the range cuts it. `daily` cuts it at each midnight of the
-- book; of the two branches the constant rules one out.
CREATE OR REPLACE MACRO interval_rows(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300, daily := false
) AS TABLE
    WITH counted AS (
        SELECT
            session_id, agent_id, node_id, project_id, kind,
            CASE WHEN since IS NULL THEN epoch_us(started_at)
                ELSE greatest(epoch_us(started_at), epoch_us(instant(since))) END AS began,
            CASE WHEN until IS NULL THEN epoch_us(ended_at)
                ELSE least(epoch_us(ended_at), epoch_us(instant(until))) END AS ended
        FROM timeline_rows(as_of := as_of)
        WHERE (kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= idle_seconds::BIGINT * 1000000)
            AND (since IS NULL OR ended_at > instant(since))
            AND (until IS NULL OR started_at < instant(until))
            AND coalesce(instant(since) < instant(until), true)
            AND (node IS NULL OR node_id = node)
            AND (project IS NULL OR project_id = project)
    )
    SELECT session_id, agent_id, node_id, project_id, kind, NULL::DATE AS day, began, ended
    FROM counted
    WHERE NOT daily
    UNION ALL
    SELECT
        session_id, agent_id, node_id, project_id, kind, day,
        greatest(began, epoch_us(instant(day))) AS began, least(ended, epoch_us(instant(day + 1))) AS ended
    FROM (
        SELECT *, unnest(local_days(began, ended)) AS day
        FROM counted
        WHERE daily
    );
COMMENT ON MACRO TABLE interval_rows IS 'Intervals of work that count, cut to a range and, if asked, to days';

-- tests
INSERT INTO work_intervals BY NAME
SELECT *, 'p' AS project_id
FROM (VALUES
    ('s', 'a', 'busy', '2025-10-01 23:50:00+00'::TIMESTAMPTZ, '2025-10-02 00:10:00+00'::TIMESTAMPTZ),
    ('s', 'a', 'idle', '2025-10-02 00:10:00+00', '2025-10-02 00:15:00+00'),
    ('s', NULL, 'idle', '2025-10-02 01:00:00+00', '2025-10-02 01:05:00.000001+00')
) v(session_id, node_id, kind, started_at, ended_at);
CREATE TEMP MACRO minutes(micros) AS micros // 60000000 % 1440;
-- test: idle gaps up to the threshold count whole, longer ones not at all
SELECT assert_equal(list(minutes(ended - began) ORDER BY began), [20, 5]) FROM interval_rows();
SELECT assert_equal(list(minutes(ended - began) ORDER BY began), [20]) FROM interval_rows(idle_seconds := 299);
SELECT assert_equal(list(minutes(ended - began) ORDER BY began), [20, 5, 5]) FROM interval_rows(idle_seconds := 301);
-- test: a range cuts, and a gap is no shorter for being cut
SELECT assert_equal(list((minutes(began), minutes(ended)) ORDER BY began), [(1435, 0)])
FROM interval_rows(since := '2025-10-01 23:55', until := '2025-10-02');
SELECT assert_equal(count(*), 0::BIGINT)
FROM interval_rows(since := '2025-10-02 00:10', until := '2025-10-02 00:12', idle_seconds := 200);
SELECT assert_equal(count(*), 0::BIGINT) FROM interval_rows(since := '2025-10-02 00:15', idle_seconds := 300);
-- test: days cut at midnight of the book
SELECT assert_equal(
    list((day, minutes(ended - began)) ORDER BY began),
    [(DATE '2025-10-01', 10), (DATE '2025-10-02', 10), (DATE '2025-10-02', 5)]
) FROM interval_rows(daily := true);
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(list((day, minutes(ended - began)) ORDER BY began), [(DATE '2025-10-02', 20), (DATE '2025-10-02', 5)])
FROM interval_rows(daily := true);
-- test: filters
SELECT assert_equal(count(*), 0::BIGINT) FROM interval_rows(project := 'q');
SELECT assert_equal(count(*), 2::BIGINT) FROM interval_rows(node := 'a', idle_seconds := 1000);
