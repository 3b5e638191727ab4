mock_provider "google" {}

variables {
  project_id = "p"
  name       = "millrace"
  location   = "europe-west1"
  kms_key    = "projects/p/keys/artifact-registry"
  labels     = { application = "millrace" }
}

run "a_rollback_finds_the_image_it_names" {
  assert {
    condition     = google_artifact_registry_repository.this.docker_config[0].immutable_tags
    error_message = "Tags never move."
  }

  assert {
    condition     = anytrue([for policy in google_artifact_registry_repository.this.cleanup_policies : policy.action == "KEEP" && try(policy.most_recent_versions[0].keep_count, 0) == 20])
    error_message = "The last twenty versions stay."
  }

  assert {
    condition     = google_artifact_registry_repository.this.kms_key_name == "projects/p/keys/artifact-registry" && output.prefix == "europe-west1-docker.pkg.dev/p/millrace"
    error_message = "Images are encrypted with the key, under the name that is told."
  }
}
