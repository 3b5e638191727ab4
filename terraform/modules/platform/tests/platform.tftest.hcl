mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123" }
  }
}

variables {
  project_id  = "acme-usage"
  region      = "europe-west1"
  environment = "test"
  image       = "europe-west1-docker.pkg.dev/acme-usage/millrace/millrace@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "what_runs_is_told_where_everything_is" {
  assert {
    condition = output.environment == {
      MILLRACE_BACKEND              = "gcp"
      MILLRACE_PROJECT              = "acme-usage"
      MILLRACE_SPANNER_INSTANCE     = "millrace"
      MILLRACE_SPANNER_DATABASE     = "millrace"
      MILLRACE_BIGQUERY_DATASET     = "millrace"
      MILLRACE_BIGQUERY_LOCATION    = "europe-west1"
      MILLRACE_API_TOPIC            = "millrace-api"
      MILLRACE_ACK_DEADLINE_SECONDS = "60"
      MILLRACE_RELEASE              = "0123456789ab"
      MILLRACE_FEEDS = jsonencode([
        { feed = "api", namespaces = "attribute", subscription = "millrace-api-worker", topic = "millrace-api" },
        { feed = "usage", namespace = "default", subscription = "millrace-usage-worker", topic = "millrace-usage" },
      ])
    }
    error_message = "The settings name the stores: ${jsonencode(output.environment)}"
  }
}

run "a_feed_can_bound_its_sources" {
  variables {
    feeds = {
      chat = { namespace = "default", sources = ["urn:svc:chat"] }
    }
  }

  assert {
    condition = jsondecode(output.environment.MILLRACE_FEEDS) == [
      { feed = "api", namespaces = "attribute", subscription = "millrace-api-worker", topic = "millrace-api" },
      { feed = "chat", namespace = "default", sources = ["urn:svc:chat"], subscription = "millrace-chat-worker", topic = "millrace-chat" },
    ]
    error_message = "Feeds are told with their rules."
  }
}

run "the_defaults_are_the_safe_ones" {
  assert {
    condition     = output.archive_bucket == "acme-usage-millrace-archive"
    error_message = "Raw messages are archived."
  }

  assert {
    condition     = toset(keys(output.jobs)) == toset(["migrate", "invoices", "reconcile", "backfill"])
    error_message = "There is a job for each kind of work that ends."
  }
}

run "an_image_that_can_change_under_its_name_is_refused" {
  command = plan

  variables {
    image = "europe-west1-docker.pkg.dev/acme-usage/millrace/millrace:latest"
  }

  expect_failures = [var.image]
}

run "the_apis_feed_cannot_be_declared_away" {
  command = plan

  variables {
    feeds = { api = { namespace = "default" } }
  }

  expect_failures = [var.feeds]
}
