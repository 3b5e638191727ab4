output "dataset" {
  description = "Name of the dataset."
  value       = google_bigquery_dataset.this.dataset_id
}

output "location" {
  description = "Where it is."
  value       = google_bigquery_dataset.this.location
}
