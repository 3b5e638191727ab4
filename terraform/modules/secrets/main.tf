# Only the containers: an operator adds the versions, so that no secret is ever in a state file, a plan or a pipeline's log.
resource "google_secret_manager_secret" "this" {
  for_each = var.names

  project             = var.project_id
  secret_id           = each.value
  deletion_protection = true
  version_destroy_ttl = "${7 * 86400}s"
  labels              = var.labels

  replication {
    user_managed {
      replicas {
        location = var.location

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }
}
