variable "project_id" {
  description = "The project."
  type        = string
}

variable "region" {
  description = "Where it runs."
  type        = string
}

variable "name" {
  description = "Name of the pool."
  type        = string
}

variable "image" {
  description = "The image, by its digest."
  type        = string
}

variable "args" {
  description = "The program of the image and its arguments."
  type        = list(string)
}

variable "service_account" {
  description = "The account it runs as."
  type        = string
}

variable "environment" {
  description = "Its settings."
  type        = map(string)
}

variable "secret_environment" {
  description = "Settings whose values are secrets: name of the setting, id of the secret."
  type        = map(string)
  default     = {}
}

variable "network" {
  description = "The network it reaches others through."
  type        = string
}

variable "subnetwork" {
  description = "The subnetwork it takes addresses from."
  type        = string
}

variable "instances" {
  description = "The least and the greatest number of instances; Cloud Run follows their CPU between the two. Where both are the same the number is fixed, for a scaler of your own that follows the backlog. None at all stops the workers, and messages wait."
  type        = object({ min = number, max = number })
  default     = { min = 2, max = 10 }

  validation {
    condition     = var.instances.max >= var.instances.min && (var.instances.min >= 1 || var.instances.max == 0)
    error_message = "There is at least one instance, or there are none at all; and the greatest number is not below the least."
  }
}

variable "cpu" {
  description = "CPUs of an instance: a worker commits on one thread and uses a part of a second one."
  type        = string
  default     = "2"
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
  default     = "2Gi"
}

variable "collector" {
  description = "Image and configuration of the OpenTelemetry collector beside it; null for none."
  type        = object({ image = string, config = string })
  default     = null
}

variable "launch_stage" {
  description = "The stage of Cloud Run's own development to deploy with: `BETA` where worker pools are not generally available yet."
  type        = string
  default     = "GA"
}

variable "deletion_protection" {
  description = "Whether it is protected against being destroyed."
  type        = bool
  default     = true
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
