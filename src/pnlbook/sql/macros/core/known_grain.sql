-- date_trunc also takes 'decade' or 'minute', which no statement has.
CREATE OR REPLACE MACRO known_grain(grain) AS (
    CASE
        WHEN grain IN ('day', 'week', 'month', 'quarter', 'year') THEN true
        ELSE error(concat('grain is ', coalesce(grain, 'NULL'), '; use day, week, month, quarter or year'))
    END
);
COMMENT ON MACRO known_grain IS 'true for day, week, month, quarter and year; an error for anything else';

-- tests
-- test: the five grains are known
SELECT assert_equal(bool_and(known_grain(grain)), true)
FROM (VALUES ('day'), ('week'), ('month'), ('quarter'), ('year')) g(grain);
