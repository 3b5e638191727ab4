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

run "whoever_launches_jobs_on_dataflow_is_told_where" {
  variables {
    dataflow           = true
    dataflow_launchers = ["user:ops@example.com"]
  }

  override_module {
    target = module.network
    outputs = {
      network    = "projects/acme-usage/global/networks/millrace"
      subnetwork = "projects/acme-usage/regions/europe-west1/subnetworks/millrace-europe-west1"
    }
  }

  override_module {
    target = module.iam
    outputs = {
      emails = { for who in ["api", "worker", "migrate", "invoices", "operations", "scheduler", "dataflow"] : who => "millrace-${who}@acme-usage.iam.gserviceaccount.com" }
      grants = []
    }
  }

  assert {
    condition = output.dataflow == {
      MILLRACE_DATAFLOW_REGION          = "europe-west1"
      MILLRACE_DATAFLOW_STAGING         = "gs://acme-usage-millrace-dataflow/staging"
      MILLRACE_DATAFLOW_TEMP            = "gs://acme-usage-millrace-dataflow/temp"
      MILLRACE_DATAFLOW_SERVICE_ACCOUNT = "millrace-dataflow@acme-usage.iam.gserviceaccount.com"
      MILLRACE_DATAFLOW_SUBNETWORK      = "projects/acme-usage/regions/europe-west1/subnetworks/millrace-europe-west1"
      MILLRACE_DATAFLOW_LABELS          = jsonencode({ application = "millrace", component = "dataflow", environment = "test" })
    }
    error_message = "The settings of a launch name what was made: ${jsonencode(output.dataflow)}"
  }
}

run "without_jobs_on_dataflow_nobody_launches_any" {
  command = plan

  variables {
    dataflow_launchers = ["user:ops@example.com"]
  }

  expect_failures = [var.dataflow_launchers]
}
