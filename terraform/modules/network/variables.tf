variable "project_id" {
  description = "The project."
  type        = string
}

variable "name" {
  description = "Name of the network, and the beginning of all names in it."
  type        = string
}

variable "region" {
  description = "The region of the subnetwork."
  type        = string
}

variable "cidr" {
  description = "Addresses of the subnetwork. Cloud Run takes several for each instance, above all while a new revision replaces an old one."
  type        = string
  default     = "10.8.0.0/22"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) <= 26
    error_message = "Cloud Run needs a subnetwork of /26 or larger."
  }
}

variable "internet_egress" {
  description = "Whether instances may reach the internet, by a NAT. Needed for what is not on Google Cloud, such as an OTLP endpoint elsewhere."
  type        = bool
  default     = false
}

variable "flow_sampling" {
  description = "The part of flows that are logged, 0 to 1; 0 logs none."
  type        = number
  default     = 0
}
