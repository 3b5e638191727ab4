mock_provider "google" {}

variables {
  project_id     = "p"
  project_number = "123"
  name           = "millrace"
  location       = "europe-west1"
  labels         = { application = "millrace" }
}

# Only planned: what may not be destroyed could not be cleaned up after a mocked apply.
run "each_store_has_a_key_that_rotates_and_cannot_go_in_a_hurry" {
  command = plan

  assert {
    condition     = toset(keys(google_kms_crypto_key.this)) == toset(["artifact-registry", "bigquery", "pubsub", "run", "secrets", "spanner", "storage"])
    error_message = "Each kind of store has a key."
  }

  assert {
    condition     = alltrue([for key in google_kms_crypto_key.this : key.rotation_period == "7776000s" && key.destroy_scheduled_duration == "2592000s"])
    error_message = "Keys rotate every 90 days, and are destroyed after 30 days at the earliest."
  }
}

run "only_googles_agents_use_keys_each_its_own" {
  command = plan

  assert {
    condition = {
      for name, grant in google_kms_crypto_key_iam_member.agent : split(" ", name)[0] => grant.member
      } == {
      artifact-registry = "serviceAccount:service-123@gcp-sa-artifactregistry.iam.gserviceaccount.com"
      bigquery          = "serviceAccount:bq-123@bigquery-encryption.iam.gserviceaccount.com"
      pubsub            = "serviceAccount:service-123@gcp-sa-pubsub.iam.gserviceaccount.com"
      run               = "serviceAccount:service-123@serverless-robot-prod.iam.gserviceaccount.com"
      secrets           = "serviceAccount:service-123@gcp-sa-secretmanager.iam.gserviceaccount.com"
      spanner           = "serviceAccount:service-123@gcp-sa-spanner.iam.gserviceaccount.com"
      storage           = "serviceAccount:service-123@gs-project-accounts.iam.gserviceaccount.com"
    }
    error_message = "Each key is used by the agent of its store."
  }

  assert {
    condition     = toset([for grant in google_kms_crypto_key_iam_member.agent : grant.role]) == toset(["roles/cloudkms.cryptoKeyEncrypterDecrypter"])
    error_message = "Agents encrypt and decrypt, and nothing else."
  }
}

run "jobs_on_dataflow_have_a_key_where_there_are_any" {
  command = plan

  variables {
    dataflow = true
  }

  assert {
    condition = toset([for name, grant in google_kms_crypto_key_iam_member.agent : grant.member if startswith(name, "dataflow ")]) == toset([
      "serviceAccount:service-123@dataflow-service-producer-prod.iam.gserviceaccount.com",
      "serviceAccount:service-123@compute-system.iam.gserviceaccount.com",
    ])
    error_message = "Dataflow and its disks are encrypted with a key of their own."
  }
}
