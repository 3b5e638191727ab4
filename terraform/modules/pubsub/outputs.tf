output "topic" {
  description = "Name of the topic."
  value       = google_pubsub_topic.this.name
}

output "subscription" {
  description = "Name of the workers' subscription."
  value       = google_pubsub_subscription.worker.name
}

output "archive_subscription" {
  description = "Name of the archiving subscription; null without one."
  value       = one(google_pubsub_subscription.archive[*].name)
}

output "quarantine_subscription" {
  description = "Name of the subscription with what was set aside; null where nothing is."
  value       = one(google_pubsub_subscription.quarantine[*].name)
}
