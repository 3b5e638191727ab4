# What a Beam job on Dataflow needs beside its account: it is launched, not declared, since a running stream is replaced by draining it.
resource "google_storage_bucket" "this" {
  project                     = var.project_id
  name                        = var.bucket
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false
  labels                      = var.labels

  # Temporary files would be paid for after they are deleted.
  soft_delete_policy {
    retention_duration_seconds = 0
  }

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

# Workers speak with each other where steps are not shuffled by the service, and with nobody else.
resource "google_compute_firewall" "workers" {
  project                 = var.project_id
  name                    = "${var.name}-dataflow"
  network                 = var.network
  direction               = "INGRESS"
  priority                = 1000
  source_service_accounts = [var.service_account]
  target_service_accounts = [var.service_account]

  allow {
    protocol = "tcp"
    ports    = ["12345-12346"]
  }
}

resource "google_artifact_registry_repository_iam_member" "worker" {
  project    = var.project_id
  location   = var.location
  repository = var.repository
  role       = "roles/artifactregistry.reader"
  member     = "serviceAccount:${var.service_account}"
}

# Who launches, replaces, drains and watches jobs: they write what is staged, and may have workers run as their account, which is all that
# lets somebody act as an account of ours.
resource "google_project_iam_member" "launcher" {
  for_each = var.launchers

  project = var.project_id
  role    = "roles/dataflow.developer"
  member  = each.value
}

resource "google_storage_bucket_iam_member" "launcher" {
  for_each = var.launchers

  bucket = google_storage_bucket.this.name
  role   = "roles/storage.objectCreator"
  member = each.value
}

resource "google_service_account_iam_member" "launcher" {
  for_each = var.launchers

  service_account_id = "projects/${var.project_id}/serviceAccounts/${var.service_account}"
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}
