variable "project_id" {
  description = "The project."
  type        = string
}

variable "name" {
  description = "Name of the repository."
  type        = string
}

variable "location" {
  description = "Where the images are."
  type        = string
}

variable "versions_kept" {
  description = "How many versions of an image are kept whatever their age: those one may want to roll back to."
  type        = number
  default     = 20
}

variable "versions_kept_days" {
  description = "After how many days other versions are deleted."
  type        = number
  default     = 90
}

variable "scan" {
  description = "Whether images are scanned for vulnerabilities, where the project has that on."
  type        = bool
  default     = true
}

variable "kms_key" {
  description = "The key that encrypts images; null for Google's."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
