mock_provider "google" {}

variables {
  billing_account       = "000000-000000-000000"
  project_number        = "123"
  name                  = "millrace"
  amount                = { units = 5000, currency = "EUR" }
  notification_channels = ["projects/p/notificationChannels/1"]
}

run "somebody_is_told_before_the_money_is_spent" {
  assert {
    condition     = anytrue([for rule in google_billing_budget.this.threshold_rules : rule.threshold_percent == 0.5 && rule.spend_basis == "CURRENT_SPEND"]) && anytrue([for rule in google_billing_budget.this.threshold_rules : rule.spend_basis == "FORECASTED_SPEND"])
    error_message = "Half of the budget warns, and so does a forecast above it."
  }

  assert {
    condition     = google_billing_budget.this.budget_filter[0].projects == toset(["projects/123"]) && google_billing_budget.this.amount[0].specified_amount[0].units == "5000"
    error_message = "It is the budget of this project."
  }
}
