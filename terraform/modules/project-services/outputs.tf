output "project_id" {
  description = "The project, once its interfaces are on: whoever takes it from here waits for them."
  value       = var.project_id
  depends_on  = [google_project_service.this]
}

output "services" {
  description = "The interfaces that are on."
  value       = [for service in google_project_service.this : service.service]
}
