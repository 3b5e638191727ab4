-- Events that are voided now, and since when. A restore undoes the voids before it.
-- @namespace STRING, @from TIMESTAMP, @to TIMESTAMP (whole UTC days)
WITH corrections AS (
  SELECT
    subject,
    source,
    id,
    DATE(time) AS day,
    MAX(IF(outcome = 'void', committed_at, NULL)) AS voided_at,
    MAX(IF(outcome = 'restored', committed_at, NULL)) AS restored_at
  FROM millrace.events
  WHERE namespace = @namespace AND time >= @from AND time < @to AND outcome IN ('void', 'restored')
  GROUP BY subject, source, id, day
)
SELECT subject, source, id, day, voided_at
FROM corrections
WHERE voided_at IS NOT NULL AND (restored_at IS NULL OR voided_at > restored_at)
ORDER BY voided_at, source, id
