variable "billing_account" {
  description = "The billing account that pays for the project."
  type        = string
}

variable "project_number" {
  description = "The project's number."
  type        = string
}

variable "name" {
  description = "Name of the budget."
  type        = string
}

variable "amount" {
  description = "What a month may cost before credits, in whole units of the billing account's currency."
  type        = object({ units = number, currency = string })
}

variable "notification_channels" {
  description = "Ids of the channels that are told, beside the billing account's administrators."
  type        = list(string)
  default     = []
}
