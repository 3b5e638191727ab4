variable "project_id" {
  description = "The project."
  type        = string
}

variable "name" {
  description = "The beginning of the accounts' names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,18}$", var.name))
    error_message = "Names of accounts have at most 30 characters, so this has 3 to 19: small letters, digits and dashes."
  }
}

variable "spanner" {
  description = "The database."
  type = object({
    instance = string
    database = string
  })
}

variable "dataset" {
  description = "The dataset of the warehouse."
  type        = string
}

variable "feeds" {
  description = "Topic and subscription of each feed."
  type = map(object({
    topic        = string
    subscription = string
  }))
}

variable "api_feed" {
  description = "The feed to which only the API publishes."
  type        = string

  validation {
    condition     = contains(keys(var.feeds), var.api_feed)
    error_message = "The API's feed must be one of the feeds."
  }
}

variable "producers" {
  description = "Who publishes to which feed, such as `{ usage = [\"serviceAccount:…\"] }`. Nobody may publish to the API's feed."
  type        = map(set(string))
  default     = {}

  validation {
    condition     = !contains(keys(var.producers), var.api_feed)
    error_message = "Only the API may publish to its feed: what is said there of the namespace is trusted."
  }

  validation {
    condition     = length(setintersection(flatten([for members in values(var.producers) : tolist(members)]), ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "A feed is not for everybody: a producer is a known account."
  }
}

variable "secrets" {
  description = "Which components read which secret."
  type        = map(set(string))
  default     = {}
}
