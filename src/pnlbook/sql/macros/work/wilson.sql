-- The interval of E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
-- American Statistical Association 22 (1927), with z = 1.959964 for 95 %: unlike p ± z·sqrt(p(1-p)/n), it stays within
-- 0 and 100 and says something of a tool used twice. `side` is -1 for the lower and 1 for the upper end.
CREATE OR REPLACE MACRO wilson(successes, trials, side) AS (
    CASE WHEN trials > 0 THEN greatest(0, least(100, 100 * (
        successes / trials + 1.920729 / trials
        + side * 1.959964 * sqrt(successes * (trials - successes)::DOUBLE / trials + 0.960365) / trials
    ) / (1 + 3.841459 / trials)))::DECIMAL(5, 2) END
);
COMMENT ON MACRO wilson IS 'An end of the Wilson 95 % interval of a share of successes, in percent; NULL without a trial';
