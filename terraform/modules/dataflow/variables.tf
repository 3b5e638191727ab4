variable "project_id" {
  description = "The project."
  type        = string
}

variable "location" {
  description = "Where jobs run, files are staged and images are."
  type        = string
}

variable "name" {
  description = "The beginning of names."
  type        = string
}

variable "network" {
  description = "The network of the workers."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket for staged (`staging/`) and temporary (`temp/`) files: unique in all of Cloud Storage."
  type        = string
}

variable "repository" {
  description = "Name of the repository with the image of the workers."
  type        = string
}

variable "service_account" {
  description = "The account that jobs run as."
  type        = string
}

variable "launchers" {
  description = "Who launches and ends jobs, such as `user:…` or `serviceAccount:…`."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(var.launchers, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "Jobs are not for everybody to launch: a launcher is a known account."
  }
}

variable "kms_key" {
  description = "The key that encrypts the files; null for Google's."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
