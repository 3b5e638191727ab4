variable "project_id" {
  description = "The project."
  type        = string
}

variable "project_number" {
  description = "The project's number, of which the names of Google's service agents are made."
  type        = string
}

variable "name" {
  description = "Name of the key ring. It stays for ever, even when its keys are gone."
  type        = string
}

variable "location" {
  description = "Where the keys are: the location of what they encrypt."
  type        = string
}

variable "dataflow" {
  description = "Whether there is a key for jobs on Dataflow, whose agents exist once that interface was used."
  type        = bool
  default     = false
}

variable "rotation_days" {
  description = "After how many days a key gets a new version. Old versions stay, to decrypt what they encrypted."
  type        = number
  default     = 90
}

variable "protection_level" {
  description = "SOFTWARE or HSM."
  type        = string
  default     = "SOFTWARE"

  validation {
    condition     = contains(["SOFTWARE", "HSM"], var.protection_level)
    error_message = "The protection level is SOFTWARE or HSM."
  }
}

variable "labels" {
  description = "Labels of everything that can have some."
  type        = map(string)
}
