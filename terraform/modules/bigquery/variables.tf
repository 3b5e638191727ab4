variable "project_id" {
  description = "The project."
  type        = string
}

variable "dataset" {
  description = "Name of the dataset."
  type        = string
  default     = "millrace"

  validation {
    condition     = can(regex("^\\w+$", var.dataset))
    error_message = "A dataset is named by letters, digits and underscores."
  }
}

variable "location" {
  description = "Where the dataset is. It cannot be changed later."
  type        = string
}

variable "storage_billing_model" {
  description = "LOGICAL or PHYSICAL. Events compress well, so PHYSICAL is mostly the cheaper one, though it charges for time travel."
  type        = string
  default     = "PHYSICAL"
}

variable "kms_key" {
  description = "The key that encrypts tables; null for Google's."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
