-- One row a line, so that any pivot or chart can be made of it: lines of revenue and cost add up to the net line of
-- their period. What payments net of costs carry already is a negative cost.
CREATE OR REPLACE MACRO pnl_statement(
    grain := 'month', since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    WITH sums AS (
        SELECT
            period_start(grain, in_bucket) AS of_period, family, of_part,
            family IN ('earnings', 'fees', 'subscriptions') AS revenue,
            sum(revenue_usd) AS revenue_usd, sum(cost_usd) AS cost_usd,
            sum(facts) AS facts, sum(unpriced) AS unpriced
        FROM fact_sums(
            kind, time_slot(counted_at),
            since := since, until := until, basis := basis, as_of := as_of, node := node, project := project
        )
        GROUP BY ALL
        UNION ALL BY NAME
        SELECT NULL::VARCHAR AS family WHERE NOT known_grain(grain)
    ), lines AS (
        SELECT of_period, unnest([
            {
                section: CASE WHEN revenue THEN 'revenue' ELSE 'cost' END,
                kind: CASE family
                    WHEN 'deducted' THEN 'deducted at source' WHEN 'carried' THEN 'carried' ELSE of_part
                END,
                amount: CASE WHEN revenue THEN revenue_usd ELSE cost_usd END, facts: facts, unpriced: unpriced
            },
            {
                section: 'net', kind: 'net', amount: net(revenue_usd, cost_usd),
                facts: CASE WHEN family IN ('deducted', 'carried') THEN 0 ELSE facts END, unpriced: unpriced
            }
        ]) AS line
        FROM sums
    )
    FROM (
        SELECT
            of_period AS period_start, line.section AS section, line.kind AS kind, sum(line.amount) AS amount_usd,
            sum(line.facts)::BIGINT AS rows, sum(line.unpriced)::BIGINT AS unpriced_rows
        FROM lines
        GROUP BY ALL
    )
    ORDER BY period_start, CASE section WHEN 'revenue' THEN 1 WHEN 'cost' THEN 2 ELSE 3 END, kind;
COMMENT ON MACRO TABLE pnl_statement IS 'Profit and loss by day, week, month, quarter or year, one row for each line';
