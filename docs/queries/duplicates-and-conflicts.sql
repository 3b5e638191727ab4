-- How often producers send an event again, and how often two different events claim one identity, by source.
-- Rows are at least once, so copies are also what the pipeline itself appended twice. Reads the table of all rows.
-- @namespace STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
SELECT
  source,
  COUNT(DISTINCT identity) AS identities,
  COUNTIF(outcome = 'accepted') - COUNT(DISTINCT IF(outcome = 'accepted', identity, NULL)) AS further_copies,
  COUNT(DISTINCT IF(outcome = 'conflict', identity, NULL)) AS identities_in_conflict
FROM millrace.events
WHERE namespace = @namespace AND time >= @from AND time < @to
GROUP BY source
ORDER BY source
