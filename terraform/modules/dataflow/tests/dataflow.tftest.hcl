mock_provider "google" {}

variables {
  project_id      = "p"
  name            = "millrace"
  network         = "projects/p/global/networks/millrace"
  location        = "europe-west1"
  bucket          = "p-millrace-dataflow"
  repository      = "millrace"
  service_account = "millrace-dataflow@p.iam.gserviceaccount.com"
  kms_key         = "projects/p/keys/storage"
  labels          = { application = "millrace" }
}

run "jobs_have_their_bucket_and_their_image_and_nothing_else" {
  assert {
    condition     = google_storage_bucket_iam_member.worker.bucket == "p-millrace-dataflow" && google_storage_bucket_iam_member.worker.role == "roles/storage.objectAdmin"
    error_message = "Workers write the files of their bucket."
  }

  assert {
    condition     = google_artifact_registry_repository_iam_member.worker.role == "roles/artifactregistry.reader"
    error_message = "Workers pull their image."
  }

  assert {
    condition     = google_storage_bucket.this.public_access_prevention == "enforced" && google_storage_bucket.this.encryption[0].default_kms_key_name == "projects/p/keys/storage"
    error_message = "The bucket is private, and encrypted with the key."
  }
}

run "workers_hear_each_other_and_nobody_else" {
  assert {
    condition     = google_compute_firewall.workers.source_service_accounts == google_compute_firewall.workers.target_service_accounts && google_compute_firewall.workers.target_service_accounts == toset(["millrace-dataflow@p.iam.gserviceaccount.com"])
    error_message = "Only workers of jobs are let in, and only to workers of jobs."
  }

  assert {
    condition     = alltrue([for allow in google_compute_firewall.workers.allow : allow.protocol == "tcp" && allow.ports == tolist(["12345-12346"])])
    error_message = "Two ports are open."
  }
}

run "nobody_launches_jobs_unless_it_is_said" {
  assert {
    condition     = length(google_project_iam_member.launcher) + length(google_storage_bucket_iam_member.launcher) + length(google_service_account_iam_member.launcher) == 0
    error_message = "There is no launcher by default."
  }
}

run "a_launcher_launches_stages_and_has_workers_run_as_their_account" {
  variables {
    launchers = ["user:ops@example.com"]
  }

  assert {
    condition     = [for grant in google_project_iam_member.launcher : "${grant.member} ${grant.role}"] == ["user:ops@example.com roles/dataflow.developer"]
    error_message = "A launcher works with jobs."
  }

  assert {
    condition     = [for grant in google_storage_bucket_iam_member.launcher : "${grant.bucket} ${grant.role}"] == ["p-millrace-dataflow roles/storage.objectCreator"]
    error_message = "A launcher adds files to the bucket, and reads and changes none."
  }

  assert {
    condition     = [for grant in google_service_account_iam_member.launcher : "${grant.service_account_id} ${grant.role}"] == ["projects/p/serviceAccounts/millrace-dataflow@p.iam.gserviceaccount.com roles/iam.serviceAccountUser"]
    error_message = "Workers run as their own account, and a launcher may act as no other."
  }
}

run "jobs_are_not_for_everybody_to_launch" {
  command = plan

  variables {
    launchers = ["allAuthenticatedUsers"]
  }

  expect_failures = [var.launchers]
}
