-- The fingerprint of a meter's exact events by subject: the sum of their digests modulo 2^128. It is what the usage cells and an issued
-- invoice hold: where they differ, events are missing or too many. Summed by 32-bit limbs, since two whole digests may overflow.
-- @namespace STRING, @meter STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
WITH sums AS (
  SELECT
    subject,
    COUNT(*) AS events,
    SUM(CAST(CONCAT('0x', SUBSTR(digest, 1, 8)) AS INT64)) AS limb_0,
    SUM(CAST(CONCAT('0x', SUBSTR(digest, 9, 8)) AS INT64)) AS limb_1,
    SUM(CAST(CONCAT('0x', SUBSTR(digest, 17, 8)) AS INT64)) AS limb_2,
    SUM(CAST(CONCAT('0x', SUBSTR(digest, 25, 8)) AS INT64)) AS limb_3
  FROM millrace.events_exact
  WHERE namespace = @namespace AND day >= DATE(@from) AND day < DATE(@to)
    AND @meter IN UNNEST(matched_meters)
  GROUP BY subject
),
carried_2 AS (SELECT *, limb_2 + (limb_3 >> 32) AS sum_2 FROM sums),
carried_1 AS (SELECT *, limb_1 + (sum_2 >> 32) AS sum_1 FROM carried_2),
carried_0 AS (SELECT *, limb_0 + (sum_1 >> 32) AS sum_0 FROM carried_1)
SELECT
  subject,
  events,
  FORMAT('%08x%08x%08x%08x', sum_0 & 0xFFFFFFFF, sum_1 & 0xFFFFFFFF, sum_2 & 0xFFFFFFFF, limb_3 & 0xFFFFFFFF) AS fingerprint
FROM carried_0
ORDER BY subject
