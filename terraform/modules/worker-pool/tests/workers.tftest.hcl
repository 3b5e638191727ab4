mock_provider "google" {}

variables {
  project_id      = "p"
  region          = "europe-west1"
  name            = "millrace-worker"
  image           = "europe-west1-docker.pkg.dev/p/millrace/millrace@sha256:0"
  args            = ["worker"]
  service_account = "millrace-worker@p.iam.gserviceaccount.com"
  environment     = { MILLRACE_BACKEND = "gcp" }
  network         = "n"
  subnetwork      = "s"
  labels          = { application = "millrace" }
}

run "cloud_run_follows_the_load_between_two_bounds" {
  assert {
    condition     = google_cloud_run_v2_worker_pool.this.scaling[0].scaling_mode == "AUTOMATIC" && google_cloud_run_v2_worker_pool.this.scaling[0].min_instance_count == 2 && google_cloud_run_v2_worker_pool.this.scaling[0].max_instance_count == 10
    error_message = "There are two to ten workers."
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this.template[0].service_account == "millrace-worker@p.iam.gserviceaccount.com" && google_cloud_run_v2_worker_pool.this.deletion_protection
    error_message = "Workers have an account of their own, and are protected."
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this.template[0].vpc_access[0].egress == "ALL_TRAFFIC"
    error_message = "Everything they send goes through the network."
  }
}

run "equal_bounds_are_a_fixed_number" {
  variables {
    instances = { min = 3, max = 3 }
    kms_key   = "projects/p/keys/run"
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this.scaling[0].scaling_mode == "MANUAL" && google_cloud_run_v2_worker_pool.this.scaling[0].manual_instance_count == 3
    error_message = "There are three workers."
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this.template[0].encryption_key == "projects/p/keys/run"
    error_message = "The deployed image is encrypted with the key."
  }
}

run "workers_can_be_stopped" {
  variables {
    instances = { min = 0, max = 0 }
  }

  assert {
    condition     = google_cloud_run_v2_worker_pool.this.scaling[0].manual_instance_count == 0
    error_message = "There are no workers, while a database is restored."
  }
}

run "a_pool_that_could_stop_by_itself_is_refused" {
  command = plan

  variables {
    instances = { min = 0, max = 1 }
  }

  expect_failures = [var.instances]
}
