-- DuckDB multiplies integers exactly; scaling each price once is far cheaper than scaling at each message.
CREATE OR REPLACE MACRO price_rates(table_name) AS TABLE
    SELECT
        *,
        scaled_integer(input_usd_per_mtok) AS input_rate,
        scaled_integer(cache_read_usd_per_mtok) AS cache_read_rate,
        scaled_integer(cache_write_5m_usd_per_mtok) AS cache_write_5m_rate,
        scaled_integer(cache_write_1h_usd_per_mtok) AS cache_write_1h_rate,
        scaled_integer(output_usd_per_mtok) AS output_rate
    FROM query_table(table_name);
COMMENT ON MACRO TABLE price_rates IS
    'Rows of model_prices or its history, with their rates for a million tokens in units of 10^-12 USD';

-- tests
-- test: each rate in its place, an unknown one stays unknown
INSERT INTO model_prices (
    price_id, model, input_usd_per_mtok, cache_read_usd_per_mtok, cache_write_5m_usd_per_mtok, output_usd_per_mtok,
    source, source_key, load_id
)
VALUES ('1', 'm', 3, 0.30, 0, 0.000000000001, 's', '1', 1);
SELECT assert_equal(
    list((price_id, input_rate, cache_read_rate, cache_write_5m_rate, cache_write_1h_rate, output_rate)),
    [('1', 3000000000000, 300000000000, 0, NULL, 1)]
        ::STRUCT(p VARCHAR, i HUGEINT, r HUGEINT, s HUGEINT, l HUGEINT, o HUGEINT)[]
) FROM price_rates('model_prices');
SELECT assert_equal(count(*), 0::BIGINT) FROM price_rates('model_prices_history');
