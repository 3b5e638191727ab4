variable "project_id" {
  description = "The project of this environment."
  type        = string
}

variable "region" {
  description = "Where everything is."
  type        = string
}

variable "image" {
  description = "The image of everything that runs, by its digest."
  type        = string
}

variable "producers" {
  description = "Who publishes to which feed."
  type        = map(set(string))
  default     = {}
}

variable "alert_emails" {
  description = "Addresses that are told of every alert."
  type        = set(string)
  default     = []
}

variable "measured" {
  description = "Whether service levels have been measured yet: false for the first apply in a project."
  type        = bool
  default     = true
}

variable "invokers" {
  description = "Who may send the API requests, such as `user:…`; each needs an API key besides."
  type        = set(string)
  default     = []
}

variable "dataflow" {
  description = "Whether Beam jobs on Dataflow can be launched."
  type        = bool
  default     = false
}

variable "dataflow_launchers" {
  description = "Who launches and ends jobs on Dataflow."
  type        = set(string)
  default     = []
}
