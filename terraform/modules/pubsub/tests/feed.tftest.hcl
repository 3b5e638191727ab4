mock_provider "google" {}

variables {
  project_id     = "p"
  project_number = "123"
  name           = "millrace-usage"
  labels         = { application = "millrace" }
}

run "a_feed_keeps_messages_for_seven_days_and_never_expires" {
  assert {
    condition     = google_pubsub_topic.this.message_retention_duration == "604800s" && google_pubsub_subscription.worker.message_retention_duration == "604800s"
    error_message = "A replay needs seven days of messages."
  }

  assert {
    condition     = google_pubsub_subscription.worker.expiration_policy[0].ttl == ""
    error_message = "An idle feed must not lose its subscription."
  }
}

run "leases_are_long_enough_to_commit_and_retries_back_off" {
  assert {
    condition     = google_pubsub_subscription.worker.ack_deadline_seconds == 60
    error_message = "The deadline is a minute."
  }

  assert {
    condition     = google_pubsub_subscription.worker.retry_policy[0].minimum_backoff == "1s" && google_pubsub_subscription.worker.retry_policy[0].maximum_backoff == "600s"
    error_message = "Messages that are given back come again after a second to ten minutes."
  }

  assert {
    condition     = !google_pubsub_subscription.worker.enable_message_ordering && !google_pubsub_subscription.worker.enable_exactly_once_delivery
    error_message = "Identity makes ordering and exactly-once delivery needless."
  }
}

run "a_long_outage_sets_no_valid_event_aside" {
  assert {
    condition     = length(google_pubsub_subscription.worker.dead_letter_policy) == 0 && length(google_pubsub_topic.quarantine) == 0
    error_message = "Pub/Sub must not count deliveries unless that is chosen."
  }
}

run "every_client_may_publish_in_either_mode" {
  assert {
    condition     = length(google_pubsub_topic.this.schema_settings) == 0
    error_message = "There is no schema unless one is chosen."
  }
}

run "pubsub_itself_may_move_messages_to_a_quarantine" {
  variables {
    quarantine_after_attempts = 100
  }

  assert {
    condition     = google_pubsub_subscription.worker.dead_letter_policy[0].max_delivery_attempts == 100
    error_message = "The policy has the attempts that were asked for."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.agent_publishes[0].role == "roles/pubsub.publisher" && google_pubsub_topic_iam_member.agent_publishes[0].topic == "millrace-usage-quarantine"
    error_message = "The service agent publishes to the quarantine."
  }

  assert {
    condition     = google_pubsub_subscription_iam_member.agent_acknowledges[0].role == "roles/pubsub.subscriber" && google_pubsub_subscription_iam_member.agent_acknowledges[0].subscription == "millrace-usage-worker"
    error_message = "The service agent acknowledges what it moved."
  }

  assert {
    condition     = toset([google_pubsub_topic_iam_member.agent_publishes[0].member, google_pubsub_subscription_iam_member.agent_acknowledges[0].member]) == toset(["serviceAccount:service-123@gcp-sa-pubsub.iam.gserviceaccount.com"])
    error_message = "It is Pub/Sub's agent of this project."
  }

  assert {
    condition     = google_pubsub_subscription.quarantine[0].message_retention_duration == "604800s"
    error_message = "What was set aside is kept for seven days."
  }
}

run "the_archive_keeps_bytes_and_attributes_without_code_of_ours" {
  variables {
    archive_bucket = "p-archive"
  }

  assert {
    condition     = google_pubsub_subscription.archive[0].cloud_storage_config[0].bucket == "p-archive" && google_pubsub_subscription.archive[0].cloud_storage_config[0].avro_config[0].write_metadata
    error_message = "Attributes, message id and publish time are archived with the bytes."
  }

  assert {
    condition     = google_pubsub_subscription.archive[0].topic == google_pubsub_subscription.worker.topic && google_pubsub_subscription.archive[0].name != google_pubsub_subscription.worker.name
    error_message = "The archive has a subscription of its own on the same topic."
  }

  assert {
    condition     = length(google_pubsub_subscription.archive[0].dead_letter_policy) == 0
    error_message = "The archive drops nothing."
  }
}

run "stores_in_chosen_regions_under_a_chosen_key" {
  variables {
    persistence_regions       = ["europe-west1"]
    kms_key                   = "projects/p/keys/pubsub"
    quarantine_after_attempts = 5
  }

  assert {
    condition     = google_pubsub_topic.this.kms_key_name == "projects/p/keys/pubsub" && google_pubsub_topic.quarantine[0].kms_key_name == "projects/p/keys/pubsub"
    error_message = "Both topics are encrypted with the key."
  }

  assert {
    condition     = google_pubsub_topic.this.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west1"])
    error_message = "Messages stay in the region."
  }
}

run "a_deadline_that_pubsub_does_not_take_is_refused" {
  command = plan

  variables {
    ack_deadline_seconds = 5
  }

  expect_failures = [var.ack_deadline_seconds]
}
