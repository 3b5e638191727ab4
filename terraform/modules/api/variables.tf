variable "project_id" {
  description = "The project."
  type        = string
}

variable "region" {
  description = "Where it runs."
  type        = string
}

variable "name" {
  description = "Name of the service."
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
  description = "The least and the greatest number of instances. With at least one no request waits for a start."
  type        = object({ min = number, max = number })
  default     = { min = 1, max = 10 }
}

variable "concurrency" {
  description = "How many requests an instance serves side by side."
  type        = number
  default     = 200
}

variable "timeout_seconds" {
  description = "How long a request may take: a long CSV answer is the longest."
  type        = number
  default     = 300
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = string
  default     = "2"
}

variable "memory" {
  description = "Memory of an instance."
  type        = string
  default     = "2Gi"
}

variable "ingress" {
  description = "Where requests may come from."
  type        = string
  default     = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"

  validation {
    condition     = contains(["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"], var.ingress)
    error_message = "The ingress is INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  }
}

variable "public" {
  description = "Whether requests need no account of Google's. API keys are asked for all the same."
  type        = bool
  default     = false
}

variable "invokers" {
  description = "Who may send requests where it is not public, such as `group:…`."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setintersection(var.invokers, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "Say `public = true` to open it to everybody."
  }
}

variable "collector" {
  description = "Image and configuration of the OpenTelemetry collector beside it; null for none."
  type        = object({ image = string, config = string })
  default     = null
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
