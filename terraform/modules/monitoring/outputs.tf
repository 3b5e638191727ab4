output "service_levels" {
  description = "Names of the service levels in Cloud Monitoring."
  value       = { for id, level in google_monitoring_slo.this : id => level.name }
}

output "alerts" {
  description = "Names of the alerts: burn rates by service level and speed, and watches."
  value       = sort(concat(keys(google_monitoring_alert_policy.burn), keys(google_monitoring_alert_policy.watch)))
}

output "notification_channels" {
  description = "Ids of all channels that are told."
  value       = local.channels
}
