-- A sum by the values of a member of the data: here `tokens` by `model`. A number is read from its text, so no digit is lost.
-- @namespace STRING, @meter STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
SELECT
  IFNULL(JSON_VALUE(data, '$.model'), '') AS model,
  COUNT(*) AS events,
  SUM(CAST(JSON_VALUE(data, '$.tokens') AS BIGNUMERIC)) AS tokens
FROM millrace.events_exact
WHERE namespace = @namespace AND day >= DATE(@from) AND day < DATE(@to)
  AND @meter IN UNNEST(matched_meters)
GROUP BY model
ORDER BY model
