-- Where the usage of a message is not final, its counts are lower bounds; with one such message, or one without counts
-- or without a price, the figures are "at least". Messages of persons cost nothing and are left out, unless they bring
-- counts or a cost.
CREATE OR REPLACE MACRO model_costs(
    since := NULL, until := NULL, as_of := NULL, node := NULL, project := NULL, by_node := false, by_project := false
) AS TABLE
    WITH sums AS (
        SELECT
            model,
            CASE WHEN by_node THEN node_id END AS node_id,
            CASE WHEN by_project THEN project_id END AS project_id,
            count(*) AS messages,
            sum(input_tokens)::BIGINT AS input_tokens,
            sum(cache_read_tokens)::BIGINT AS cache_read_tokens,
            sum(cache_write_5m_tokens)::BIGINT AS cache_write_5m_tokens,
            sum(cache_write_1h_tokens)::BIGINT AS cache_write_1h_tokens,
            sum(output_tokens)::BIGINT AS output_tokens,
            sum(cost_usd)::DECIMAL(38, 12) AS cost_usd,
            min(cost_basis) AS first_basis,
            max(cost_basis) AS last_basis,
            count(*) FILTER (cost_usd IS NULL AND used.any_tokens > 0) AS unpriced_messages,
            count(*) FILTER (usage_final = false) AS messages_not_final,
            count(*) FILTER (any_tokens IS NULL) AS messages_without_tokens
        FROM (
            SELECT
                *,
                greatest(
                    input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens
                ) AS any_tokens
            FROM event_rows(
                'communication_log', sent_at,
                since := since, until := until, as_of := as_of, node := node, project := project
            )
        ) AS used
        WHERE role = 'assistant' OR any_tokens IS NOT NULL OR cost_usd IS NOT NULL
        GROUP BY ALL
    )
    SELECT
        model, node_id, project_id, messages, input_tokens, cache_read_tokens, cache_write_5m_tokens,
        cache_write_1h_tokens, output_tokens, cost_usd,
        CASE WHEN first_basis = last_basis THEN first_basis WHEN first_basis < last_basis THEN 'mixed' END AS cost_basis,
        unpriced_messages, messages_not_final, messages_without_tokens,
        unpriced_messages + messages_not_final + messages_without_tokens > 0 AS at_least
    FROM sums
    ORDER BY cost_usd DESC NULLS LAST, output_tokens DESC NULLS LAST, model, node_id, project_id;
COMMENT ON MACRO TABLE model_costs IS
    'Tokens of every kind and their cost by model and, if asked, by node or project; whether that is only a lower bound';

-- tests
INSERT INTO communication_log BY NAME
SELECT *, '2025-10-01 00:00:00+00' AS sent_at, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'user', NULL, NULL, NULL, NULL, NULL, NULL), ('2', 'a', 'assistant', 'm', 10, 5, true, 0.50, 'list'),
    ('3', 'b', 'assistant', 'm', 10, 5, true, 0.50, 'estimate'), ('4', 'a', 'assistant', 'n', NULL, 5, false, NULL, NULL),
    ('5', 'a', 'assistant', 'n', 0, 0, true, NULL, NULL), ('6', NULL, 'assistant', NULL, NULL, NULL, NULL, NULL, NULL)
) v(message_id, node_id, role, model, input_tokens, output_tokens, usage_final, cost_usd, cost_basis);
-- test: what is not known is counted and makes the figures lower bounds
SELECT assert_equal(
    list((model, messages, input_tokens, output_tokens, cost_usd, cost_basis, unpriced_messages, messages_not_final,
        messages_without_tokens, at_least)),
    [
        ('m', 2, 20, 10, 1, 'mixed', 0, 0, 0, false), ('n', 2, 0, 5, NULL, NULL, 1, 1, 0, true),
        (NULL, 1, NULL, NULL, NULL, NULL, 0, 0, 1, true)
    ]::STRUCT(
        m VARCHAR, n BIGINT, i BIGINT, o BIGINT, c DECIMAL(38, 12), b VARCHAR, u BIGINT, f BIGINT, w BIGINT, a BOOLEAN
    )[]
) FROM model_costs();
-- test: by node too
SELECT assert_equal(
    list((model, node_id, cost_basis) ORDER BY model, node_id),
    [('m', 'a', 'list'), ('m', 'b', 'estimate'), ('n', 'a', NULL), (NULL, NULL, NULL)]
) FROM model_costs(by_node := true);
