-- What a figure of node_profit or node_monthly_profit consists of: revenue_usd and cost_usd of these rows add up to
-- it. A carried cost is shown and costs 0. A NULL node means the facts without one, fees and backups among them.
-- A message that was priced anew has the load that did so, but its line is one of the log that it was read from.
CREATE OR REPLACE MACRO node_source_rows(
    node, since := NULL, until := NULL, basis := 'accrual', as_of := NULL, project := NULL
) AS TABLE
    WITH facts AS (
        SELECT 'node_earnings' AS table_name, earning_id::VARCHAR AS id, *
        FROM earning_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'deployment_costs' AS table_name, cost_id::VARCHAR AS id, costs.*,
            coalesce(costs.incurred_at <= pairs.carried_until, false) AS carried
        FROM cost_rows(since := since, until := until, basis := basis, as_of := as_of, project := project) AS costs
        LEFT JOIN net_pairs(as_of := as_of) AS pairs
            ON costs.node_id = pairs.node_id AND costs.project_id = pairs.project_id
        UNION ALL BY NAME
        SELECT 'marketplace_revenue' AS table_name, revenue_id::VARCHAR AS id, *
        FROM fee_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'subscription_revenue' AS table_name, revenue_id::VARCHAR AS id, *
        FROM subscription_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'arweave_backups' AS table_name, backup_id AS id, *
        FROM backup_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT 'communication_log' AS table_name, message_id AS id, *
        FROM model_rows(since := since, until := until, basis := basis, as_of := as_of, project := project)
        UNION ALL BY NAME
        SELECT node::VARCHAR AS node_id WHERE NOT known_basis(basis)
    ), logs AS (
        SELECT versions.message_id, versions.load_id, loads.location
        FROM communication_log_history AS versions JOIN loads ON versions.load_id = loads.load_id
        WHERE loads.format <> 'reprice'
    )
    SELECT
        facts.table_name,
        facts.id,
        facts.kind,
        facts.project_id,
        facts.counted_at,
        facts.revenue_usd,
        CASE WHEN facts.carried THEN 0 ELSE facts.cost_usd END AS cost_usd,
        coalesce(facts.carried, false) AS carried,
        facts.payment_status,
        facts.source,
        facts.source_key,
        CASE WHEN loads.format = 'reprice' THEN logs.location ELSE loads.location END AS location,
        facts.source_line,
        facts.load_id
    FROM facts
    LEFT JOIN loads ON facts.load_id = loads.load_id
    ASOF LEFT JOIN logs ON facts.id = logs.message_id AND facts.load_id > logs.load_id
    WHERE facts.node_id IS NOT DISTINCT FROM node
    ORDER BY facts.counted_at DESC, facts.table_name, facts.id;
COMMENT ON MACRO TABLE node_source_rows IS
    'The facts behind a node''s figures, newest first, each with its file and line; NULL: the facts without a node';

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
-- test: the rows of a node add up to its figures, a carried cost is shown and costs nothing
SELECT assert_equal(
    (sum(revenue_usd), sum(cost_usd), count(*), count(*) FILTER (carried)),
    (240.00, 20.00, 6, 1)::STRUCT(r DECIMAL(38, 12), c DECIMAL(38, 12), n BIGINT, x BIGINT)
) FROM node_source_rows('a');
-- test: a cost at the very instant of the payment net of costs is carried, one a microsecond later is not
INSERT INTO deployment_costs (cost_id, node_id, project_id, amount_usd, incurred_at, source, source_key, load_id)
VALUES (91, 'a', 'q', 2.00, '2025-11-16 00:00:00+00', 's', '91', 1),
    (92, 'a', 'q', 3.00, '2025-11-16 00:00:00.000001+00', 's', '92', 1);
SELECT assert_equal(
    list((id, carried, cost_usd) ORDER BY id),
    [('3', true, 0.00), ('91', true, 0.00), ('92', false, 3.00)]
        ::STRUCT(i VARCHAR, x BOOLEAN, c DECIMAL(38, 12))[]
) FROM node_source_rows('a', project := 'q') WHERE table_name = 'deployment_costs';
SELECT assert_equal(costs_carried_usd, 7.00::DECIMAL(38, 12)) FROM node_profit() WHERE node_id = 'a';
-- test: without a node, the facts that have none; an unknown node is asked for by its id
SELECT assert_equal(list((table_name, id)), [('node_earnings', '5'), ('marketplace_revenue', '1')])
FROM node_source_rows(NULL);
SELECT assert_equal(list((table_name, id)), [('node_earnings', '4'), ('deployment_costs', '4')]) FROM node_source_rows('x');
-- test: each row names its file and line
UPDATE node_earnings SET source_line = 7;
INSERT INTO loads (
    load_id, batch_id, status, table_name, source, location, format, started_at, committed_at, loaded_by, program_version
)
VALUES (1, 1, 'loaded', 'node_earnings', 's', 'in/earnings.csv', 'csv', now(), now(), 'me', '1');
SELECT assert_equal(list((location, source_line, source_key)), [('in/earnings.csv', 7, '1')])
FROM node_source_rows('a', until := '2025-09-16');
-- test: messages with what their models cost; one priced anew is still in the log that it was read from
INSERT INTO loads BY NAME
SELECT *, load_id AS batch_id, 'loaded' AS status, 'work log' AS table_name, 's' AS source, now() AS started_at,
    now() AS committed_at, 'me' AS loaded_by, '1' AS program_version
FROM (VALUES (2, 'a.jsonl', 'claude-code'), (3, 'b.jsonl', 'claude-code'), (4, 'r', 'reprice'), (5, 'r', 'reprice'))
    v(load_id, location, format);
INSERT INTO communication_log_history BY NAME
SELECT *, 'assistant' AS role, '2025-11-03 00:00:00+00' AS sent_at, 's' AS source, message_id AS source_key,
    12 AS source_line
FROM (VALUES ('4', 2, 3), ('4', 3, 4), ('4', 4, 5)) v(message_id, load_id, superseded_by);
INSERT INTO communication_log BY NAME
SELECT *, 'x' AS node_id, 'assistant' AS role, '2025-11-03 00:00:00+00' AS sent_at, 7 AS output_tokens, 's' AS source,
    message_id AS source_key, 12 AS source_line
FROM (VALUES ('4', 5, 0.25), ('m', 2, NULL)) v(message_id, load_id, cost_usd);
SELECT assert_equal(
    list((id, kind, cost_usd, location, source_line, load_id) ORDER BY id),
    [('4', 'model', 0.25, 'b.jsonl', 12, 5), ('m', 'model', NULL, 'a.jsonl', 12, 2)]
        ::STRUCT(i VARCHAR, k VARCHAR, c DECIMAL(24, 12), p VARCHAR, s BIGINT, l BIGINT)[]
) FROM node_source_rows('x') WHERE table_name = 'communication_log';
