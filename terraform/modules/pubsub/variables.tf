variable "project_id" {
  description = "The project."
  type        = string
}

variable "project_number" {
  description = "The project's number, of which the name of Pub/Sub's service agent is made."
  type        = string
}

variable "name" {
  description = "Name of the topic, and the beginning of the names of its subscriptions."
  type        = string
}

variable "ack_deadline_seconds" {
  description = "How long a delivery is leased. The workers extend leases while they commit; after a worker died its messages come again when they end."
  type        = number
  default     = 60

  validation {
    condition     = var.ack_deadline_seconds >= 10 && var.ack_deadline_seconds <= 600
    error_message = "Pub/Sub takes deadlines from 10 to 600 seconds."
  }
}

variable "quarantine_after_attempts" {
  description = "After how many deliveries Pub/Sub sets a message aside; null for never. Read the note in main.tf before you set it."
  type        = number
  default     = null

  validation {
    condition     = var.quarantine_after_attempts == null ? true : var.quarantine_after_attempts >= 5 && var.quarantine_after_attempts <= 100
    error_message = "Pub/Sub takes 5 to 100 attempts."
  }
}

variable "schema" {
  description = "A Pub/Sub schema that every message must follow; null for none. Read the note in main.tf before you set it."
  type = object({
    type       = string
    definition = string
    encoding   = string
  })
  default = null
}

variable "persistence_regions" {
  description = "The regions in which messages may be stored; empty for all."
  type        = list(string)
  default     = []
}

variable "archive_bucket" {
  description = "Name of the bucket that keeps raw messages; null for no archive."
  type        = string
  default     = null
}

variable "kms_key" {
  description = "The key that encrypts messages; null for Google's."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
