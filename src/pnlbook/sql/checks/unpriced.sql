-- warn: The USD value of a fact is not known: sums leave it out and count it as unpriced. Load prices of its token or model
WITH facts AS (
    SELECT 'deployment_costs' AS table_name, token, amount_usd, incurred_at AS fact_at, load_id FROM deployment_costs
    UNION ALL SELECT 'marketplace_revenue', token, amount_usd, collected_at, load_id FROM marketplace_revenue
    UNION ALL SELECT 'node_earnings', token, amount_usd, earned_at, load_id FROM node_earnings
    UNION ALL SELECT 'subscription_revenue', token, amount_usd, billed_at, load_id FROM subscription_revenue
    UNION ALL SELECT 'arweave_backups', 'SOL', cost_usd, created_at, NULL FROM arweave_backups
    UNION ALL SELECT 'communication_log', model, cost_usd, sent_at, load_id
    FROM communication_log WHERE has_tokens(communication_log)
)
SELECT
    table_name, token AS token_or_model, count(*) AS rows, min(fact_at) AS first_at, max(fact_at) AS last_at,
    min(load_id) AS first_load_id, max(load_id) AS last_load_id
FROM facts
WHERE amount_usd IS NULL
GROUP BY ALL
ORDER BY ALL;
