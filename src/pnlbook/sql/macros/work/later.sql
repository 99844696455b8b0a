-- Microseconds are counted exactly; an interval of seconds would go through a DOUBLE.
CREATE OR REPLACE MACRO later(moment, amount, unit_us) AS (
    moment + to_microseconds((coalesce(amount, 0) * unit_us)::BIGINT)
);
COMMENT ON MACRO later IS 'The instant that many units of so many microseconds later; NULL units are none';

-- tests
-- test: to the microsecond, and none where no time is known
SELECT assert_equal(
    later('2025-10-01 00:00:00+00'::TIMESTAMPTZ, 1.5, 1000), '2025-10-01 00:00:00.0015+00'::TIMESTAMPTZ
);
SELECT assert_equal(
    later('2025-10-01 00:00:00+00'::TIMESTAMPTZ, 86400.000001::DECIMAL(18, 6), 1000000),
    '2025-10-02 00:00:00.000001+00'::TIMESTAMPTZ
);
SELECT assert_equal(
    later('2025-10-01 00:00:00+00'::TIMESTAMPTZ, NULL, 1000), '2025-10-01 00:00:00+00'::TIMESTAMPTZ
);
