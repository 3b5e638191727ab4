-- Everything that is known of one event: each copy, conflict, void and restore, in the order of their commits.
-- @namespace STRING, @source STRING, @id STRING, @from TIMESTAMP, @to TIMESTAMP (a range that holds its time)
SELECT
  committed_at,
  outcome,
  subject,
  time,
  published_at,
  catalogue_version,
  matched_meters,
  data
FROM millrace.events
WHERE namespace = @namespace AND source = @source AND id = @id AND time >= @from AND time < @to
ORDER BY committed_at, published_at
