output "staging" {
  description = "Where a job's files are staged."
  value       = "gs://${google_storage_bucket.this.name}/staging"
}

output "temp" {
  description = "Where a job keeps temporary files."
  value       = "gs://${google_storage_bucket.this.name}/temp"
}
