-- The head of a report. Without both bounds there is no period before, and all that is said of it is NULL. The
-- margin is in percent and its change in percentage points.
CREATE OR REPLACE MACRO key_figures(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH present AS (
        FROM sums_by(
            NULL, NULL, NULL,
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
    ), past AS (
        SELECT *
        FROM sums_by(
            NULL, NULL, NULL,
            since := period_before(since, until), until := instant(since),
            basis := basis, as_of := as_of, node := node, project := project
        )
        WHERE since IS NOT NULL AND until IS NOT NULL
    ), periods AS MATERIALIZED (
        SELECT
            zero_without(present.facts, present.total_revenue_usd) AS revenue,
            zero_without(present.facts, present.total_costs_usd) AS costs,
            zero_without(present.facts, present.net_profit_usd) AS net,
            percent(present.total_revenue_usd - present.total_costs_usd, present.total_revenue_usd)
                ::DECIMAL(38, 12) AS margin,
            zero_without(present.facts, present.unpriced_rows) AS unpriced_rows,
            period_before(since, until) AS previous_since,
            since IS NOT NULL AND until IS NOT NULL AS has_past,
            CASE WHEN has_past THEN instant(since) END AS previous_until,
            CASE WHEN has_past THEN zero_without(past.facts, past.total_revenue_usd) END AS past_revenue,
            CASE WHEN has_past THEN zero_without(past.facts, past.total_costs_usd) END AS past_costs,
            CASE WHEN has_past THEN zero_without(past.facts, past.net_profit_usd) END AS past_net,
            percent(past.total_revenue_usd - past.total_costs_usd, past.total_revenue_usd)
                ::DECIMAL(38, 12) AS past_margin,
            CASE WHEN has_past THEN zero_without(past.facts, past.unpriced_rows) END AS past_unpriced_rows
        FROM (VALUES (1)) AS one(line) LEFT JOIN present ON true LEFT JOIN past ON true
    ), figures AS (
        SELECT 1 AS line, 'revenue' AS figure, 'USD' AS unit, revenue AS amount, past_revenue AS past_amount, *
        FROM periods
        UNION ALL
        SELECT 2, 'costs', 'USD', costs, past_costs, * FROM periods
        UNION ALL
        SELECT 3, 'net profit', 'USD', net, past_net, * FROM periods
        UNION ALL
        SELECT 4, 'margin', '%', margin, past_margin, * FROM periods
    )
    SELECT
        figure, unit, amount, past_amount AS previous_amount, amount - past_amount AS change,
        CASE WHEN unit = 'USD' THEN percent(amount - past_amount, abs(past_amount)) END AS change_pct,
        unpriced_rows, past_unpriced_rows AS previous_unpriced_rows, previous_since, previous_until
    FROM figures
    ORDER BY line;
COMMENT ON MACRO TABLE key_figures IS 'Revenue, costs, net profit and margin of a period and of the period before, with the change';
