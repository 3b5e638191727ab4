# What no service level shows soon enough, or what needs a person however rare it is. Each has its part of docs/runbooks/alerts.md by its name.
locals {
  workers     = join("|", var.subscriptions.worker)
  archives    = join("|", var.subscriptions.archive)
  quarantines = join("|", var.subscriptions.quarantine)

  watches = merge(
    {
      backlog-age = {
        title    = "Messages wait for too long"
        severity = "CRITICAL"
        minutes  = 5
        query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{subscription_id=~\"${local.workers}\"}) > ${var.thresholds.backlog_age_seconds}"
      }
      workers-silent = {
        title    = "No worker has seen a heartbeat"
        severity = "CRITICAL"
        minutes  = 5
        query    = "absent_over_time(millrace_usage_heartbeat_total[10m]) or sum(increase(millrace_usage_heartbeat_total[10m])) == 0"
      }
      commit-failures = {
        title    = "Commits fail"
        severity = "CRITICAL"
        minutes  = 5
        query    = "sum(rate(millrace_usage_commit_failures_total[5m])) > 0"
      }
      append-failures = {
        title    = "Appends fail"
        severity = "CRITICAL"
        minutes  = 10
        query    = "sum(rate(millrace_usage_append_failures_total[5m])) > 0"
      }
      append-parked = {
        title    = "The warehouse refused a row for good"
        severity = "CRITICAL"
        minutes  = 0
        query    = "sum(increase(millrace_usage_append_parked_total[10m])) > 0"
      }
      refusal-doubted = {
        title    = "The database refuses what it may not"
        severity = "WARNING"
        minutes  = 0
        query    = "sum(increase(millrace_usage_refusal_doubted_total[10m])) > 0"
      }
      dead-letters = {
        title    = "Messages are refused"
        severity = "WARNING"
        minutes  = 0
        query    = "sum by (reason) (increase(millrace_usage_dead_letter_total[10m])) > ${var.thresholds.dead_letters}"
      }
      conflicts = {
        title    = "A producer sends other events under the same identity"
        severity = "WARNING"
        minutes  = 0
        query    = "sum(increase(millrace_usage_conflict_total[1h])) > ${var.thresholds.conflicts}"
      }
      overdrafts = {
        title    = "Usage beyond a hard limit"
        severity = "WARNING"
        minutes  = 0
        query    = "sum(increase(millrace_usage_overdraft_total[1h])) > ${var.thresholds.overdrafts}"
      }
      database-cpu = {
        title    = "The database is short of CPU"
        severity = "WARNING"
        minutes  = 15
        query    = "max(spanner_googleapis_com:instance_cpu_utilization_by_priority{instance_id=\"${var.spanner_instance}\",priority=\"high\"}) > ${var.thresholds.database_cpu}"
      }
      database-storage = {
        title    = "The database is short of storage"
        severity = "WARNING"
        minutes  = 15
        query    = "max(spanner_googleapis_com:instance_storage_utilization{instance_id=\"${var.spanner_instance}\"}) > ${var.thresholds.database_storage}"
      }
      job-failed = {
        title    = "A job has failed"
        severity = "CRITICAL"
        minutes  = 0
        query    = "sum by (job_name) (increase(run_googleapis_com:job_completed_execution_count{job_name=~\"${join("|", var.jobs)}\",result=\"failed\"}[10m])) > 0"
      }
      invoices-missing = {
        title    = "No invoice run has ended for hours"
        severity = "CRITICAL"
        minutes  = 0
        query    = "(sum(increase(run_googleapis_com:job_completed_execution_count{job_name=\"${var.invoices_job}\",result=\"succeeded\"}[6h])) or vector(0)) == 0"
      }
    },
    local.archives == "" ? {} : {
      archive-behind = {
        title    = "The archive falls behind"
        severity = "WARNING"
        minutes  = 10
        query    = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{subscription_id=~\"${local.archives}\"}) > ${var.thresholds.archive_age_seconds}"
      }
    },
    local.quarantines == "" ? {} : {
      quarantined = {
        title    = "Pub/Sub has set messages aside"
        severity = "CRITICAL"
        minutes  = 0
        query    = "sum by (subscription_id) (pubsub_googleapis_com:subscription_num_undelivered_messages{subscription_id=~\"${local.quarantines}\"}) > 0"
      }
    },
  )
}

resource "google_monitoring_alert_policy" "watch" {
  for_each = local.watches

  project               = var.project_id
  display_name          = each.value.title
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "${each.value.minutes * 60}s"
      evaluation_interval = "60s"
      # Counters appear when they are first counted: the alert must be there before.
      disable_metric_validation = true
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    subject   = "${each.value.title} (${var.name})"
    mime_type = "text/markdown"
    content   = "What to do: ${var.runbooks}#${each.key}"
  }
}
