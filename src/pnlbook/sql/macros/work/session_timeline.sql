-- One row for each interval of a stream, as a chart draws it, idle gaps beyond the threshold too (counted = false). A
-- session of whose time nothing is known has a row without an end.
CREATE OR REPLACE MACRO session_timeline(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, idle_seconds := 300
) AS TABLE
    WITH drawn AS (
        SELECT
            session_id, agent_id, node_id, project_id, kind,
            CASE WHEN since IS NULL THEN started_at ELSE greatest(started_at, instant(since)) END AS started_at,
            CASE WHEN until IS NULL THEN ended_at ELSE least(ended_at, instant(until)) END AS ended_at,
            kind = 'busy' OR epoch_us(ended_at) - epoch_us(started_at) <= idle_seconds * 1000000 AS counted
        FROM timeline_rows(as_of := as_of) AS stood
        WHERE (since IS NULL OR stood.ended_at > instant(since))
            AND (until IS NULL OR stood.started_at < instant(until))
            AND (node IS NULL OR node_id = node)
            AND (project IS NULL OR project_id = project)
        UNION ALL
        SELECT session_id, '' AS agent_id, node_id, project_id, 'unknown' AS kind, started_at, NULL, false AS counted
        FROM timeless_sessions(since := since, until := until, as_of := as_of, node := node, project := project)
    )
    SELECT
        drawn.session_id, drawn.agent_id, drawn.node_id,
        CASE WHEN nodes.node_id IS NULL THEN 'unattributed' ELSE coalesce(nodes.node_name, nodes.node_id) END AS node_name,
        drawn.project_id,
        CASE WHEN projects.project_id IS NULL THEN 'unattributed'
            ELSE coalesce(projects.project_name, projects.project_id) END AS project_name,
        sessions.session_type, sessions.status, sessions.agent, sessions.description,
        drawn.kind, drawn.counted, drawn.started_at, drawn.ended_at,
        ((epoch_us(drawn.ended_at) - epoch_us(drawn.started_at)) * 0.000001::DECIMAL(7, 6))::DECIMAL(18, 6) AS seconds
    FROM drawn
    LEFT JOIN as_loaded('work_sessions', as_of := as_of) AS sessions USING (session_id)
    LEFT JOIN as_loaded('nodes', as_of := as_of) AS nodes ON drawn.node_id = nodes.node_id
    LEFT JOIN as_loaded('projects', as_of := as_of) AS projects ON drawn.project_id = projects.project_id
    ORDER BY drawn.started_at, drawn.session_id, drawn.agent_id;
COMMENT ON MACRO TABLE session_timeline IS
    'When each stream of each session was at work, waited for a person, or is not known to have been at work';
