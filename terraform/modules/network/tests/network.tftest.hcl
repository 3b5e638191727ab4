mock_provider "google" {}

variables {
  project_id = "p"
  name       = "millrace"
  region     = "europe-west1"
}

run "nothing_comes_in_and_only_google_is_reached" {
  assert {
    condition     = google_compute_firewall.deny_ingress.direction == "INGRESS" && google_compute_firewall.deny_ingress.source_ranges == toset(["0.0.0.0/0"]) && length(google_compute_firewall.deny_ingress.deny) == 1
    error_message = "All ingress is denied."
  }

  assert {
    condition     = google_compute_subnetwork.this.private_ip_google_access && length(google_compute_router_nat.this) == 0 && !google_compute_network.this.auto_create_subnetworks
    error_message = "Google's interfaces are reached without a way to the internet."
  }
}

run "the_internet_is_a_choice" {
  variables {
    internet_egress = true
  }

  assert {
    condition     = length(google_compute_router_nat.this) == 1
    error_message = "There is a NAT."
  }
}

run "a_subnetwork_that_is_too_small_is_refused" {
  command = plan

  variables {
    cidr = "10.0.0.0/28"
  }

  expect_failures = [var.cidr]
}
