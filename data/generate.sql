-- Made-up facts as macros: every figure of row i is a function of i, the seed and the name of a stream.
--
-- Settings come as variables: seed, nodes, projects, weeks, growth, began, until, plain. Instants are
-- seconds since 1970. `rows` macros take a half-open range of row numbers from 0, how many rows arrive
-- in time (the rest is late), and the version of a row: 0 as first reported, 1 as corrected.

-- A number in [0, 1). Streams are independent: a stream shifts i by a far constant before it is hashed.
CREATE MACRO draw(i, stream) AS
    (hash(i + (hash(stream || getvariable('seed')) >> 2)::BIGINT) >> 11)::DOUBLE / 9007199254740992;

-- A rank in 1..n that follows Zipf's law: rank k is drawn in proportion to 1/k.
CREATE MACRO zipf(i, stream, n) AS least(n, floor(pow(n + 1, draw(i, stream))))::BIGINT;

CREATE MACRO normal(i, stream) AS
    sqrt(-2 * ln(1 - draw(i, stream))) * cos(2 * pi() * draw(i, stream || ' angle'));

-- Whole cents, log-normal around `median` dollars.
CREATE MACRO cents(i, stream, median, spread) AS
    greatest(1, least(1e11, floor(100 * median * exp(spread * normal(i, stream)))))::BIGINT;

CREATE MACRO usd(cents) AS cents::DECIMAL(15, 0) * 0.01::DECIMAL(3, 2);

CREATE MACRO chosen(i, stream, list) AS list[1 + floor(draw(i, stream) * len(list))::BIGINT];

CREATE MACRO key(prefix, number) AS prefix || lpad(number::VARCHAR, greatest(6, len(number::VARCHAR))::INTEGER, '0');

-- Whether the source reports row i a second time with other content.
CREATE MACRO corrected(i, kind) AS draw(i, kind || ' corrected') < getvariable('corrected');

CREATE MACRO instant(seconds) AS make_timestamptz(seconds::BIGINT * 1000000);

-- The forms in which sources write instants.
CREATE MACRO as_text(seconds, form) AS CASE form
    WHEN 0 THEN replace(make_timestamp(seconds * 1000000)::VARCHAR, ' ', 'T') || 'Z'
    WHEN 1 THEN make_timestamp((seconds + 7200) * 1000000)::VARCHAR || '+02:00'
    WHEN 2 THEN replace(make_timestamp((seconds - 18000) * 1000000)::VARCHAR, ' ', 'T') || '-05:00'
    WHEN 3 THEN make_timestamp((seconds + 19800) * 1000000)::VARCHAR || '+05:30'
    ELSE make_timestamp(seconds * 1000000)::VARCHAR || '+00'
END;

-- When things happen: more each week (growth), less at weekends, most around noon UTC.
CREATE MACRO clock(kind, first, last, prompt) AS TABLE
WITH share AS (
    SELECT i, if(i < prompt, (i + draw(i, kind || ' when')) / prompt, draw(i, kind || ' late')) AS share
    FROM range(first, last) AS t(i)
), week AS (
    SELECT i, getvariable('weeks') * ln(1 + share * (exp(getvariable('growth')) - 1)) / getvariable('growth') AS week
    FROM share
), day AS (
    SELECT i, floor(week) AS week, week - floor(week) AS part,
        least(part / 0.88 * 5, 5) + greatest((part - 0.88) / 0.12 * 2, 0) AS day
    FROM week
), hour AS (
    SELECT i, 7 * week + floor(day) AS days, day - floor(day) AS hour FROM day
)
SELECT i, (getvariable('began') + 86400 * (days + hour + 0.6 / (2 * pi()) * sin(2 * pi() * hour)))::BIGINT AS moment
FROM hour;

-- Who and for what: a project has a team of three, and some rows name nobody or somebody unknown.
CREATE MACRO team(project, member) AS zipf(4 * project + member, 'team', getvariable('nodes'));

CREATE MACRO attributed(kind, first, last, prompt) AS TABLE
SELECT i, moment, project, member, draw(i, kind || ' stray') AS stray,
    CASE WHEN stray < 0.010 THEN NULL WHEN stray < 0.013 THEN key('former-', team(project, member))
        ELSE key('node-', team(project, member)) END AS node_id,
    CASE WHEN stray BETWEEN 0.008 AND 0.02 THEN NULL WHEN stray BETWEEN 0.02 AND 0.022 THEN key('lost-', project)
        ELSE key('prj-', project) END AS project_id,
    (project + member) % 5 AS form
FROM (
    SELECT i, moment, zipf(i, kind || ' project', getvariable('projects')) AS project,
        floor(3 * draw(i, kind || ' member'))::BIGINT AS member
    FROM clock(kind, first, last, prompt)
);

-- Some sources pay net: always, for one member of one project's team.
CREATE MACRO pays_net(project, member) AS
    NOT getvariable('plain') AND project > 4 AND draw(4 * project + member, 'pays net') < 0.04;

-- Whether and when it is paid. What is due after the books close is pending; a correction brings the
-- payments that were overdue.
CREATE MACRO settled(i, kind, due, version) AS CASE
    WHEN draw(i, kind || ' status') < 0.02 THEN 'failed'
    WHEN due >= getvariable('until') OR (draw(i, kind || ' status') < 0.05 AND version = 0) THEN 'pending'
    ELSE 'paid'
END;

CREATE MACRO due(i, kind, moment, days) AS (moment + 3600 - 86400 * days * ln(1 - draw(i, kind || ' due')))::BIGINT;

-- Tokens: prices are daily, EUR has none at weekends, GNK has none at all.
CREATE MACRO tokens() AS ['SOL', 'AKT', 'XMR', 'EUR', 'GNK'];

CREATE MACRO token_of(i, kind) AS CASE
    WHEN getvariable('plain') OR draw(i, kind || ' token') >= 0.04 THEN NULL
    ELSE chosen(i, kind || ' which', ['SOL', 'SOL', 'SOL', 'SOL', 'AKT', 'AKT', 'XMR', 'EUR', 'EUR', 'GNK'])
END;

CREATE MACRO priced_day(token, day) AS if(token = 'EUR', day - greatest((day + 3) % 7 - 4, 0), day);

CREATE MACRO price(token, day) AS (floor(
    1e6 * [150, 1.2, 300, 1.1, 0.4][list_position(tokens(), token)]
    * exp(0.3 * sin(day / 47) + 0.03 * normal(8 * day + list_position(tokens(), token), 'price'))
)::BIGINT::DECIMAL(15, 0) * 0.000001::DECIMAL(7, 6))::DECIMAL(15, 6);

CREATE MACRO units(cents, token, moment) AS
    (floor(cents * 1e7 / price(token, moment // 86400)::DOUBLE)::BIGINT::DECIMAL(19, 0) * 0.000000001::DECIMAL(10, 9))::DECIMAL(19, 9);

-- What an amount of a token is worth at its instant; NULL: nobody knows.
CREATE MACRO worth(amount, token, moment) AS if(token = 'GNK', NULL,
    (amount * price(token, priced_day(token, moment // 86400)))::DECIMAL(24, 12));

-- Reference tables.

CREATE MACRO nodes_rows(first, last, prompt, version) AS TABLE
SELECT i, 0 AS form, key('node-', i + 1) AS node_id,
    chosen(i, 'given name', ['Ada', 'Bo', 'Chen', 'Dana', 'Eli', 'Fay', 'Gus', 'Hana', 'Ivo', 'Jun'])
        || ' the ' || chosen(i, 'trade', ['Architect', 'Builder', 'Critic', 'Designer', 'Editor', 'Fixer'])
        || ' ' || (i + 1) AS node_name,
    chosen(i, 'node type', ['agent', 'agent', 'agent', 'gpu', 'miner']) AS node_type,
    if(draw(i, 'node status') < 0.9, 'active', 'retired') AS status,
    key('owner-', zipf(i, 'owner', 1 + getvariable('nodes') // 3)) AS owner,
    getvariable('began') - floor(draw(i, 'node created') * 31536000)::BIGINT AS created_at
FROM range(first, last) AS t(i);

CREATE MACRO projects_rows(first, last, prompt, version) AS TABLE
SELECT i, 0 AS form, key('prj-', i + 1) AS project_id,
    chosen(i, 'colour', ['Amber', 'Blue', 'Coral', 'Dusk', 'Ebony', 'Flint', 'Green', 'Hazel'])
        || ' ' || chosen(i, 'thing', ['Atlas', 'Beacon', 'Compass', 'Dock', 'Engine', 'Forge', 'Garden'])
        || ' ' || (i + 1) AS project_name,
    key('cust-', zipf(i, 'customer', 1 + getvariable('projects') // 4)) AS customer,
    if(draw(i, 'project status') < 0.6, 'completed', 'active') AS status,
    getvariable('began') - floor(draw(i, 'project created') * 7776000)::BIGINT AS created_at,
    if(draw(i, 'project status') < 0.6,
        getvariable('until') - floor(draw(i, 'project completed') * 7776000)::BIGINT, NULL) AS completed_at
FROM range(first, last) AS t(i);

CREATE MACRO deployments_rows(first, last, prompt, version) AS TABLE
SELECT i, 0 AS form, key('dep-', i + 1) AS deployment_id, key('node-', team(i // 2 + 1, i % 2)) AS node_id,
    key('prj-', i // 2 + 1) AS project_id, if(i % 2 = 0, 'frontend', 'backend') AS deployment_type,
    if(i % 2 = 0, 'arweave', 'akash') AS provider, 'live' AS status, NULL::VARCHAR AS url,
    getvariable('began') + floor(draw(i, 'deployed') * 2592000)::BIGINT AS deployed_at, NULL::BIGINT AS ended_at
FROM range(first, last) AS t(i);

CREATE MACRO token_prices_rows(first, last, prompt, version) AS TABLE
SELECT i, 0 AS form, tokens()[1 + i % 4] AS token, 86400 * (getvariable('began') // 86400 - 10 + i // 4) AS priced_at,
    price(token, priced_at // 86400) AS price_usd
FROM range(first, last) AS t(i)
WHERE NOT (token = 'EUR' AND (priced_at // 86400 + 3) % 7 > 4);

-- Facts.

CREATE MACRO node_earnings_rows(first, last, prompt, version) AS TABLE
WITH drawn AS (
    SELECT i, moment, node_id, project_id, form,
        cents(i, 'earning', 80, 1.2) + version * (1 + floor(5000 * draw(i, 'earning change'))::BIGINT) AS cents,
        draw(i, 'earning type') AS type, due(i, 'earning', moment, 9) AS due, settled(i, 'earning', due, version) AS status,
        token_of(i, 'earning') AS token, token IS NULL AND pays_net(project, member) AS net,
        if(getvariable('plain') OR net OR token IS NOT NULL, 1, draw(i, 'earning shape')) AS shape,
        shape BETWEEN 0.13 AND 0.135 AS is_correction
    FROM attributed('earning', first, last, prompt)
)
SELECT i, form, key('ern-', i + 1) AS earning_id, node_id, project_id,
    if(shape < 0.10, usd(cents + cents // 50 + 1), NULL) AS gross_amount_usd,
    if(shape < 0.10, usd(cents // 50 + 1), NULL) AS costs_deducted_usd,
    if(token IS NULL, usd(if(is_correction, -cents, cents)), NULL) AS amount_usd,
    net AS net_of_costs, is_correction,
    token, if(token IS NULL, NULL, units(cents, token, moment)) AS token_amount,
    CASE WHEN type < 0.5 THEN 'project_completion' WHEN type < 0.85 THEN 'milestone'
        WHEN type < 0.95 THEN 'bonus' ELSE 'project_fee' END AS payment_type,
    status AS payment_status, moment AS earned_at, if(status = 'paid', due, NULL) AS paid_at
FROM drawn;

CREATE MACRO deployment_costs_rows(first, last, prompt, version) AS TABLE
WITH drawn AS (
    SELECT i, moment, node_id, project_id, form, project, member,
        cents(i, 'cost', 4, 1.3) + version * (1 + floor(200 * draw(i, 'cost change'))::BIGINT) AS cents,
        chosen(i, 'category', ['akash', 'akash', 'arweave', 'compute', 'compute', 'energy', 'model', 'storage']) AS category,
        draw(i, 'cost basis') AS basis, due(i, 'cost', moment, 12) AS due, settled(i, 'cost', due, version) AS status,
        token_of(i, 'cost') AS token
    FROM attributed('cost', first, last, prompt)
)
SELECT i, form, key('cst-', i + 1) AS cost_id, node_id, project_id,
    if(project_id IS NULL OR member = 2, NULL, key('dep-', 2 * project - 1 + member)) AS deployment_id, category,
    CASE category WHEN 'energy' THEN 'grid' WHEN 'model' THEN 'inference' WHEN 'compute' THEN 'hetzner'
        WHEN 'storage' THEN 's3' ELSE category END AS provider,
    CASE category WHEN 'energy' THEN 'electricity, kWh' WHEN 'model' THEN 'tokens' WHEN 'compute' THEN 'server hours'
        ELSE NULL END AS description,
    if(token IS NULL, usd(if(draw(i, 'cost refund') < 0.005, -cents, cents)), NULL) AS amount_usd,
    token, if(token IS NULL, NULL, units(cents, token, moment)) AS token_amount,
    CASE WHEN basis < 0.95 THEN 'actual' WHEN basis < 0.98 THEN 'list' ELSE 'estimate' END AS cost_basis,
    status AS payment_status, moment AS incurred_at, if(status = 'paid', due, NULL) AS paid_at
FROM drawn;

CREATE MACRO marketplace_revenue_rows(first, last, prompt, version) AS TABLE
WITH drawn AS (
    SELECT i, moment, project_id, form, draw(i, 'fee type') AS type, token_of(i, 'fee') AS token,
        cents(i, 'fee', 9, 1.1) + version * (1 + floor(300 * draw(i, 'fee change'))::BIGINT) AS cents
    FROM attributed('fee', first, last, prompt)
)
SELECT i, form, key('fee-', i + 1) AS revenue_id, project_id,
    if(token IS NULL, usd(if(draw(i, 'fee refund') < 0.01, -cents, cents)), NULL) AS amount_usd,
    token, if(token IS NULL, NULL, units(cents, token, moment)) AS token_amount,
    CASE WHEN type < 0.6 THEN 'platform_fee' WHEN type < 0.8 THEN 'listing_fee' ELSE 'transaction_fee' END AS fee_type,
    CASE WHEN type < 0.6 THEN 10.0 WHEN type < 0.8 THEN NULL ELSE 2.9 END::DECIMAL(9, 6) AS fee_percentage,
    moment AS collected_at
FROM drawn;

CREATE MACRO subscription_revenue_rows(first, last, prompt, version) AS TABLE
WITH drawn AS (
    SELECT i, moment, zipf(i, 'subscriber', 1 + getvariable('projects') // 4) AS customer, draw(customer, 'plan') AS plan,
        due(i, 'bill', moment, 3) AS due, settled(i, 'bill', due, version) AS status, token_of(i, 'bill') AS token,
        (CASE WHEN plan < 0.7 THEN 2900 WHEN plan < 0.95 THEN 9900 ELSE 49900 END)::BIGINT - 500 * version AS cents
    FROM clock('bill', first, last, prompt)
)
SELECT i, customer % 5 AS form, key('bil-', i + 1) AS revenue_id, key('sub-', customer) AS subscription_id,
    key('cust-', customer) AS customer,
    CASE WHEN plan < 0.7 THEN 'starter' WHEN plan < 0.95 THEN 'team' ELSE 'enterprise' END AS plan,
    if(token IS NULL, usd(if(draw(i, 'bill refund') < 0.01, -cents, cents)), NULL) AS amount_usd,
    token, if(token IS NULL, NULL, units(cents, token, moment)) AS token_amount,
    status AS payment_status, moment AS billed_at, if(status = 'paid', due, NULL) AS paid_at,
    moment AS period_start, moment + 30 * 86400 AS period_end
FROM drawn;
