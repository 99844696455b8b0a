-- fail: An earning's amount is not its gross amount less the costs deducted
-- History has no constraint of its own, and as_of counts it.
SELECT
    table_name, earning_id AS id, source, source_key, load_id, gross_amount_usd, costs_deducted_usd, amount_usd,
    gross_amount_usd - costs_deducted_usd - amount_usd AS missing_usd
FROM (
    SELECT 'node_earnings' AS table_name, * FROM node_earnings
    UNION ALL BY NAME SELECT 'node_earnings_history' AS table_name, * FROM node_earnings_history
)
WHERE amount_usd <> gross_amount_usd - costs_deducted_usd
ORDER BY ALL;
