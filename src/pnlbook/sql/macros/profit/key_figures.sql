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
COMMENT ON MACRO TABLE key_figures IS
    'Revenue, costs, net profit and margin of a period and of the period before, with the change';

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
-- test: a whole month against the month before, a day shorter or not
SELECT assert_equal(
    list((figure, unit, amount, previous_amount, change, change_pct)),
    [
        ('revenue', 'USD', 147.00, 0.00, 147.00, NULL), ('costs', 'USD', 10.00, 0.00, 10.00, NULL),
        ('net profit', 'USD', 137.00, 0.00, 137.00, NULL), ('margin', '%', 93.20, NULL, NULL, NULL)
    ]::STRUCT(f VARCHAR, u VARCHAR, a DECIMAL(38, 12), p DECIMAL(38, 12), c DECIMAL(38, 12), q DECIMAL(38, 2))[]
) FROM key_figures(since := '2025-11-01', until := '2025-12-01');
-- test: two months against the two before
SELECT assert_equal((amount, previous_amount, change_pct), (137.00, 90.00, 52.22)::STRUCT(
    a DECIMAL(38, 12), p DECIMAL(38, 12), q DECIMAL(38, 2)
)) FROM key_figures(since := '2025-10-01', until := '2025-12-01') WHERE figure = 'net profit';
SELECT assert_equal((previous_since, previous_until), (instant('2025-08-01'), instant('2025-10-01')))
FROM key_figures(since := '2025-10-01', until := '2025-12-01') WHERE figure = 'margin';
-- test: without both bounds nothing is said of a period before
SELECT assert_equal(
    (amount, previous_amount, change, change_pct, previous_unpriced_rows, previous_since, previous_until),
    (227.00, NULL, NULL, NULL, NULL, NULL, NULL)::STRUCT(
        a DECIMAL(38, 12), p DECIMAL(38, 12), c DECIMAL(38, 12), q DECIMAL(38, 2), u BIGINT, s TIMESTAMPTZ, t TIMESTAMPTZ
    )
) FROM key_figures() WHERE figure = 'net profit';
SELECT assert_equal(previous_amount, NULL::DECIMAL(38, 12)) FROM key_figures(since := '2025-10-01') WHERE figure = 'costs';
SELECT assert_equal(previous_until, NULL::TIMESTAMPTZ) FROM key_figures(until := '2025-10-01') WHERE figure = 'costs';
-- test: a range without facts has zeros and no margin
SELECT assert_equal(list(amount), [0.00, 0.00, 0.00, NULL]::DECIMAL(38, 12)[])
FROM key_figures(until := '2025-01-01');
