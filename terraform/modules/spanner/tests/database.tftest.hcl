mock_provider "google" {}

variables {
  project_id = "p"
  name       = "millrace"
  config     = "regional-europe-west1"
  labels     = { application = "millrace" }
}

run "a_database_cannot_be_lost_by_accident" {
  assert {
    condition     = google_spanner_database.this.deletion_protection && google_spanner_database.this.enable_drop_protection && !google_spanner_instance.this.force_destroy
    error_message = "Neither Terraform nor anybody else destroys it."
  }

  assert {
    condition     = google_spanner_database.this.version_retention_period == "7d"
    error_message = "Any moment of seven days can be restored."
  }
}

run "backups_are_scheduled_and_outlive_point_in_time_recovery" {
  assert {
    condition     = google_spanner_backup_schedule.full.spec[0].cron_spec[0].text == "0 2 * * 0" && length(google_spanner_backup_schedule.full.full_backup_spec) == 1
    error_message = "There is a full backup a week."
  }

  assert {
    condition     = tonumber(trimsuffix(google_spanner_backup_schedule.full.retention_duration, "s")) > 7 * 86400
    error_message = "Backups are kept for longer than a week."
  }

  assert {
    condition     = google_spanner_instance.this.default_backup_schedule_type == "NONE"
    error_message = "There is no second schedule that nobody asked for."
  }
}

run "tables_are_made_by_migrations_only" {
  command = plan

  assert {
    condition     = google_spanner_database.this.database_dialect == "GOOGLE_STANDARD_SQL"
    error_message = "Declarations are written out in GoogleSQL."
  }
}

run "the_autoscaler_has_bounds_and_targets_and_no_fixed_size" {
  variables {
    autoscaling = { min_processing_units = 1000, max_processing_units = 20000 }
  }

  assert {
    condition     = google_spanner_instance.this.autoscaling_config[0].autoscaling_limits[0].min_processing_units == 1000 && google_spanner_instance.this.autoscaling_config[0].autoscaling_limits[0].max_processing_units == 20000
    error_message = "It has the bounds that were asked for."
  }

  assert {
    condition     = google_spanner_instance.this.autoscaling_config[0].autoscaling_targets[0].high_priority_cpu_utilization_percent == 60 && google_spanner_instance.this.autoscaling_config[0].autoscaling_targets[0].storage_utilization_percent == 80
    error_message = "It aims at 60 % of CPU and 80 % of storage."
  }
}

run "customer_managed_keys_cover_database_and_backups" {
  variables {
    kms_key = "projects/p/keys/spanner"
  }

  assert {
    condition     = google_spanner_database.this.encryption_config[0].kms_key_name == "projects/p/keys/spanner"
    error_message = "The database is encrypted with the key."
  }

  assert {
    condition     = google_spanner_backup_schedule.full.encryption_config[0].kms_key_name == "projects/p/keys/spanner" && google_spanner_backup_schedule.full.encryption_config[0].encryption_type == "CUSTOMER_MANAGED_ENCRYPTION"
    error_message = "Backups are encrypted with the key."
  }
}

run "an_edition_that_cannot_scale_is_refused" {
  command = plan

  variables {
    edition     = "STANDARD"
    autoscaling = { min_processing_units = 1000, max_processing_units = 2000 }
  }

  expect_failures = [var.autoscaling]
}

run "backups_shorter_than_point_in_time_recovery_are_refused" {
  command = plan

  variables {
    backup_days = 7
  }

  expect_failures = [var.backup_days]
}
