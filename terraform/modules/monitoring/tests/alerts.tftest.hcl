mock_provider "google" {}

variables {
  project_id       = "p"
  name             = "millrace"
  emails           = ["on-call@example.com"]
  subscriptions    = { worker = ["millrace-usage-worker"], archive = ["millrace-usage-archive"], quarantine = [] }
  spanner_instance = "millrace"
  jobs             = ["millrace-invoices", "millrace-reconcile"]
  invoices_job     = "millrace-invoices"
  labels           = { application = "millrace" }
}

run "every_service_level_is_an_objective_with_three_burn_rate_alerts" {
  assert {
    condition     = toset(keys(google_monitoring_slo.this)) == toset([for level in jsondecode(file("../../../infra/telemetry/service-levels.json")) : level.id])
    error_message = "Objectives are those of service-levels.json."
  }

  assert {
    condition = toset(keys(google_monitoring_alert_policy.burn)) == toset(flatten([
      for level in jsondecode(file("../../../infra/telemetry/service-levels.json")) : [for speed in ["fast", "slow", "trickle"] : "${level.id}-${speed}"]
    ]))
    error_message = "Each objective has its three alerts."
  }

  assert {
    condition     = alltrue([for level in jsondecode(file("../../../infra/telemetry/service-levels.json")) : google_monitoring_slo.this[level.id].goal == level.objective && google_monitoring_slo.this[level.id].rolling_period_days == level.windowDays])
    error_message = "Objectives and windows are those of service-levels.json."
  }
}

run "a_burn_rate_alert_needs_a_long_and_a_short_window" {
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.burn : alert.combiner == "AND" && length(alert.conditions) == 2])
    error_message = "Both windows must burn."
  }

  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.burn : alert.conditions[0].condition_threshold[0].threshold_value == alert.conditions[1].condition_threshold[0].threshold_value])
    error_message = "Both windows burn at the same rate."
  }

  # 2 % of 28 days' budget in an hour, 5 % in six, 10 % in a day.
  assert {
    condition = [
      for speed in ["fast", "slow", "trickle"] : format("%.2f", google_monitoring_alert_policy.burn["api-availability-${speed}"].conditions[0].condition_threshold[0].threshold_value)
    ] == ["13.44", "5.60", "2.80"]
    error_message = "The rates follow from the share of the budget."
  }

  assert {
    condition     = endswith(google_monitoring_alert_policy.burn["api-availability-fast"].conditions[0].condition_threshold[0].filter, ", \"3600s\")") && endswith(google_monitoring_alert_policy.burn["api-availability-fast"].conditions[1].condition_threshold[0].filter, ", \"300s\")")
    error_message = "The fast alert looks at an hour and at five minutes."
  }
}

run "indicators_count_what_the_collector_writes" {
  assert {
    condition     = google_monitoring_slo.this["ingest-availability"].request_based_sli[0].good_total_ratio[0].bad_service_filter == "metric.type=\"prometheus.googleapis.com/millrace_http_requests_total/counter\" AND resource.type=\"prometheus_target\" AND metric.labels.class=one_of(\"5xx\") AND metric.labels.route=one_of(\"postEvents\")"
    error_message = "A ratio counts the bad of all."
  }

  assert {
    condition     = google_monitoring_slo.this["check-latency"].request_based_sli[0].distribution_cut[0].range[0].max == 0.1 && startswith(google_monitoring_slo.this["check-latency"].request_based_sli[0].distribution_cut[0].distribution_filter, "metric.type=\"prometheus.googleapis.com/millrace_http_request_duration_seconds/histogram\"")
    error_message = "A threshold cuts a distribution."
  }
}

run "everybody_who_is_told_is_told_what_to_do" {
  assert {
    condition     = alltrue([for name, alert in google_monitoring_alert_policy.watch : endswith(alert.documentation[0].content, "docs/runbooks/alerts.md#${name}")])
    error_message = "A watch links to its runbook."
  }

  assert {
    condition     = alltrue([for name, alert in google_monitoring_alert_policy.burn : endswith(alert.documentation[0].content, "docs/runbooks/alerts.md#${join("-", slice(split("-", name), 0, length(split("-", name)) - 1))}")])
    error_message = "A burn rate links to the runbook of its service level."
  }

  assert {
    condition     = alltrue([for alert in merge(google_monitoring_alert_policy.watch, google_monitoring_alert_policy.burn) : length(alert.notification_channels) == 1])
    error_message = "Every alert reaches somebody."
  }
}

run "alerts_do_not_wait_for_their_metrics_to_exist" {
  variables {
    measured = false
  }

  assert {
    condition     = length(google_monitoring_slo.this) == 0 && length(google_monitoring_alert_policy.burn) == 0 && length(google_monitoring_alert_policy.watch) > 0
    error_message = "The first apply has watches, and no service levels."
  }

  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.watch : alert.conditions[0].condition_prometheus_query_language[0].disable_metric_validation])
    error_message = "A counter that was never counted does not exist."
  }
}

run "what_was_set_aside_is_watched_where_it_can_be" {
  variables {
    subscriptions = { worker = ["w"], archive = [], quarantine = ["q"] }
  }

  assert {
    condition     = contains(keys(google_monitoring_alert_policy.watch), "quarantined") && !contains(keys(google_monitoring_alert_policy.watch), "archive-behind")
    error_message = "Watches follow what there is."
  }
}
