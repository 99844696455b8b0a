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
        WHERE (kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= idle_seconds * 1000000)
            AND (since IS NULL OR ended_at > instant(since))
            AND (until IS NULL OR started_at < instant(until))
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
        SELECT *, unnest(range(
            period_start('day', time_slot(make_timestamptz(began))),
            period_start('day', time_slot(make_timestamptz(ended - 1))) + 1,
            INTERVAL 1 DAY
        ))::DATE AS day
        FROM counted
        WHERE daily
    );
COMMENT ON MACRO TABLE interval_rows IS 'Intervals of work that count, cut to a range and, if asked, to days';
