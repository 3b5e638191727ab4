variable "project_id" {
  description = "The project."
  type        = string
}

variable "name" {
  description = "Name of the instance."
  type        = string
}

variable "database" {
  description = "Name of the database."
  type        = string
  default     = "millrace"
}

variable "config" {
  description = "Where the instance is, such as `regional-europe-west1` or `eur6`."
  type        = string
}

variable "edition" {
  description = "STANDARD, ENTERPRISE (autoscaling) or ENTERPRISE_PLUS (several regions)."
  type        = string
  default     = "ENTERPRISE"

  validation {
    condition     = contains(["STANDARD", "ENTERPRISE", "ENTERPRISE_PLUS"], var.edition)
    error_message = "The edition is STANDARD, ENTERPRISE or ENTERPRISE_PLUS."
  }
}

variable "autoscaling" {
  description = "Bounds and targets of the autoscaler; null for a fixed size. The target of CPU leaves room for the peak that it takes minutes to answer."
  type = object({
    min_processing_units = number
    max_processing_units = number
    cpu_percent          = optional(number, 60)
    storage_percent      = optional(number, 80)
  })
  default = null

  validation {
    condition     = var.autoscaling == null ? true : var.autoscaling.min_processing_units >= 1000 && var.autoscaling.max_processing_units >= var.autoscaling.min_processing_units
    error_message = "The autoscaler needs at least 1000 processing units, and a greatest size that is not below the least."
  }

  validation {
    condition     = var.autoscaling == null || var.edition != "STANDARD"
    error_message = "The autoscaler needs the edition ENTERPRISE or ENTERPRISE_PLUS."
  }
}

variable "processing_units" {
  description = "The fixed size where there is no autoscaling; 1000 are a node."
  type        = number
  default     = 100
}

variable "deletion_protection" {
  description = "Whether the database is protected against being destroyed or dropped."
  type        = bool
  default     = true
}

variable "backup_cron" {
  description = "When full backups begin, as a cron line in UTC."
  type        = string
  default     = "0 2 * * 0"
}

variable "backup_days" {
  description = "How long a backup is kept, up to 366 days. Each is a full copy and is paid as one."
  type        = number
  default     = 22

  validation {
    condition     = var.backup_days > 7 && var.backup_days <= 366
    error_message = "Backups are kept 8 to 366 days: seven days need none."
  }
}

variable "kms_key" {
  description = "The key that encrypts database and backups; null for Google's. It cannot be changed later."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
