mock_provider "google" {}

variables {
  project_id  = "p"
  region      = "europe-west1"
  name        = "millrace"
  image       = "europe-west1-docker.pkg.dev/p/millrace/millrace@sha256:0"
  environment = { MILLRACE_BACKEND = "gcp" }
  network     = "n"
  subnetwork  = "s"
  kms_key     = "projects/p/keys/run"
  labels      = { application = "millrace" }

  jobs = {
    migrate  = { args = ["migrate"], service_account = "millrace-migrate@p.iam.gserviceaccount.com", retries = 0 }
    invoices = { args = ["invoices"], service_account = "millrace-invoices@p.iam.gserviceaccount.com", timeout_minutes = 360 }
  }
}

run "each_job_runs_once_as_its_own_account" {
  assert {
    condition = {
      for name, job in google_cloud_run_v2_job.this : name => job.template[0].template[0].service_account
      } == {
      migrate  = "millrace-migrate@p.iam.gserviceaccount.com"
      invoices = "millrace-invoices@p.iam.gserviceaccount.com"
    }
    error_message = "Each job has its account."
  }

  assert {
    condition     = alltrue([for job in google_cloud_run_v2_job.this : job.template[0].task_count == 1 && job.template[0].parallelism == 1])
    error_message = "A job is one task."
  }
}

run "bounds_are_those_of_the_job" {
  assert {
    condition     = google_cloud_run_v2_job.this["migrate"].template[0].template[0].max_retries == 0 && google_cloud_run_v2_job.this["invoices"].template[0].template[0].max_retries == 3
    error_message = "A failed migration is not run again by itself."
  }

  assert {
    condition     = google_cloud_run_v2_job.this["migrate"].template[0].template[0].timeout == "3600s" && google_cloud_run_v2_job.this["invoices"].template[0].template[0].timeout == "21600s"
    error_message = "Each job has its time."
  }

  assert {
    condition     = google_cloud_run_v2_job.this["migrate"].labels["component"] == "migrate" && alltrue([for job in google_cloud_run_v2_job.this : job.template[0].template[0].encryption_key == "projects/p/keys/run"])
    error_message = "Jobs are labelled, and encrypted with the key."
  }
}
