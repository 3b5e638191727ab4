# Service levels are named once, for code, documents and this: infra/telemetry/service-levels.json.
locals {
  levels = { for level in jsondecode(file("${path.module}/../../../infra/telemetry/service-levels.json")) : level.id => level }

  # Two windows each: the long one says that it matters, the short one that it goes on. A share of the error budget that is spent within the
  # long window makes a burn rate by the length of the objective's own window.
  burns = {
    fast    = { budget = 0.02, hours = 1, short_minutes = 5, severity = "CRITICAL" }
    slow    = { budget = 0.05, hours = 6, short_minutes = 30, severity = "CRITICAL" }
    trickle = { budget = 0.10, hours = 24, short_minutes = 120, severity = "WARNING" }
  }

  burn_alerts = merge([
    for id, level in local.levels : {
      for name, burn in local.burns : "${id}-${name}" => merge(burn, {
        level = level
        slo   = google_monitoring_slo.this[id].name
        rate  = burn.budget * level.windowDays * 24 / burn.hours
      })
    } if var.measured
  ]...)

  # What an indicator counts: a ratio has two series, a threshold one.
  series = merge([
    for id, level in local.levels : {
      for part, series in {
        bad   = try(level.indicator.bad, null)
        total = try(level.indicator.total, null)
        all   = level.indicator.kind == "threshold" ? level.indicator : null
      } : "${id} ${part}" => { metric = series.metric, labels = series.labels, kind = part == "all" ? "histogram" : "counter" } if series != null
    }
  ]...)

  # Metrics of ours reach Cloud Monitoring through the collector, in Prometheus' form.
  filters = {
    for name, series in local.series : name => join(" AND ", concat(
      ["metric.type=\"prometheus.googleapis.com/${series.metric}/${series.kind}\"", "resource.type=\"prometheus_target\""],
      [for label, values in series.labels : "metric.labels.${label}=one_of(${join(",", [for value in values : "\"${value}\""])})"],
    ))
  }
}

resource "google_monitoring_custom_service" "this" {
  project      = var.project_id
  service_id   = var.name
  display_name = "Millrace"
  user_labels  = var.labels
}

resource "google_monitoring_slo" "this" {
  for_each = { for id, level in local.levels : id => level if var.measured }

  project             = var.project_id
  service             = google_monitoring_custom_service.this.service_id
  slo_id              = each.key
  display_name        = each.value.title
  goal                = each.value.objective
  rolling_period_days = each.value.windowDays
  user_labels         = var.labels

  request_based_sli {
    dynamic "good_total_ratio" {
      for_each = each.value.indicator.kind == "ratio" ? [each.key] : []

      content {
        bad_service_filter   = local.filters["${each.key} bad"]
        total_service_filter = local.filters["${each.key} total"]
      }
    }

    dynamic "distribution_cut" {
      for_each = each.value.indicator.kind == "threshold" ? [each.key] : []

      content {
        distribution_filter = local.filters["${each.key} all"]

        range {
          min = 0
          max = each.value.indicator.atMost
        }
      }
    }
  }
}

resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burn_alerts

  project               = var.project_id
  display_name          = "${each.value.level.title}: ${each.value.budget * 100} % of the error budget in ${each.value.hours} h"
  combiner              = "AND"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "Burn rate over ${each.value.hours} h"

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${each.value.slo}\", \"${each.value.hours * 3600}s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.rate
      duration        = "0s"
    }
  }

  conditions {
    display_name = "Burn rate over ${each.value.short_minutes} min"

    condition_threshold {
      filter          = "select_slo_burn_rate(\"${each.value.slo}\", \"${each.value.short_minutes * 60}s\")"
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.rate
      duration        = "0s"
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    subject   = "${each.value.level.title} (${var.name})"
    mime_type = "text/markdown"
    content   = "${each.value.level.description} What to do: ${var.runbooks}#${each.value.level.id}"
  }
}
