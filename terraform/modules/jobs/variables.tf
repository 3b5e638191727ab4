variable "project_id" {
  description = "The project."
  type        = string
}

variable "region" {
  description = "Where they run."
  type        = string
}

variable "name" {
  description = "The beginning of their names."
  type        = string
}

variable "image" {
  description = "The image, by its digest."
  type        = string
}

variable "jobs" {
  description = "The jobs by name: the program and its arguments, the account it runs as, and its bounds."
  type = map(object({
    args            = list(string)
    service_account = string
    timeout_minutes = optional(number, 60)
    retries         = optional(number, 3)
    cpu             = optional(string, "2")
    memory          = optional(string, "2Gi")
  }))
}

variable "environment" {
  description = "Their settings."
  type        = map(string)
}

variable "network" {
  description = "The network they reach others through."
  type        = string
}

variable "subnetwork" {
  description = "The subnetwork they take addresses from."
  type        = string
}

variable "deletion_protection" {
  description = "Whether they are protected against being destroyed."
  type        = bool
  default     = false
}

variable "kms_key" {
  description = "The key that encrypts the deployed image; null for Google's."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
