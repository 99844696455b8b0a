-- fail: What a message cost does not follow from its tokens and the price it names: it was changed past pnlbook
-- A price that was corrected later stands as it was in history.
WITH messages AS (
    SELECT 'communication_log' AS table_name, * FROM communication_log
    UNION ALL BY NAME SELECT 'communication_log_history' AS table_name, * FROM communication_log_history
),
differing AS (
    SELECT messages.*
    FROM messages LEFT JOIN price_rates('model_prices') AS prices USING (price_id)
    WHERE messages.price_id IS NOT NULL AND messages.cost_usd IS DISTINCT FROM usage_cost(messages, prices)
),
explained AS (
    SELECT differing.message_id, differing.load_id
    FROM differing JOIN price_rates('model_prices_history') AS prices USING (price_id)
    WHERE differing.cost_usd = usage_cost(differing, prices)
)
SELECT table_name, message_id AS id, source, source_key, source_line, load_id, model, price_id, cost_usd
FROM differing ANTI JOIN explained USING (message_id, load_id)
ORDER BY ALL;
