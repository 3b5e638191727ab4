variable "project_id" {
  description = "The project."
  type        = string
}

variable "names" {
  description = "Names of the secrets."
  type        = set(string)
}

variable "location" {
  description = "Where their versions are kept."
  type        = string
}

variable "kms_key" {
  description = "The key that encrypts them; null for Google's."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
