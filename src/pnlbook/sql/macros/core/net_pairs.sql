-- A source that pays out net has already taken the costs of that node and project up to its payment; what it
-- took does not depend on the range or the basis of a report.
CREATE OR REPLACE MACRO net_pairs(as_of := NULL) AS TABLE
    SELECT node_id, project_id, max(earned_at) AS carried_until
    FROM as_loaded('node_earnings', as_of := as_of)
    WHERE net_of_costs AND payment_status <> 'failed' AND node_id IS NOT NULL AND project_id IS NOT NULL
    GROUP BY node_id, project_id;
COMMENT ON MACRO TABLE net_pairs IS
    'Nodes and projects paid out net of costs, with the last instant that such a payment covers';

-- tests
INSERT INTO node_earnings BY NAME
SELECT *, 10 AS amount_usd, 'milestone' AS payment_type, 's' AS source, earning_id AS source_key, 1 AS load_id
FROM (VALUES
    (1, 'a', 'p', true, 'paid', '2025-10-02 00:00:00+00'), (2, 'a', 'p', true, 'pending', '2025-10-05 00:00:00+00'),
    (3, 'a', 'p', true, 'failed', '2025-10-09 00:00:00+00'), (4, 'a', 'q', false, 'paid', '2025-10-09 00:00:00+00'),
    (5, NULL, 'p', true, 'paid', '2025-10-09 00:00:00+00'), (6, 'a', NULL, true, 'paid', '2025-10-09 00:00:00+00')
) v(earning_id, node_id, project_id, net_of_costs, payment_status, earned_at);
-- test: the latest net earning of a node and project that has not failed covers the costs up to it
SELECT assert_equal(list((node_id, project_id, carried_until)), [('a', 'p', '2025-10-05 00:00:00+00'::TIMESTAMPTZ)])
FROM net_pairs();
-- test: as of a load before the net earning nothing is carried
SELECT assert_equal(count(*), 0::BIGINT) FROM net_pairs(as_of := 0);
