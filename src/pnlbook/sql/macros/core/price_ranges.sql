-- A model's prices follow one another without a gap: each set of tiers holds until the next one begins. Prices that
-- were loaded go before list prices: from the first of a model on, its list prices end. So one row at most fits a
-- message, and a join finds it.
CREATE OR REPLACE MACRO price_ranges() AS TABLE
    WITH standing AS (
        SELECT *
        FROM (
            SELECT *, min(valid_from) FILTER (source <> 'genai-prices') OVER (PARTITION BY model) AS loaded_from
            FROM price_rates('model_prices')
        )
        WHERE source <> 'genai-prices' OR loaded_from IS NULL OR valid_from < loaded_from
    ), starts AS (
        SELECT model, valid_from, lead(valid_from) OVER (PARTITION BY model ORDER BY valid_from) AS valid_until
        FROM (SELECT DISTINCT model, valid_from FROM standing)
    )
    SELECT
        standing.* EXCLUDE loaded_from,
        coalesce(valid_until, 'infinity'::TIMESTAMPTZ) AS valid_until,
        lead(from_input_tokens, 1, 9223372036854775807)
            OVER (PARTITION BY model, valid_from ORDER BY from_input_tokens) AS below_input_tokens
    FROM standing JOIN starts USING (model, valid_from);
COMMENT ON MACRO TABLE price_ranges IS
    'Prices of models (price_rates) with the time and the input tokens that each holds for, ends exclusive';

-- tests
INSERT INTO model_prices BY NAME
SELECT *, price_id AS source_key, 1 AS load_id
FROM (VALUES
    ('1', 'm', '2025-01-01 00:00:00+00', 0, 3.00, 'genai-prices'),
    ('2', 'm', '2025-01-01 00:00:00+00', 200001, 6.00, 'genai-prices'),
    ('3', 'm', '2025-06-01 00:00:00+00', 0, 2.00, 'genai-prices'),
    ('4', 'other', '1970-01-02 00:00:00+00', 0, 0.00, 'file')
) v(price_id, model, valid_from, from_input_tokens, input_usd_per_mtok, source);
-- test: each price holds until the next of its model, each tier up to the next
SELECT assert_equal(
    list((price_id, valid_until, from_input_tokens, below_input_tokens, input_rate) ORDER BY price_id),
    [
        ('1', '2025-06-01 00:00:00+00', 0, 200001, 3000000000000),
        ('2', '2025-06-01 00:00:00+00', 200001, 9223372036854775807, 6000000000000),
        ('3', 'infinity', 0, 9223372036854775807, 2000000000000), ('4', 'infinity', 0, 9223372036854775807, 0)
    ]::STRUCT(p VARCHAR, u TIMESTAMPTZ, f BIGINT, b BIGINT, i HUGEINT)[]
) FROM price_ranges();
-- test: from the first loaded price on list prices of the model count no more, a later one neither
INSERT INTO model_prices (price_id, model, valid_from, input_usd_per_mtok, source, source_key, load_id)
VALUES ('5', 'm', '2025-03-01 00:00:00+00', NULL, 'contract', '5', 1);
SELECT assert_equal(
    list((price_id, valid_until, input_rate) ORDER BY price_id),
    [
        ('1', '2025-03-01 00:00:00+00', 3000000000000), ('2', '2025-03-01 00:00:00+00', 6000000000000),
        ('5', 'infinity', NULL)
    ]::STRUCT(p VARCHAR, u TIMESTAMPTZ, i HUGEINT)[]
) FROM price_ranges() WHERE model = 'm';
-- test: a loaded price of the same instant replaces the list price whole, tiers included
INSERT INTO model_prices (price_id, model, valid_from, input_usd_per_mtok, source, source_key, load_id)
VALUES ('6', 'm', '2025-01-01 00:00:00+00', 1.00, 'contract', '6', 1);
SELECT assert_equal(list(price_id), ['6']) FROM price_ranges() WHERE model = 'm';
