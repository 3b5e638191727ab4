variable "project_id" {
  description = "The project."
  type        = string
}

variable "region" {
  description = "Where the jobs are."
  type        = string
}

variable "name" {
  description = "The beginning of the schedules' names."
  type        = string
}

variable "schedules" {
  description = "Which job begins when, as a cron line in a time zone."
  type = map(object({
    job       = string
    cron      = string
    time_zone = optional(string, "Etc/UTC")
    paused    = optional(bool, false)
  }))
}

variable "service_account" {
  description = "The account that starts the jobs."
  type        = string
}
