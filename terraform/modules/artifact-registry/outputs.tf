output "repository" {
  description = "Id of the repository."
  value       = google_artifact_registry_repository.this.id
}

output "repository_name" {
  description = "Name of the repository within its location."
  value       = google_artifact_registry_repository.this.repository_id
}

output "prefix" {
  description = "What the names of images begin with."
  value       = "${var.location}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.this.repository_id}"
}
