# What a Beam job on Dataflow needs beside its account: it is launched, not declared, since a running stream is replaced by draining it.
resource "google_storage_bucket" "this" {
  project                     = var.project_id
  name                        = var.bucket
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = var.labels

  # Staged files are needed as long as their job runs.
  lifecycle_rule {
    condition {
      age            = 7
      matches_prefix = ["temp/"]
    }

    action {
      type = "Delete"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      default_kms_key_name = encryption.value
    }
  }
}

resource "google_storage_bucket_iam_member" "worker" {
  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectAdmin"
  member = "serviceAccount:${var.service_account}"
}

resource "google_artifact_registry_repository_iam_member" "worker" {
  project    = var.project_id
  location   = var.location
  repository = var.repository
  role       = "roles/artifactregistry.reader"
  member     = "serviceAccount:${var.service_account}"
}
