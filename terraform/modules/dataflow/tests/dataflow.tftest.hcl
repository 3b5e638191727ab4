mock_provider "google" {}

variables {
  project_id      = "p"
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
