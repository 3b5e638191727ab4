output "name" {
  description = "Name of the budget in its billing account."
  value       = google_billing_budget.this.name
}
