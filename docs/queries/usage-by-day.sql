-- Usage of one meter by subject and UTC day, with the day before beside it.
-- @namespace STRING, @meter STRING (key@generation), @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
SELECT
  subject,
  day,
  events,
  value,
  LAG(value) OVER (PARTITION BY subject ORDER BY day) AS value_before
FROM millrace.usage_day
WHERE namespace = @namespace AND meter = @meter AND day >= DATE(@from) AND day < DATE(@to)
ORDER BY subject, day
