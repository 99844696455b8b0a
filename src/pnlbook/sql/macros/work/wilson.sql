-- The interval of E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
-- American Statistical Association 22 (1927), with z = 1.959964 for 95 %: unlike p ± z·sqrt(p(1-p)/n), it stays within
-- 0 and 100 and says something of a tool used twice. `side` is -1 for the lower and 1 for the upper end.
CREATE OR REPLACE MACRO wilson(successes, trials, side) AS (
    CASE WHEN trials > 0 THEN greatest(0, least(100, 100 * (
        successes / trials + 1.920729 / trials
        + side * 1.959964 * sqrt(successes::DOUBLE * (trials - successes) / trials + 0.960365) / trials
    ) / (1 + 3.841459 / trials)))::DECIMAL(5, 2) END
);
COMMENT ON MACRO wilson IS 'An end of the Wilson 95 % interval of a share of successes, in percent; NULL without a trial';

-- tests
-- test: the ends of published examples; none or all of few trials say little
SELECT assert_equal((wilson(81, 263, -1), wilson(81, 263, 1)), (25.53, 36.62)::STRUCT(a DECIMAL(5, 2), b DECIMAL(5, 2)));
SELECT assert_equal((wilson(15, 148, -1), wilson(15, 148, 1)), (6.24, 16.05)::STRUCT(a DECIMAL(5, 2), b DECIMAL(5, 2)));
SELECT assert_equal((wilson(0, 20, -1), wilson(0, 20, 1)), (0.00, 16.11)::STRUCT(a DECIMAL(5, 2), b DECIMAL(5, 2)));
SELECT assert_equal((wilson(2, 2, -1), wilson(2, 2, 1)), (34.24, 100.00)::STRUCT(a DECIMAL(5, 2), b DECIMAL(5, 2)));
-- test: without a trial there is none
SELECT assert_equal(wilson(0, 0, 1), NULL::DECIMAL(5, 2));
SELECT assert_equal(wilson(NULL, NULL, 1), NULL::DECIMAL(5, 2));
