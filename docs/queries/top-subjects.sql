-- The subjects with the most usage of a meter, and what part of the whole each is.
-- @namespace STRING, @meter STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
WITH used AS (
  SELECT subject, SUM(value) AS value
  FROM millrace.usage_day
  WHERE namespace = @namespace AND meter = @meter AND day >= DATE(@from) AND day < DATE(@to)
  GROUP BY subject
)
SELECT
  subject,
  value,
  ROUND(100 * CAST(value AS FLOAT64) / CAST((SELECT SUM(value) FROM used) AS FLOAT64), 1) AS percent
FROM used
ORDER BY value DESC, subject
LIMIT 10
