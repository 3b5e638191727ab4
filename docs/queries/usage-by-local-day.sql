-- Usage of a meter that sums or counts, by the days of a time zone: on the day that clocks change, a day has 23 or 25 hours.
-- @namespace STRING, @subject STRING, @meter STRING, @timezone STRING (IANA), @from TIMESTAMP, @to TIMESTAMP (local midnights)
SELECT
  DATE(window_start, @timezone) AS local_day,
  COUNT(DISTINCT TIMESTAMP_TRUNC(window_start, HOUR)) AS hours_with_usage,
  SUM(events) AS events,
  SUM(value) AS value
FROM millrace.usage_minute
WHERE namespace = @namespace AND subject = @subject AND meter = @meter
  AND day >= DATE(@from) AND day <= DATE(@to)
  AND window_start >= @from AND window_start < @to
GROUP BY local_day
ORDER BY local_day
