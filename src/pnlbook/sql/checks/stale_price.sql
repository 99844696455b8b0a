-- warn: The newest price of a token was too old when the token was used: load its prices
-- Only facts after a token's first gap between prices take part in the ASOF join, which has to sort them.
-- A token without any price until then is no matter of age; check unpriced shows it.
WITH gaps AS (
    SELECT
        token, priced_at, lead(priced_at) OVER (PARTITION BY token ORDER BY priced_at) AS next_at,
        (SELECT coalesce(max(value), '7 days')::INTERVAL FROM book_settings WHERE name = 'price_max_age') AS max_age
    FROM token_prices
    QUALIFY next_at IS NULL OR next_at - priced_at > max_age
),
facts AS (
    SELECT 'node_earnings' AS table_name, token, earned_at AS used_at, amount_usd FROM node_earnings
    UNION ALL SELECT 'deployment_costs', token, incurred_at, amount_usd FROM deployment_costs
    UNION ALL SELECT 'marketplace_revenue', token, collected_at, amount_usd FROM marketplace_revenue
    UNION ALL SELECT 'subscription_revenue', token, billed_at, amount_usd FROM subscription_revenue
)
SELECT
    f.table_name, f.token, g.priced_at AS newest_price_at, count(*) AS rows,
    count(*) FILTER (f.amount_usd IS NULL) AS unpriced_rows, min(f.used_at) AS first_at, max(f.used_at) AS last_at
FROM (
    SELECT facts.*
    FROM facts JOIN (SELECT token, min(priced_at) AS since FROM gaps GROUP BY token) AS first_gap USING (token)
    WHERE facts.used_at > first_gap.since AND token <> 'USD'
) AS f ASOF JOIN gaps AS g ON f.token = g.token AND f.used_at >= g.priced_at
WHERE f.used_at - g.priced_at > g.max_age AND (g.next_at IS NULL OR f.used_at < g.next_at)
GROUP BY ALL
ORDER BY ALL;
