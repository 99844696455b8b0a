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
            FROM work_rows(
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
