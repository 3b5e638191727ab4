# Tables and views have one owner, the code: `npm run migrate` makes and changes them. Terraform makes the empty dataset.
resource "google_bigquery_dataset" "this" {
  project       = var.project_id
  dataset_id    = var.dataset
  friendly_name = "Millrace"
  description   = "Usage events as they were counted, and views over them."
  location      = var.location
  # Destroying a dataset that has tables fails.
  delete_contents_on_destroy = false
  max_time_travel_hours      = "168"
  storage_billing_model      = var.storage_billing_model
  labels                     = var.labels

  dynamic "default_encryption_configuration" {
    for_each = var.kms_key == null ? [] : [var.kms_key]

    content {
      kms_key_name = default_encryption_configuration.value
    }
  }
}
