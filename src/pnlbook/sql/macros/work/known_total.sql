-- The four counts of input tokens are disjoint, so they add up; one that a source does not have is left out.
CREATE OR REPLACE MACRO known_total(fresh, cache_read, cache_write_5m, cache_write_1h) AS (
    CASE
        WHEN coalesce(fresh, cache_read, cache_write_5m, cache_write_1h) IS NOT NULL THEN
            coalesce(fresh, 0) + coalesce(cache_read, 0) + coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0)
    END
);
COMMENT ON MACRO known_total IS 'Input tokens of all kinds; NULL where no count is known';

-- tests
-- test: known counts are added up, none is NULL, zero is zero
SELECT assert_equal(known_total(1, 20, NULL, 300), 321);
SELECT assert_equal(known_total(NULL, NULL, NULL, NULL), NULL);
SELECT assert_equal(known_total(0, NULL, NULL, NULL), 0);
