-- One row a line, so that any pivot or chart can be made of it: lines of revenue and cost add up to the net line of
-- their period. What payments net of costs carry already is a negative cost.
CREATE OR REPLACE MACRO pnl_statement(
    grain := 'month', since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH sums AS (
        SELECT *, period_start(grain, in_bucket) AS of_period
        FROM fact_sums(
            kind, quarter_hour(counted_at),
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
        UNION ALL BY NAME
        SELECT NULL::VARCHAR AS family WHERE NOT known_grain(grain)
    ), lines AS (
        SELECT
            of_period AS period_start,
            CASE WHEN family IN ('earnings', 'fees', 'subscriptions') THEN 'revenue' ELSE 'cost' END AS section,
            CASE family WHEN 'deducted' THEN 'deducted at source' WHEN 'carried' THEN 'carried' ELSE of_part END
                AS kind,
            known_sum(coalesce(revenue_usd, cost_usd), true) AS amount_usd,
            sum(facts)::BIGINT AS rows,
            sum(unpriced)::BIGINT AS unpriced_rows
        FROM sums
        GROUP BY ALL
        UNION ALL BY NAME
        SELECT
            of_period AS period_start, 'net' AS section, 'net' AS kind,
            known_sum(coalesce(revenue_usd, -cost_usd), true) AS amount_usd,
            coalesce(sum(facts) FILTER (family NOT IN ('deducted', 'carried')), 0)::BIGINT AS rows,
            sum(unpriced)::BIGINT AS unpriced_rows
        FROM sums
        GROUP BY ALL
    )
    SELECT period_start, section, kind, amount_usd, rows, unpriced_rows FROM lines
    ORDER BY period_start, CASE section WHEN 'revenue' THEN 1 WHEN 'cost' THEN 2 ELSE 3 END, kind;
COMMENT ON MACRO TABLE pnl_statement IS 'Profit and loss by day, week, month, quarter or year, one row for each line';
