-- warn: A payment is dated before the fact that it pays for
SELECT
    'deployment_costs' AS table_name, cost_id AS id, source, source_key, source_line, load_id,
    amount_usd, incurred_at AS due_at, paid_at
FROM deployment_costs WHERE paid_at < incurred_at
UNION ALL
SELECT
    'node_earnings' AS table_name, earning_id AS id, source, source_key, source_line, load_id,
    amount_usd, earned_at AS due_at, paid_at
FROM node_earnings WHERE paid_at < earned_at
UNION ALL
SELECT
    'subscription_revenue' AS table_name, revenue_id AS id, source, source_key, source_line, load_id,
    amount_usd, billed_at AS due_at, paid_at
FROM subscription_revenue WHERE paid_at < billed_at
ORDER BY ALL;
