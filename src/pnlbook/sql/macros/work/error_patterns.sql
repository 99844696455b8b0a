-- Importers write messages without numbers, paths and quotations, so equal errors have equal messages.
CREATE OR REPLACE MACRO error_patterns(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        error_class, error_type, tool_name, error_message,
        count(*) AS errors,
        percent(count(*), sum(count(*)) OVER ()) AS share_pct,
        count(DISTINCT session_id) AS sessions,
        count(DISTINCT node_id) AS nodes,
        count(DISTINCT subject) AS subjects,
        min(subject) AS example_subject,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at,
        count(*) FILTER (resolved) AS resolved,
        count(*) FILTER (NOT resolved) AS unresolved,
        count(*) FILTER (resolved IS NULL) AS resolution_unknown
    FROM work_rows(
        'error_log', occurred_at, since := since, until := until, as_of := as_of, node := node, project := project
    )
    GROUP BY ALL
    ORDER BY errors DESC, last_at DESC, error_class, error_type, tool_name, error_message;
COMMENT ON MACRO TABLE error_patterns IS 'Errors that are alike: how many, where and when, and how many were resolved';
