# One key for each kind of store, so that one can be turned off, or its use be audited, without the others.
locals {
  # Jobs on Dataflow keep state in its service, and disks.
  dataflow_agents = var.dataflow ? {
    dataflow = [
      "service-${var.project_number}@dataflow-service-producer-prod.iam.gserviceaccount.com",
      "service-${var.project_number}@compute-system.iam.gserviceaccount.com",
    ]
  } : {}

  agents = merge(local.dataflow_agents, {
    artifact-registry = ["service-${var.project_number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"]
    bigquery          = ["bq-${var.project_number}@bigquery-encryption.iam.gserviceaccount.com"]
    pubsub            = ["service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"]
    run               = ["service-${var.project_number}@serverless-robot-prod.iam.gserviceaccount.com"]
    secrets           = ["service-${var.project_number}@gcp-sa-secretmanager.iam.gserviceaccount.com"]
    spanner           = ["service-${var.project_number}@gcp-sa-spanner.iam.gserviceaccount.com"]
    storage           = ["service-${var.project_number}@gs-project-accounts.iam.gserviceaccount.com"]
  })
}

resource "google_kms_key_ring" "this" {
  project  = var.project_id
  name     = var.name
  location = var.location
}

# A destroyed key is destroyed data: keys go only by hand, after this block was changed.
resource "google_kms_crypto_key" "this" {
  for_each = local.agents

  name                       = each.key
  key_ring                   = google_kms_key_ring.this.id
  purpose                    = "ENCRYPT_DECRYPT"
  rotation_period            = "${var.rotation_days * 86400}s"
  destroy_scheduled_duration = "${30 * 86400}s"
  labels                     = var.labels

  version_template {
    algorithm        = "GOOGLE_SYMMETRIC_ENCRYPTION"
    protection_level = var.protection_level
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Google's own agents encrypt and decrypt; none of our accounts may use a key itself.
resource "google_kms_crypto_key_iam_member" "agent" {
  for_each = merge([
    for key, agents in local.agents : { for agent in agents : "${key} ${agent}" => { key = key, agent = agent } }
  ]...)

  crypto_key_id = google_kms_crypto_key.this[each.value.key].id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value.agent}"
}
