mock_provider "google" {}

variables {
  project_id      = "p"
  region          = "europe-west1"
  name            = "millrace-api"
  image           = "europe-west1-docker.pkg.dev/p/millrace/millrace@sha256:0"
  args            = ["api/main.ts"]
  service_account = "millrace-api@p.iam.gserviceaccount.com"
  environment     = { MILLRACE_BACKEND = "gcp" }
  network         = "n"
  subnetwork      = "s"
  labels          = { application = "millrace" }
}

run "nobody_is_let_in_unless_chosen" {
  assert {
    condition     = length(google_cloud_run_v2_service_iam_member.public) == 0 && length(google_cloud_run_v2_service_iam_member.invoker) == 0
    error_message = "There is no invoker by default."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" && google_cloud_run_v2_service.this.invoker_iam_disabled == false
    error_message = "Requests come from inside or through a load balancer, and are checked."
  }
}

run "public_is_a_choice" {
  variables {
    public = true
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_member.public[0].member == "allUsers" && google_cloud_run_v2_service_iam_member.public[0].role == "roles/run.invoker"
    error_message = "Everybody may send requests, and nothing else."
  }
}

run "everybody_cannot_come_in_by_the_back_door" {
  command = plan

  variables {
    invokers = ["allUsers"]
  }

  expect_failures = [var.invokers]
}

run "a_revision_without_its_stores_takes_no_traffic" {
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].startup_probe[0].http_get[0].path == "/readyz" && google_cloud_run_v2_service.this.template[0].containers[0].liveness_probe[0].http_get[0].path == "/healthz"
    error_message = "Ready before traffic; alive afterwards, even while a store is away."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].containers[0].resources[0].cpu_idle == false
    error_message = "What is kept fresh between requests needs CPU."
  }
}

run "it_runs_as_its_own_account_in_its_network" {
  assert {
    condition     = google_cloud_run_v2_service.this.template[0].service_account == "millrace-api@p.iam.gserviceaccount.com"
    error_message = "It has an account of its own."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].vpc_access[0].egress == "ALL_TRAFFIC"
    error_message = "Everything it sends goes through the network."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.deletion_protection
    error_message = "It is protected against being destroyed."
  }
}

run "secrets_are_references" {
  variables {
    secret_environment = { OTEL_EXPORTER_OTLP_HEADERS = "millrace-otlp" }
    collector          = { image = "collector", config = "receivers:" }
    kms_key            = "projects/p/keys/run"
  }

  assert {
    condition = anytrue([
      for setting in google_cloud_run_v2_service.this.template[0].containers[0].env :
      setting.name == "OTEL_EXPORTER_OTLP_HEADERS" && try(setting.value_source[0].secret_key_ref[0].secret, "") == "millrace-otlp"
    ])
    error_message = "A secret setting names its secret and holds no value."
  }

  assert {
    condition     = [for container in google_cloud_run_v2_service.this.template[0].containers : container.name] == ["api", "collector"]
    error_message = "The collector is beside it."
  }

  assert {
    condition     = google_cloud_run_v2_service.this.template[0].encryption_key == "projects/p/keys/run"
    error_message = "The deployed image is encrypted with the key."
  }
}
