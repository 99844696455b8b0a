-- What a model cost stands with its message and is copied nowhere, so it counts once. It is spent when the message is
-- sent, so both bases agree on it. A message without tokens and cost is no fact.
CREATE OR REPLACE MACRO model_rows(
    since := NULL, until := NULL, basis := 'accrual', as_of := NULL, node := NULL, project := NULL
) AS TABLE
    SELECT
        message_id, node_id, project_id, 'model' AS kind, sent_at AS counted_at, cost_usd, cost_basis, model, price_id,
        usage_final, source, source_key, source_line, load_id
    FROM counted_rows('communication_log', as_of := as_of) AS messages
    WHERE (cost_usd IS NOT NULL OR has_tokens(messages))
        AND in_range(sent_at, since, until)
        AND (node IS NULL OR node_id = node)
        AND (project IS NULL OR project_id = project);
COMMENT ON MACRO TABLE model_rows IS 'Costs of models that count, one row for each message with tokens or a cost';

-- tests
INSERT INTO communication_log BY NAME
SELECT *, 'assistant' AS role, 's' AS source, message_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'a', 'p', 10, 0.25, '2025-10-01 00:00:00+00'), ('2', 'a', 'p', 10, 0.25, '2025-10-01 00:00:00+00'),
    ('3', 'b', NULL, 10, NULL, '2025-10-02 00:00:00+00'), ('4', NULL, 'q', 10, 0.00, '2025-11-01 00:00:00+00'),
    ('5', 'a', 'p', NULL, NULL, '2025-10-01 00:00:00+00'), ('6', 'a', 'p', 0, NULL, '2025-10-01 00:00:00+00'),
    ('7', 'b', 'p', NULL, 1.50, '2025-10-03 00:00:00+00')
) v(message_id, node_id, project_id, output_tokens, cost_usd, sent_at);
-- test: messages with tokens or a cost, an unknown cost and a zero among them; none that has neither
SELECT assert_equal(
    list((message_id, kind, cost_usd) ORDER BY message_id),
    [('1', 'model', 0.25), ('2', 'model', 0.25), ('3', 'model', NULL), ('4', 'model', 0.00), ('7', 'model', 1.50)]
        ::STRUCT(m VARCHAR, k VARCHAR, c DECIMAL(24, 12))[]
) FROM model_rows();
-- test: by range, node and project; the same on both bases
SELECT assert_equal(list(message_id ORDER BY message_id), ['1', '2', '3', '7'])
FROM model_rows(since := '2025-10-01', until := '2025-11-01', basis := 'cash');
SELECT assert_equal(list(message_id ORDER BY message_id), ['1', '2']) FROM model_rows(node := 'a');
SELECT assert_equal(list(message_id), ['7']) FROM model_rows(node := 'b', project := 'p');
-- test: as of a load, what it and those before it had brought
INSERT INTO communication_log_history (
    message_id, role, output_tokens, cost_usd, sent_at, source, source_key, load_id, superseded_by
)
VALUES ('7', 'assistant', 5, 0.75, '2025-10-03 00:00:00+00', 's', '7', 0, 1);
SELECT assert_equal(list((message_id, cost_usd)), [('7', 0.75)]::STRUCT(m VARCHAR, c DECIMAL(24, 12))[])
FROM model_rows(as_of := 0);
SELECT assert_equal(sum(cost_usd), 2.00::DECIMAL(38, 12)) FROM model_rows(as_of := 1);
