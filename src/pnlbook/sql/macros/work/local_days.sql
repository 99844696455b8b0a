CREATE OR REPLACE MACRO local_days(began, ended) AS (
    list_transform(
        range(
            local_day(make_timestamptz(began))::TIMESTAMP,
            local_day(make_timestamptz(ended - 1)) + INTERVAL 1 DAY,
            INTERVAL 1 DAY
        ),
        lambda day: day::DATE
    )
);
COMMENT ON MACRO local_days IS 'Days in the book''s time zone that a time from began to ended, in microseconds, touches';

-- tests
-- test: the end is exclusive
SELECT assert_equal(
    local_days(epoch_us(instant('2025-10-01 23:00')), epoch_us(instant('2025-10-02 00:00'))), [DATE '2025-10-01']
);
SELECT assert_equal(
    local_days(epoch_us(instant('2025-10-01 23:00')), epoch_us(instant('2025-10-03 00:00:00.000001'))),
    [DATE '2025-10-01', DATE '2025-10-02', DATE '2025-10-03']
);
-- test: days are those of the book, also where one has 25 hours
CREATE OR REPLACE MACRO book_timezone() AS 'Europe/Berlin';
SELECT assert_equal(
    local_days(epoch_us('2025-10-25 22:00:00+00'::TIMESTAMPTZ), epoch_us('2025-10-26 23:00:00+00'::TIMESTAMPTZ)),
    [DATE '2025-10-26']
);
