locals {
  charts = concat(
    [for id, level in local.levels : {
      title  = "${level.title}: error budget left"
      source = { timeSeriesFilter = { filter = "select_slo_budget_fraction(\"${google_monitoring_slo.this[id].name}\")", aggregation = { alignmentPeriod = "300s", perSeriesAligner = "ALIGN_MEAN" } } }
    } if var.measured],
    [for title, query in {
      "Events per second, by outcome"          = "sum by (outcome) (label_replace(rate(millrace_usage_accepted_total[1m]), \"outcome\", \"accepted\", \"\", \"\")) or sum by (outcome) (label_replace(rate(millrace_usage_duplicate_total[1m]), \"outcome\", \"duplicate\", \"\", \"\")) or sum by (outcome) (label_replace(rate(millrace_usage_conflict_total[1m]), \"outcome\", \"conflict\", \"\", \"\"))"
      "Age of the oldest message, by feed"     = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{subscription_id=~\"${local.workers}\"})"
      "Publish to commit, seconds: p50"        = "histogram_quantile(0.5, sum by (le) (rate(millrace_usage_commit_delay_seconds_bucket[5m])))"
      "Publish to commit, seconds: p99"        = "histogram_quantile(0.99, sum by (le) (rate(millrace_usage_commit_delay_seconds_bucket[5m])))"
      "Rows written per event"                 = "sum(rate(millrace_usage_rows_written_total[5m])) / sum(rate(millrace_usage_accepted_total[5m]))"
      "Dead letters per minute, by reason"     = "60 * sum by (reason) (rate(millrace_usage_dead_letter_total[5m]))"
      "Failures per second"                    = "sum(rate(millrace_usage_commit_failures_total[5m])) + sum(rate(millrace_usage_append_failures_total[5m]))"
      "Requests per second, by class"          = "sum by (class) (rate(millrace_http_requests_total[1m]))"
      "Checks and reservations, seconds: p99"  = "histogram_quantile(0.99, sum by (le) (rate(millrace_http_request_duration_seconds_bucket{route=~\"getEntitlement|checkEntitlements|createReservation\"}[5m])))"
      "CPU of the database"                    = "max by (priority) (spanner_googleapis_com:instance_cpu_utilization_by_priority{instance_id=\"${var.spanner_instance}\"})"
      "Size of the database, processing units" = "max(spanner_googleapis_com:instance_processing_units{instance_id=\"${var.spanner_instance}\"})"
    } : { title = title, source = { prometheusQuery = query } }],
  )

  tile = { width = 24, height = 16 }
}

resource "google_monitoring_dashboard" "this" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Millrace (${var.name})"
    labels      = { for key in keys(var.labels) : key => "" }
    mosaicLayout = {
      columns = 48
      tiles = [for at, chart in local.charts : {
        xPos   = at % 2 * local.tile.width
        yPos   = floor(at / 2) * local.tile.height
        width  = local.tile.width
        height = local.tile.height
        widget = {
          title = chart.title
          xyChart = {
            dataSets = [{ plotType = "LINE", targetAxis = "Y1", timeSeriesQuery = chart.source }]
          }
        }
      }]
    }
  })
}
