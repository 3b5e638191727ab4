resource "google_spanner_instance" "this" {
  project      = var.project_id
  name         = var.name
  display_name = var.name
  config       = var.config
  edition      = var.edition
  labels       = var.labels
  # Backups are scheduled below, and keep the instance from being destroyed with them.
  default_backup_schedule_type = "NONE"
  force_destroy                = false
  processing_units             = var.autoscaling == null ? var.processing_units : null

  dynamic "autoscaling_config" {
    for_each = var.autoscaling == null ? [] : [var.autoscaling]

    content {
      autoscaling_limits {
        min_processing_units = autoscaling_config.value.min_processing_units
        max_processing_units = autoscaling_config.value.max_processing_units
      }

      autoscaling_targets {
        high_priority_cpu_utilization_percent = autoscaling_config.value.cpu_percent
        storage_utilization_percent           = autoscaling_config.value.storage_percent
      }
    }
  }
}

# Tables have one owner, the declarations in the code: `npm run migrate` makes and changes them. Terraform makes the empty database.
resource "google_spanner_database" "this" {
  project                  = var.project_id
  instance                 = google_spanner_instance.this.name
  name                     = var.database
  database_dialect         = "GOOGLE_STANDARD_SQL"
  version_retention_period = "7d"
  # The first keeps Terraform from destroying it, the second everybody.
  deletion_protection    = var.deletion_protection
  enable_drop_protection = var.deletion_protection

  dynamic "encryption_config" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      kms_key_name = encryption_config.value
    }
  }

  lifecycle {
    ignore_changes = [ddl]
  }
}

# Any moment of the last seven days can be restored without a backup. These are for what is noticed later.
resource "google_spanner_backup_schedule" "full" {
  project            = var.project_id
  instance           = google_spanner_instance.this.name
  database           = google_spanner_database.this.name
  name               = "full"
  retention_duration = "${var.backup_days * 86400}s"

  spec {
    cron_spec {
      text = var.backup_cron
    }
  }

  full_backup_spec {}

  dynamic "encryption_config" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      encryption_type = "CUSTOMER_MANAGED_ENCRYPTION"
      kms_key_name    = encryption_config.value
    }
  }
}
