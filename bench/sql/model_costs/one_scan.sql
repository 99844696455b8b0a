-- One scan.
SELECT
    model, count(*) AS messages, sum(input_tokens)::BIGINT AS input_tokens,
    sum(cache_read_tokens)::BIGINT AS cache_read_tokens, sum(cache_write_5m_tokens)::BIGINT AS cache_write_5m_tokens,
    sum(cache_write_1h_tokens)::BIGINT AS cache_write_1h_tokens, sum(output_tokens)::BIGINT AS output_tokens,
    sum(cost_usd)::DECIMAL(38, 12) AS cost_usd, count(*) FILTER (usage_final = false) AS messages_not_final,
    count(*) FILTER (cost_usd IS NULL AND input_tokens + cache_read_tokens + cache_write_5m_tokens + output_tokens > 0)
        AS unpriced_messages
FROM communication_log
WHERE role = 'assistant'
GROUP BY model
