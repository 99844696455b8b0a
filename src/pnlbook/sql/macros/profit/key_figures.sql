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
    ), periods AS (
        SELECT
            coalesce(present.unpriced_rows, 0) AS unpriced_rows,
            zero_without(present.facts, present.total_revenue_usd) AS revenue,
            zero_without(present.facts, present.total_costs_usd) AS costs,
            zero_without(present.facts, present.net_profit_usd) AS net,
            CASE WHEN has_past THEN coalesce(past.unpriced_rows, 0) END AS past_unpriced_rows,
            CASE WHEN has_past THEN zero_without(past.facts, past.total_revenue_usd) END AS past_revenue,
            CASE WHEN has_past THEN zero_without(past.facts, past.total_costs_usd) END AS past_costs,
            CASE WHEN has_past THEN zero_without(past.facts, past.net_profit_usd) END AS past_net
        FROM (SELECT since IS NOT NULL AND until IS NOT NULL AS has_past)
        LEFT JOIN present ON true LEFT JOIN past ON true
    ), lines AS (
        SELECT *, unnest([
            {line: 1, figure: 'revenue', unit: 'USD', amount: revenue, before: past_revenue},
            {line: 2, figure: 'costs', unit: 'USD', amount: costs, before: past_costs},
            {line: 3, figure: 'net profit', unit: 'USD', amount: net, before: past_net},
            {
                line: 4, figure: 'margin', unit: '%',
                amount: percent(revenue - costs, revenue)::DECIMAL(38, 12),
                before: percent(past_revenue - past_costs, past_revenue)::DECIMAL(38, 12)
            }
        ], recursive := true)
        FROM periods
    )
    SELECT
        figure, unit, amount, before AS previous_amount, amount - before AS change,
        CASE WHEN unit = 'USD' THEN percent(amount - before, abs(before)) END AS change_pct,
        unpriced_rows, past_unpriced_rows AS previous_unpriced_rows,
        period_before(since, until) AS previous_since,
        CASE WHEN until IS NOT NULL THEN instant(since) END AS previous_until
    FROM lines
    ORDER BY line;
COMMENT ON MACRO TABLE key_figures IS 'Revenue, costs, net profit and margin of a period and of the period before, with the change';
