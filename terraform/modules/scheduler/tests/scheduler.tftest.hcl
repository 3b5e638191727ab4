mock_provider "google" {}

variables {
  project_id      = "p"
  region          = "europe-west1"
  name            = "millrace"
  service_account = "millrace-scheduler@p.iam.gserviceaccount.com"
  schedules       = { invoices = { job = "millrace-invoices", cron = "17 * * * *" } }
}

run "a_schedule_starts_its_job_as_the_scheduler" {
  assert {
    condition     = google_cloud_scheduler_job.this["invoices"].http_target[0].uri == "https://run.googleapis.com/v2/projects/p/locations/europe-west1/jobs/millrace-invoices:run"
    error_message = "It calls Cloud Run's own interface."
  }

  assert {
    condition     = google_cloud_scheduler_job.this["invoices"].http_target[0].oauth_token[0].service_account_email == "millrace-scheduler@p.iam.gserviceaccount.com"
    error_message = "It calls as the scheduler's account."
  }
}

run "the_scheduler_may_start_these_jobs_and_nothing_else" {
  assert {
    condition     = [for grant in google_cloud_run_v2_job_iam_member.starter : "${grant.member} ${grant.role} ${grant.name}"] == ["serviceAccount:millrace-scheduler@p.iam.gserviceaccount.com roles/run.invoker millrace-invoices"]
    error_message = "There is one grant for each job that has a schedule."
  }
}
