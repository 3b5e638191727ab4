-- How long after they happened events are published, by source: what the lateness of a feed has to cover.
-- @namespace STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
SELECT
  source,
  COUNT(*) AS events,
  APPROX_QUANTILES(TIMESTAMP_DIFF(published_at, time, SECOND), 100)[OFFSET(50)] AS median_seconds,
  APPROX_QUANTILES(TIMESTAMP_DIFF(published_at, time, SECOND), 1000)[OFFSET(999)] AS p999_seconds,
  MAX(TIMESTAMP_DIFF(published_at, time, SECOND)) AS longest_seconds
FROM millrace.events_exact
WHERE namespace = @namespace AND day >= DATE(@from) AND day < DATE(@to)
  AND published_at IS NOT NULL
GROUP BY source
ORDER BY longest_seconds DESC, source
