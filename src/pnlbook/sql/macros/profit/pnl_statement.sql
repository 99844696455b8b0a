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

-- tests
INSERT INTO nodes (node_id, node_name, source, source_key, load_id)
VALUES ('a', 'Ada', 's', 'a', 1), ('b', NULL, 's', 'b', 1);
INSERT INTO node_earnings BY NAME
SELECT *, 1 AS token_amount, 'milestone' AS payment_type, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 100.00, 100.00, NULL, false, 'paid', '2025-09-15 00:00:00+00'),
    (2, 'a', 'p', 100.00, 100.00, NULL, false, 'pending', '2025-11-15 00:00:00+00'),
    (3, 'a', 'q', NULL, 40.00, NULL, true, 'paid', '2025-11-16 00:00:00+00'),
    (4, 'x', 'q', 0.00, 0.00, NULL, false, 'paid', '2025-11-15 00:00:00+00'),
    (5, NULL, NULL, NULL, NULL, 'SOL', false, 'paid', '2025-11-15 00:00:00+00'),
    (6, 'a', 'p', 900.00, 900.00, NULL, false, 'failed', '2025-11-15 00:00:00+00')
) v(earning_id, node_id, project_id, gross_amount_usd, amount_usd, token, net_of_costs, payment_status, earned_at);
INSERT INTO deployment_costs BY NAME
SELECT *, 1 AS token_amount, 's' AS source, cost_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', 'akash', 10.00, NULL, '2025-09-16 00:00:00+00'),
    (2, 'a', 'p', 'akash', 10.00, NULL, '2025-11-01 00:00:00+00'),
    (3, 'a', 'q', 'arweave', 5.00, NULL, '2025-11-02 00:00:00+00'),
    (4, 'x', NULL, 'akash', NULL, 'AKT', '2025-11-03 00:00:00+00')
) v(cost_id, node_id, project_id, category, amount_usd, token, incurred_at);
INSERT INTO marketplace_revenue (
    revenue_id, project_id, amount_usd, fee_type, collected_at, source, source_key, load_id
)
VALUES (1, 'p', 7.00, 'platform_fee', '2025-11-05 00:00:00+00', 's', '1', 1);
-- test: the lines of a period, costs carried by net payments as a negative one
SELECT assert_equal(
    list((section, kind, amount_usd, rows, unpriced_rows)),
    [
        ('revenue', 'milestone', 140.00, 4, 1), ('revenue', 'platform_fee', 7.00, 1, 0),
        ('cost', 'akash', 10.00, 2, 1), ('cost', 'arweave', 5.00, 1, 0), ('cost', 'carried', -5.00, 1, 0),
        ('cost', 'deducted at source', 0.00, 1, 0), ('net', 'net', 137.00, 8, 2)
    ]::STRUCT(s VARCHAR, k VARCHAR, a DECIMAL(38, 12), r BIGINT, u BIGINT)[]
) FROM pnl_statement(since := '2025-11-01');
-- test: revenue less cost is the net line at every grain, and every grain has the same total
SELECT assert_equal(sum(CASE section WHEN 'revenue' THEN amount_usd WHEN 'cost' THEN -amount_usd END), 227.00::DECIMAL(38, 12))
FROM pnl_statement('day');
SELECT assert_equal(sum(amount_usd) FILTER (section = 'net'), 227.00::DECIMAL(38, 12)) FROM pnl_statement('week');
SELECT assert_equal(sum(amount_usd) FILTER (section = 'net'), 227.00::DECIMAL(38, 12)) FROM pnl_statement('quarter');
SELECT assert_equal(sum(amount_usd) FILTER (section = 'net'), 227.00::DECIMAL(38, 12)) FROM pnl_statement('year');
-- test: weeks begin on Monday, quarters and years on their first day
SELECT assert_equal(list(DISTINCT period_start ORDER BY period_start)[1], DATE '2025-09-15') FROM pnl_statement('week');
SELECT assert_equal(list(DISTINCT period_start ORDER BY period_start), [DATE '2025-07-01', '2025-10-01'])
FROM pnl_statement('quarter');
SELECT assert_equal(list(DISTINCT period_start), [DATE '2025-01-01']) FROM pnl_statement('year');
-- test: a cost category called like a kind of revenue stays a cost
INSERT INTO deployment_costs (cost_id, category, amount_usd, incurred_at, source, source_key, load_id)
VALUES (91, 'milestone', 5.00, '2024-09-01 00:00:00+00', 's', '91', 1);
SELECT assert_equal(list((section, kind, amount_usd)), [('cost', 'milestone', 5.00), ('net', 'net', -5.00)]
    ::STRUCT(s VARCHAR, k VARCHAR, a DECIMAL(38, 12))[]
) FROM pnl_statement(until := '2025-01-01');
-- test: a cost category called model and what messages cost are one line
INSERT INTO deployment_costs (cost_id, category, amount_usd, incurred_at, source, source_key, load_id)
VALUES (91, 'model', 5.00, '2024-09-01 00:00:00+00', 's', '91', 1);
INSERT INTO communication_log (message_id, role, output_tokens, cost_usd, sent_at, source, source_key, load_id)
VALUES
    ('1', 'assistant', 1, 0.25, '2024-09-02 00:00:00+00', 's', '1', 1),
    ('2', 'assistant', 1, NULL, '2024-09-02 00:00:00+00', 's', '2', 1);
SELECT assert_equal(
    list((section, kind, amount_usd, rows, unpriced_rows)), [('cost', 'model', 5.25, 3, 1), ('net', 'net', -5.25, 3, 1)]
        ::STRUCT(s VARCHAR, k VARCHAR, a DECIMAL(38, 12), r BIGINT, u BIGINT)[]
) FROM pnl_statement(until := '2025-01-01');
