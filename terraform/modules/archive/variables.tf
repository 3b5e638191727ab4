variable "project_id" {
  description = "The project."
  type        = string
}

variable "project_number" {
  description = "The project's number, of which the name of Pub/Sub's service agent is made."
  type        = string
}

variable "name" {
  description = "Name of the bucket: unique in all of Cloud Storage."
  type        = string
}

variable "location" {
  description = "Where the bucket is."
  type        = string
}

variable "retention_days" {
  description = "How long a file can be neither changed nor deleted."
  type        = number
  default     = 90
}

variable "lock_retention" {
  description = "Whether the retention can never be shortened any more. Cannot be taken back."
  type        = bool
  default     = false
}

variable "coldline_after_days" {
  description = "After how many days files become cheap to keep and dear to read."
  type        = number
  default     = 30
}

variable "kept_days" {
  description = "After how many days files are deleted. Longer than events may be corrected."
  type        = number
  default     = 400
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
