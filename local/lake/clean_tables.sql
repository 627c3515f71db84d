-- A clean lake in DuckDB: `raw`, the change log that Salesforce sent, and `dim`, the dimension that follows from it.
-- Reads the variables seed (integer), users (integer, at least 100) and as_of (timestamp, UTC). No other randomness and no clock.

CREATE OR REPLACE TEMP MACRO roll(n, what, sides) AS
    CAST(hash(CAST(getvariable('seed') AS BIGINT), what, CAST(n AS BIGINT)) % sides AS BIGINT);
CREATE OR REPLACE TEMP MACRO ago(seconds) AS getvariable('as_of') - to_seconds(seconds);
CREATE OR REPLACE TEMP MACRO days_before(moment) AS CAST(date_sub('day', moment, getvariable('as_of')) AS INTEGER);
-- The n-th value of a list, starting anew after the last: one step on is always another value.
CREATE OR REPLACE TEMP MACRO nth(list, n) AS list[1 + CAST(n % len(list) AS BIGINT)];

-- Salesforce ids: three characters for the type, fifteen in all, and three that tell apart upper and lower case.
CREATE OR REPLACE TEMP MACRO base62(n) AS array_to_string(list_transform(
    [14776336, 238328, 3844, 62, 1],
    lambda place: substr('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', (n // place) % 62 + 1, 1)), '');
CREATE OR REPLACE TEMP MACRO with_case_suffix(id) AS id || array_to_string(list_transform(
    [0, 5, 10],
    lambda first: substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ012345', 1 + CAST(list_sum(list_transform(
        [0, 1, 2, 3, 4],
        lambda place: CASE WHEN substr(id, first + place + 1, 1) BETWEEN 'A' AND 'Z' THEN 1 << place ELSE 0 END)) AS INTEGER), 1)), '');
CREATE OR REPLACE TEMP MACRO salesforce_id(type, n) AS with_case_suffix(type || '5g00000' || base62(CAST(n AS BIGINT)));

-- People. The first ten are hard but legal histories that are written out below; the others live by chance.
CREATE OR REPLACE TEMP TABLE person AS
WITH fated AS (
    SELECT
        n,
        salesforce_id('005', 1000 + n * 7) AS id,
        CASE
            WHEN n = 4 THEN 'rehired'
            WHEN n < 10 THEN 'special'
            WHEN n % 800 = 15 THEN 'hired today'
            WHEN n % 5000 = 77 THEN 'deleted today'
            WHEN n % 67 = 13 THEN 'changed today'
            WHEN roll(n, 'fate', 1000) < 20 THEN 'reactivated'
            WHEN roll(n, 'fate', 1000) < 120 THEN 'deactivated'
            WHEN roll(n, 'fate', 1000) < 124 THEN 'deleted'
            WHEN roll(n, 'fate', 1000) < 126 THEN 'rehired'
            ELSE 'steady'
        END AS fate
    FROM range(getvariable('users')) AS t (n)
),
hired AS (
    SELECT
        *,
        CASE
            WHEN n = 6 THEN ago(300 * 86400)
            WHEN n < 10 THEN ago(2100 * 86400 + n * 60)
            WHEN fate = 'hired today' THEN ago(600 + roll(n, 'hired', 18000))
            ELSE ago(10 * 86400 + roll(n, 'hired', 2100 * 86400))
        END AS hired_at
    FROM fated
)
SELECT
    *,
    nth(['Ada', 'Zoë', 'José "Pepe"', 'Łukasz', 'Sinéad', 'Анна', '小龍', 'Grace', 'Alan', 'Renée', 'Nguyễn', 'Mary-Jane', 'Olu', 'Fatima', 'Björk', 'Tom'],
        CASE n WHEN 4 THEN 2 ELSE roll(n, 'first', 16) END)
    || ' ' ||
    nth(['Lovelace', 'O''Brien', 'Müller', 'Núñez', 'van der Berg', 'D''Angelo', '李', 'Smith, Jr.', 'Okafor', 'Đặng', 'Åkesson', 'Hopper', 'Silva'],
        CASE n WHEN 4 THEN 1 ELSE roll(n, 'last', 13) END) AS name,
    salesforce_id('00e', roll(n, 'profile', 12)) AS profile_id,
    salesforce_id('00E', roll(n, 'role', 40)) AS user_role_id,
    CASE WHEN n > 0 THEN salesforce_id('005', 1000 + roll(n, 'manager', n) * 7) END AS manager_id,
    -- When somebody left, and when they came back, for those who did.
    CASE
        WHEN fate = 'deleted today' THEN ago(3600 + roll(n, 'left', 10000))
        WHEN fate IN ('reactivated', 'deactivated', 'deleted', 'rehired')
            THEN date_trunc('second', hired_at + (0.5 + 0.0045 * roll(n, 'left', 100)) * (ago(2 * 86400) - hired_at))
    END AS left_at,
    CASE
        WHEN fate IN ('reactivated', 'rehired') THEN date_trunc('second', left_at + (0.2 + 0.006 * roll(n, 'back', 100)) * (ago(86400) - left_at))
    END AS back_at
FROM hired;

-- What happened to people: at most one event a second and person; a step changes a column to its next value.
CREATE OR REPLACE TEMP TABLE event AS
WITH chance AS (
    SELECT
        n,
        date_trunc('second', hired_at + (roll(n * 16 + i, 'when', 100000) / 100000.0) * (least(coalesce(left_at, ago(86400)), ago(86400)) - hired_at)) AS moment,
        roll(n * 16 + i, 'kind', 100) AS kind,
        -- Batch updates run at midnight.
        roll(n * 16 + i, 'midnight', 20) = 0 AS at_midnight
    FROM person, range(12) AS t (i)
    WHERE n >= 10 AND i < roll(n, 'events', 9) AND fate <> 'hired today'
),
happened AS (
    SELECT n, hired_at AS moment, 'hired' AS what FROM person
    UNION ALL
    SELECT
        chance.n,
        CASE WHEN at_midnight THEN date_trunc('day', moment) ELSE moment END,
        CASE
            WHEN kind < 25 THEN 'title'
            WHEN kind < 45 THEN 'division'
            WHEN kind < 60 THEN 'department'
            WHEN kind < 85 THEN 'phase'
            ELSE 'contact'
        END
    FROM chance
    UNION ALL
    SELECT n, left_at, CASE WHEN fate IN ('deleted', 'rehired', 'deleted today') THEN 'deleted' ELSE 'deactivated' END
    FROM person WHERE left_at IS NOT NULL
    UNION ALL
    SELECT n, back_at, CASE WHEN fate = 'rehired' THEN 'rehired' ELSE 'reactivated' END FROM person WHERE back_at IS NOT NULL
    UNION ALL
    SELECT n, ago(240 + roll(n, 'today', 18000)), CASE WHEN n % 4 = 0 THEN 'contact' WHEN n % 4 = 1 THEN 'phase' ELSE 'title' END
    FROM person WHERE fate = 'changed today'
    -- 0: very many versions.
    UNION ALL SELECT 0, ago((200 - i) * 9 * 86400 + 50000), 'phase' FROM range(200) AS t (i)
    -- 1: versions that last a minute.
    UNION ALL SELECT 1, ago(500 * 86400) + to_minutes(CAST(i AS INTEGER)), 'title' FROM range(5) AS t (i)
    -- 2: a division that was not known at first.
    UNION ALL SELECT 2, ago(400 * 86400), 'division'
    -- 3: the newest change of all.
    UNION ALL SELECT 3, ago(240), 'phase'
    -- 5: two changes at midnight, a day apart.
    UNION ALL SELECT 5, date_trunc('day', ago(90 * 86400)) + to_days(CAST(i AS INTEGER)), 'department' FROM range(2) AS t (i)
    -- 6: starts at days 0, 2, 50 and 100, of which a fault makes [0,100), [2,3), [50,60).
    UNION ALL SELECT 6, ago(300 * 86400) + to_days(d), 'title' FROM (VALUES (2), (50), (100)) AS t (d)
    -- 7: only changes that the dimension does not track.
    UNION ALL SELECT 7, ago((i + 1) * 30 * 86400), 'contact' FROM range(12) AS t (i)
)
SELECT
    n,
    moment,
    count(*) FILTER (WHERE what = 'title') AS title_steps,
    count(*) FILTER (WHERE what = 'division') AS division_steps,
    count(*) FILTER (WHERE what IN ('department', 'division')) AS department_steps,
    count(*) FILTER (WHERE what = 'phase') AS phase_steps,
    count(*) FILTER (WHERE what = 'contact') AS contact_steps,
    max(CASE what WHEN 'hired' THEN true WHEN 'reactivated' THEN true WHEN 'rehired' THEN true WHEN 'deactivated' THEN false END) AS active,
    bool_or(what = 'deleted') AS deleted,
    bool_or(what = 'rehired') AS rehired
FROM happened
JOIN person USING (n)
-- Nothing happens to people who are not there: before they were hired, or between leaving for good and coming back.
WHERE moment >= hired_at AND (what NOT IN ('title', 'division', 'department', 'phase', 'contact') OR moment < coalesce(left_at, getvariable('as_of')))
GROUP BY n, moment;

CREATE OR REPLACE TABLE raw AS
WITH state AS (
    SELECT
        person.*,
        moment,
        deleted,
        rehired,
        sum(title_steps) OVER history AS titles,
        sum(division_steps) OVER history AS divisions,
        sum(department_steps) OVER history AS departments,
        sum(phase_steps) OVER history AS phases,
        sum(contact_steps) OVER history AS contacts,
        last_value(active IGNORE NULLS) OVER history AS active
    FROM event
    JOIN person USING (n)
    WINDOW history AS (PARTITION BY n ORDER BY moment ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT
    id,
    'user' || n || '@pipewarden.example' AS username,
    'user' || n || CASE WHEN contacts = 0 THEN '' ELSE '+' || contacts END || '@example.com' AS email,
    name,
    CASE WHEN divisions = 0 AND (n = 2 OR roll(n, 'no division', 40) = 0) THEN NULL
        ELSE nth(['Sales', 'Service', 'Marketing', 'Finance', 'Engineering', 'Legal', 'Audit', 'People'], roll(n, 'division', 8) + divisions)
    END AS division,
    nth(['Field', 'Inside', 'Partner', 'Enterprise', 'Commercial', 'Operations', 'Platform', 'Research', 'Controls', 'Support'],
        roll(n, 'department', 10) + departments) AS department,
    nth(['Analyst', 'Senior Analyst', 'Manager', 'Senior Manager', 'Director', 'Vice President', 'Associate', 'Principal', 'Partner', 'Advisor', 'Lead'],
        roll(n, 'title', 11) + titles) AS title,
    CASE WHEN rehired THEN 'Rehire Review'
        ELSE nth(['Planning', 'Fieldwork', 'Review', 'Reporting', 'Follow-up', 'Closed'], roll(n, 'phase', 6) + phases)
    END AS audit_phase__c,
    profile_id,
    user_role_id,
    manager_id,
    active AS is_active,
    deleted AS is_deleted,
    hired_at AS created_date,
    moment AS last_modified_date,
    moment AS system_modstamp,
    -- A nightly extract at the time of day of as_of; the last one is as_of itself.
    getvariable('as_of') - to_days(days_before(moment)) AS extracted_at
FROM state
ORDER BY n, moment;

CREATE OR REPLACE TABLE dim AS
WITH compared AS (
    SELECT
        *,
        lag(id) OVER history IS NULL OR lag(is_deleted) OVER history
        OR (division, department, title, audit_phase__c, is_active) IS DISTINCT FROM (
            lag(division) OVER history, lag(department) OVER history, lag(title) OVER history,
            lag(audit_phase__c) OVER history, lag(is_active) OVER history
        ) AS changed
    FROM raw
    WINDOW history AS (PARTITION BY id ORDER BY system_modstamp)
),
bounded AS (
    -- A version lasts until the next change or the deletion.
    SELECT
        *,
        system_modstamp AS valid_from,
        lead(system_modstamp) OVER history AS valid_to,
        coalesce(lead(is_deleted) OVER history, false) AS ended_by_deletion
    FROM compared
    WHERE changed OR is_deleted
    WINDOW history AS (PARTITION BY id ORDER BY system_modstamp)
),
written AS (
    -- The nightly runs since the version was written for the last time; 0 is the run of as_of, which is still to come.
    SELECT *, days_before(CASE WHEN ended_by_deletion THEN valid_to ELSE valid_from END) AS runs_since
    FROM bounded
    WHERE NOT is_deleted
)
SELECT
    md5(id || '|' || valid_from) AS user_sk,
    id,
    username,
    email,
    name,
    division,
    department,
    title,
    audit_phase__c,
    is_active,
    valid_from,
    valid_to,
    valid_to IS NULL AS is_current,
    ended_by_deletion AS is_deleted,
    CASE WHEN runs_since > 0 THEN getvariable('as_of') - to_days(runs_since) + INTERVAL 11 MINUTE END AS dbt_updated_at
FROM written
ORDER BY id, valid_from;
