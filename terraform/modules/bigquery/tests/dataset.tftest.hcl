mock_provider "google" {}

variables {
  project_id = "p"
  location   = "europe-west1"
  kms_key    = "projects/p/keys/bigquery"
  labels     = {}
}

run "a_dataset_with_tables_is_not_destroyed_and_can_be_read_as_it_was" {
  assert {
    condition     = !google_bigquery_dataset.this.delete_contents_on_destroy && google_bigquery_dataset.this.max_time_travel_hours == "168"
    error_message = "Tables stay, and every state of seven days can be queried."
  }

  assert {
    condition     = google_bigquery_dataset.this.default_encryption_configuration[0].kms_key_name == "projects/p/keys/bigquery"
    error_message = "New tables are encrypted with the key."
  }
}


run "a_name_that_bigquery_does_not_take_is_refused" {
  command = plan

  variables {
    dataset = "with-dash"
  }

  expect_failures = [var.dataset]
}
