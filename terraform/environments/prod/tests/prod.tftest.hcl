mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123" }
  }
}

variables {
  project_id   = "acme-usage"
  region       = "europe-west1"
  image        = "europe-west1-docker.pkg.dev/acme-usage/millrace/millrace@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  alert_emails = ["on-call@example.com"]
}

run "production_is_planned_as_a_whole" {
  command = plan

  assert {
    condition     = output.topics == { api = "millrace-api", usage = "millrace-usage" }
    error_message = "Producers are told their topics."
  }
}
