-- Facts summed by hour (right in zones of whole hours), and those turned into months; carried costs by a scan of their own.
WITH pairs AS (
    SELECT node_id, project_id, max(earned_at) AS carried_until
    FROM node_earnings
    WHERE net_of_costs AND payment_status <> 'failed' AND node_id IS NOT NULL AND project_id IS NOT NULL
    GROUP BY node_id, project_id
), facts AS (
    SELECT epoch_us(earned_at) // 3600000000 AS slot,
        sum(coalesce(gross_amount_usd, amount_usd)) AS earned, count(*) AS earneds,
        sum(gross_amount_usd - amount_usd) FILTER (net_of_costs) AS deducted,
        count(*) FILTER (net_of_costs AND gross_amount_usd IS NOT NULL) AS deducteds,
        count(*) - count(coalesce(gross_amount_usd, amount_usd)) AS unpriced
    FROM node_earnings
    WHERE payment_status <> 'failed'
    GROUP BY slot
    UNION ALL BY NAME
    SELECT epoch_us(incurred_at) // 3600000000 AS slot, sum(amount_usd) AS spent, count(*) AS spents,
        count(*) - count(amount_usd) AS unpriced
    FROM deployment_costs
    WHERE payment_status <> 'failed'
    GROUP BY slot
    UNION ALL BY NAME
    SELECT epoch_us(incurred_at) // 3600000000 AS slot, sum(amount_usd) AS carried
    FROM deployment_costs JOIN pairs USING (node_id, project_id)
    WHERE payment_status <> 'failed' AND incurred_at <= carried_until
    GROUP BY slot
    UNION ALL BY NAME
    SELECT epoch_us(collected_at) // 3600000000 AS slot, sum(amount_usd) AS fee, count(*) AS fees,
        count(*) - count(amount_usd) AS unpriced
    FROM marketplace_revenue
    GROUP BY slot
    UNION ALL BY NAME
    SELECT epoch_us(billed_at) // 3600000000 AS slot, sum(amount_usd) AS bill, count(*) AS bills,
        count(*) - count(amount_usd) AS unpriced
    FROM subscription_revenue
    WHERE payment_status <> 'failed'
    GROUP BY slot
    UNION ALL BY NAME
    SELECT epoch_us(created_at) // 3600000000 AS slot, sum(cost_usd) AS backup, count(*) AS backups,
        count(*) - count(cost_usd) AS unpriced
    FROM arweave_backups
    GROUP BY slot
    UNION ALL BY NAME
    SELECT epoch_us(sent_at) // 3600000000 AS slot, sum(cost_usd) AS model, count(*) AS models,
        count(*) - count(cost_usd) AS unpriced
    FROM communication_log
    WHERE cost_usd IS NOT NULL OR input_tokens <> 0 OR cache_read_tokens <> 0 OR cache_write_5m_tokens <> 0
        OR cache_write_1h_tokens <> 0 OR output_tokens <> 0
    GROUP BY slot
), sums AS (
    SELECT date_trunc('month', make_timestamptz(slot * 3600000000) AT TIME ZONE 'UTC')::DATE AS month,
        if(sum(earneds) > 0, sum(earned), 0) AS earned, if(sum(fees) > 0, sum(fee), 0) AS fee,
        if(sum(bills) > 0, sum(bill), 0) AS bill, if(sum(spents) > 0, sum(spent), 0) AS spent,
        if(sum(deducteds) > 0, sum(deducted), 0) AS deducted, if(sum(backups) > 0, sum(backup), 0) AS backup,
        if(sum(models) > 0, sum(model), 0) AS model,
        coalesce(sum(carried), 0) AS carried, sum(unpriced)::BIGINT AS unpriced,
        coalesce(sum(earned), 0) + coalesce(sum(fee), 0) + coalesce(sum(bill), 0) AS revenue,
        coalesce(sum(spent), 0) + coalesce(sum(deducted), 0) + coalesce(sum(backup), 0)
            + coalesce(sum(model), 0)
            - coalesce(sum(carried), 0) AS cost
    FROM facts
    GROUP BY month
), months AS (
    SELECT unnest(generate_series(min(month), max(month), INTERVAL 1 MONTH))::DATE AS month FROM sums
)
SELECT month, coalesce(earned, 0) AS node_earnings_usd, coalesce(fee, 0) AS marketplace_fees_usd,
    coalesce(bill, 0) AS subscription_revenue_usd, coalesce(revenue, 0) AS total_revenue_usd,
    coalesce(spent, 0) AS deployment_costs_usd, coalesce(deducted, 0) AS deducted_at_source_usd,
    coalesce(backup, 0) AS backup_costs_usd, coalesce(model, 0) AS model_costs_usd,
    coalesce(carried, 0) AS costs_carried_usd,
    coalesce(cost, 0) AS total_costs_usd, coalesce(revenue - cost, 0) AS net_profit_usd,
    round((revenue - cost) * 100 / nullif(revenue, 0), 2) AS profit_margin_pct,
    net_profit_usd - lag(net_profit_usd) OVER (ORDER BY month) AS net_change_usd,
    round(net_change_usd * 100 / nullif(abs(lag(net_profit_usd) OVER (ORDER BY month)), 0), 2) AS net_change_pct,
    coalesce(unpriced, 0) AS unpriced_rows
FROM months LEFT JOIN sums USING (month)
ORDER BY month DESC
