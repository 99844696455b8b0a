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
    FROM event_rows(
        'error_log', occurred_at, since := since, until := until, as_of := as_of, node := node, project := project
    )
    GROUP BY ALL
    ORDER BY errors DESC, last_at DESC, error_class, error_type, tool_name, error_message;
COMMENT ON MACRO TABLE error_patterns IS 'Errors that are alike: how many, where and when, and how many were resolved';

-- tests
INSERT INTO error_log BY NAME
SELECT *, 's' AS source, error_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 's', 'a', 'test', 'N failed', 'f', true, '2025-10-01 00:00:00+00'),
    (2, 't', 'a', 'test', 'N failed', 'g', false, '2025-10-02 00:00:00+00'),
    (3, 't', NULL, 'test', 'N failed', 'g', NULL, '2025-10-03 00:00:00+00'),
    (4, NULL, NULL, 'api', NULL, NULL, NULL, '2025-10-03 00:00:00+00')
) v(error_id, session_id, node_id, error_type, error_message, subject, resolved, occurred_at);
-- test: alike errors together, the most frequent first, with their share
SELECT assert_equal(
    list((error_type, error_message, errors, share_pct, sessions, nodes, subjects, resolved, unresolved, resolution_unknown)),
    [('test', 'N failed', 3, 75, 2, 1, 2, 1, 1, 1), ('api', NULL, 1, 25, 0, 0, 0, 0, 0, 1)]::STRUCT(
        t VARCHAR, m VARCHAR, e BIGINT, p DECIMAL(38, 2), s BIGINT, n BIGINT, j BIGINT, r BIGINT, u BIGINT, k BIGINT
    )[]
) FROM error_patterns();
SELECT assert_equal((first_at, last_at), (instant('2025-10-02'), instant('2025-10-03')))
FROM error_patterns(since := '2025-10-02') WHERE error_type = 'test';
