# Disabling an interface on destroy would break whatever else the project runs, so destroying this leaves them on.
resource "google_project_service" "this" {
  for_each = var.services

  project                    = var.project_id
  service                    = each.value
  disable_on_destroy         = false
  disable_dependent_services = false
}
