-- The median is over what was resolved, a duration that was measured; what never was is counted beside it.
CREATE OR REPLACE MACRO error_resolution(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, by_tool := false, by_class := false
) AS TABLE
    SELECT
        CASE WHEN by_tool THEN tool_name END AS tool_name,
        CASE WHEN by_class THEN error_class END AS error_class,
        count(*) AS episodes,
        sum(failures)::BIGINT AS failures,
        count(resolved_at) AS resolved,
        count(*) - count(resolved_at) AS unresolved,
        percent(count(*) - count(resolved_at), count(*)) AS unresolved_pct,
        quantile_disc(seconds, 0.5) AS median_seconds
    FROM error_episodes(since := since, until := until, as_of := as_of, node := node, project := project)
    GROUP BY ALL HAVING count(*) > 0
    ORDER BY episodes DESC, tool_name, error_class;
COMMENT ON MACRO TABLE error_resolution IS
    'How long failures took to be resolved and how many never were, in all or by tool or class of error';
