variable "project_id" {
  description = "The project."
  type        = string
}

variable "name" {
  description = "Name of the service in Cloud Monitoring, and what messages name."
  type        = string
}

variable "emails" {
  description = "Addresses that are told of every alert."
  type        = set(string)
  default     = []
}

variable "notification_channels" {
  description = "Ids of further channels, made elsewhere: pagers need secrets, and those stay out of the state."
  type        = list(string)
  default     = []
}

variable "measured" {
  description = "Whether service levels have been measured yet. Cloud Monitoring may refuse them while their metrics do not exist: false for the first apply in a project."
  type        = bool
  default     = true
}

variable "subscriptions" {
  description = "Names of the subscriptions to watch."
  type = object({
    worker     = list(string)
    archive    = list(string)
    quarantine = list(string)
  })
}

variable "spanner_instance" {
  description = "Name of the database's instance."
  type        = string
}

variable "jobs" {
  description = "Names of the jobs to watch."
  type        = list(string)
}

variable "invoices_job" {
  description = "Name of the job that bills."
  type        = string
}

variable "thresholds" {
  description = "From where on the watches alert: seconds for ages, a count in ten minutes for dead letters and in an hour for conflicts and overdrafts, parts of one for the database."
  type = object({
    backlog_age_seconds = optional(number, 300)
    archive_age_seconds = optional(number, 3600)
    dead_letters        = optional(number, 10)
    conflicts           = optional(number, 10)
    overdrafts          = optional(number, 0)
    database_cpu        = optional(number, 0.75)
    database_storage    = optional(number, 0.8)
  })
  default = {}
}

variable "runbooks" {
  description = "Where the page of the alerts is: each alert links to its part."
  type        = string
  default     = "docs/runbooks/alerts.md"
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
