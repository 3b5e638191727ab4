output "instance" {
  description = "Name of the instance."
  value       = google_spanner_instance.this.name
}

output "database" {
  description = "Name of the database."
  value       = google_spanner_database.this.name
}
