# A schedule starts a job and does not wait for it. A start that is missed or repeated does no harm: jobs do what is due.
resource "google_cloud_scheduler_job" "this" {
  for_each = var.schedules

  project          = var.project_id
  region           = var.region
  name             = "${var.name}-${each.key}"
  description      = "Starts the job ${each.value.job}."
  schedule         = each.value.cron
  time_zone        = each.value.time_zone
  attempt_deadline = "60s"
  paused           = each.value.paused

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/projects/${var.project_id}/locations/${var.region}/jobs/${each.value.job}:run"

    oauth_token {
      service_account_email = var.service_account
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }

  retry_config {
    retry_count          = 5
    min_backoff_duration = "10s"
    max_backoff_duration = "300s"
  }
}

# The account may start these jobs, and nothing else anywhere.
resource "google_cloud_run_v2_job_iam_member" "starter" {
  for_each = toset([for schedule in var.schedules : schedule.job])

  project  = var.project_id
  location = var.region
  name     = each.value
  role     = "roles/run.invoker"
  member   = "serviceAccount:${var.service_account}"
}
