# One feed: a topic, the subscription that the workers pull, and a second one that archives what came, without any code of ours.
locals {
  retention = "${7 * 86400}s"
  agent     = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# A schema of Pub/Sub is one Avro or protobuf record for all messages of a topic. CloudEvents come in structured mode (any JSON) and in
# binary mode (attributes, and any body), heartbeats have no body at all, and producers are free to choose: so there is none by default, and
# it is our parser that judges each message and keeps what it refuses, with its reason and its bytes. Whoever owns all producers of a topic,
# and publishes no heartbeats to it, can set one all the same.
resource "google_pubsub_schema" "this" {
  count = var.schema == null ? 0 : 1

  project    = var.project_id
  name       = var.name
  type       = var.schema.type
  definition = var.schema.definition
}

# The topic keeps every message for seven days, acknowledged or not: any subscription can be sought back, which is always harmless.
resource "google_pubsub_topic" "this" {
  project                    = var.project_id
  name                       = var.name
  message_retention_duration = local.retention
  kms_key_name               = var.kms_key
  labels                     = var.labels

  dynamic "message_storage_policy" {
    for_each = length(var.persistence_regions) > 0 ? [var.persistence_regions] : []

    content {
      allowed_persistence_regions = message_storage_policy.value
      enforce_in_transit          = true
    }
  }

  dynamic "schema_settings" {
    for_each = google_pubsub_schema.this

    content {
      schema   = schema_settings.value.id
      encoding = var.schema.encoding
    }
  }
}

# No ordering and no exactly-once delivery: identity makes both needless, and they cost throughput.
resource "google_pubsub_subscription" "worker" {
  project                      = var.project_id
  name                         = "${var.name}-worker"
  topic                        = google_pubsub_topic.this.id
  ack_deadline_seconds         = var.ack_deadline_seconds
  message_retention_duration   = local.retention
  retain_acked_messages        = false
  enable_message_ordering      = false
  enable_exactly_once_delivery = false
  labels                       = var.labels

  # An idle feed is no reason to lose its subscription.
  expiration_policy {
    ttl = ""
  }

  # What a worker gives back when it drains is soon with another; what nobody can commit comes again less and less often.
  retry_policy {
    minimum_backoff = "1s"
    maximum_backoff = "600s"
  }

  # Off by default. Pub/Sub counts deliveries, not refusals: in a long outage it would set valid events aside and call them acknowledged, so
  # that the watermark passes them and invoices are issued without them. It is for a message that ends every worker that takes it.
  dynamic "dead_letter_policy" {
    for_each = google_pubsub_topic.quarantine

    content {
      dead_letter_topic     = dead_letter_policy.value.id
      max_delivery_attempts = var.quarantine_after_attempts
    }
  }

  depends_on = [google_pubsub_topic_iam_member.agent_publishes]
}

resource "google_pubsub_topic" "quarantine" {
  count = var.quarantine_after_attempts == null ? 0 : 1

  project                    = var.project_id
  name                       = "${var.name}-quarantine"
  message_retention_duration = local.retention
  kms_key_name               = var.kms_key
  labels                     = var.labels
}

resource "google_pubsub_subscription" "quarantine" {
  count = length(google_pubsub_topic.quarantine)

  project                    = var.project_id
  name                       = "${var.name}-quarantine"
  topic                      = google_pubsub_topic.quarantine[0].id
  message_retention_duration = local.retention
  labels                     = var.labels

  expiration_policy {
    ttl = ""
  }
}

# Setting a message aside is publishing it there and acknowledging it here, which Pub/Sub's own agent must be allowed to.
resource "google_pubsub_topic_iam_member" "agent_publishes" {
  count = length(google_pubsub_topic.quarantine)

  project = var.project_id
  topic   = google_pubsub_topic.quarantine[0].name
  role    = "roles/pubsub.publisher"
  member  = local.agent
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  count = length(google_pubsub_topic.quarantine)

  project      = var.project_id
  subscription = google_pubsub_subscription.worker.name
  role         = "roles/pubsub.subscriber"
  member       = local.agent
}

# Files of Avro records with bytes, attributes, message id and publish time. Nothing of ours reads or writes them, so no fault of ours can
# take them along.
resource "google_pubsub_subscription" "archive" {
  count = var.archive_bucket == null ? 0 : 1

  project                    = var.project_id
  name                       = "${var.name}-archive"
  topic                      = google_pubsub_topic.this.id
  ack_deadline_seconds       = 600
  message_retention_duration = local.retention
  labels                     = var.labels

  cloud_storage_config {
    bucket                   = var.archive_bucket
    filename_prefix          = "${var.name}/"
    filename_suffix          = ".avro"
    filename_datetime_format = "YYYY/MM/DD/hh_mm_ssZ"
    max_duration             = "300s"
    max_bytes                = 1073741824

    avro_config {
      write_metadata = true
    }
  }

  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
}
