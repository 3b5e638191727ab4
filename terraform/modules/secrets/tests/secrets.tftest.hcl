mock_provider "google" {}

variables {
  project_id = "p"
  names      = ["millrace-otlp"]
  location   = "europe-west1"
  kms_key    = "projects/p/keys/secrets"
  labels     = { application = "millrace" }
}

run "a_secret_is_an_empty_container_that_is_hard_to_lose" {
  assert {
    condition     = google_secret_manager_secret.this["millrace-otlp"].deletion_protection && google_secret_manager_secret.this["millrace-otlp"].version_destroy_ttl == "604800s"
    error_message = "It is protected, and a destroyed version can be had back for a week."
  }

  assert {
    condition     = google_secret_manager_secret.this["millrace-otlp"].replication[0].user_managed[0].replicas[0].location == "europe-west1" && google_secret_manager_secret.this["millrace-otlp"].replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == "projects/p/keys/secrets"
    error_message = "It stays in the region, encrypted with the key."
  }
}
