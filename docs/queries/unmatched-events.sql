-- Events that no meter counted, by type: a meter that is missing, or one whose filter is narrower than was thought.
-- @namespace STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
SELECT
  type,
  COUNT(*) AS events,
  COUNT(DISTINCT subject) AS subjects,
  MIN(time) AS first_time,
  MAX(time) AS last_time
FROM millrace.events_exact
WHERE namespace = @namespace AND day >= DATE(@from) AND day < DATE(@to)
  AND NOT EXISTS (SELECT 1 FROM UNNEST(matched_meters))
GROUP BY type
ORDER BY events DESC, type
