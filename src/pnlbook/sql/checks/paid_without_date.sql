-- warn: A payment was made on a day that nobody recorded: on the basis cash it counts on the day it was due
SELECT
    'deployment_costs' AS table_name, cost_id AS id, source, source_key, source_line, load_id,
    amount_usd, incurred_at AS due_at
FROM deployment_costs WHERE payment_status = 'paid' AND paid_at IS NULL
UNION ALL
SELECT
    'node_earnings' AS table_name, earning_id AS id, source, source_key, source_line, load_id,
    amount_usd, earned_at AS due_at
FROM node_earnings WHERE payment_status = 'paid' AND paid_at IS NULL
UNION ALL
SELECT
    'subscription_revenue' AS table_name, revenue_id AS id, source, source_key, source_line, load_id,
    amount_usd, billed_at AS due_at
FROM subscription_revenue WHERE payment_status = 'paid' AND paid_at IS NULL
ORDER BY ALL;
