mock_provider "google" {}

variables {
  project_id     = "p"
  project_number = "123"
  name           = "p-millrace-archive"
  location       = "europe-west1"
  labels         = {}
  kms_key        = "projects/p/keys/storage"
}

run "files_can_be_neither_public_nor_changed" {
  assert {
    condition     = google_storage_bucket.this.public_access_prevention == "enforced" && google_storage_bucket.this.uniform_bucket_level_access && !google_storage_bucket.this.force_destroy
    error_message = "The bucket is private, and is not destroyed with files in it."
  }

  assert {
    condition     = google_storage_bucket.this.retention_policy[0].retention_period == 7776000
    error_message = "Files are kept unchanged for 90 days."
  }

  assert {
    condition     = google_storage_bucket.this.encryption[0].default_kms_key_name == "projects/p/keys/storage"
    error_message = "Files are encrypted with the key."
  }
}

run "pubsub_may_write_and_nothing_else" {
  assert {
    condition     = toset([for grant in google_storage_bucket_iam_member.agent : grant.role]) == toset(["roles/storage.objectCreator", "roles/storage.legacyBucketReader"])
    error_message = "Pub/Sub creates files and sees the bucket."
  }

  assert {
    condition     = toset([for grant in google_storage_bucket_iam_member.agent : grant.member]) == toset(["serviceAccount:service-123@gcp-sa-pubsub.iam.gserviceaccount.com"])
    error_message = "It is Pub/Sub's agent of this project, and nobody else."
  }
}
