output "uri" {
  description = "Its address."
  value       = google_cloud_run_v2_service.this.uri
}

output "name" {
  description = "Its name."
  value       = google_cloud_run_v2_service.this.name
}
