variable "project_id" {
  description = "The project. It exists already, with billing."
  type        = string
}

variable "region" {
  description = "Where everything is, such as `europe-west1`."
  type        = string
}

variable "environment" {
  description = "Name of the environment, for labels."
  type        = string
}

variable "name" {
  description = "The beginning of all names, so that a project can hold more than one platform."
  type        = string
  default     = "millrace"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,18}$", var.name))
    error_message = "A name has 3 to 19 small letters, digits and dashes."
  }
}

variable "labels" {
  description = "Further labels of everything that can have some."
  type        = map(string)
  default     = {}
}

variable "image" {
  description = "The image of everything that runs, by its digest: `…@sha256:…`."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest: a tag says something else tomorrow."
  }
}

variable "collector_image" {
  description = "The image of the OpenTelemetry collector beside API and workers; null for none."
  type        = string
  default     = "us-docker.pkg.dev/cloud-ops-agents-artifacts/google-cloud-opentelemetry-collector/otelcol-google:0.156.0"
}

variable "feeds" {
  description = "The feeds of producers, by name: the namespace that all their messages are of, and the sources that are allowed (null: all). The API's own feed, `api`, comes by itself; it is the only one whose messages say their namespace."
  type = map(object({
    namespace                 = string
    sources                   = optional(list(string))
    quarantine_after_attempts = optional(number)
    schema                    = optional(object({ type = string, definition = string, encoding = string }))
  }))
  default = { usage = { namespace = "default" } }

  validation {
    condition     = !contains(keys(var.feeds), "api")
    error_message = "The feed `api` comes by itself, and only the API publishes to it."
  }
}

variable "producers" {
  description = "Who publishes to which feed, such as `{ usage = [\"serviceAccount:…\"] }`."
  type        = map(set(string))
  default     = {}
}

variable "ack_deadline_seconds" {
  description = "How long a delivery is leased."
  type        = number
  default     = 60
}

variable "archive" {
  description = "Whether raw messages are archived, by subscriptions that no code of ours touches."
  type        = bool
  default     = true
}

variable "spanner" {
  description = "Name of the database (another one after a restore), its edition and size: `autoscaling`, or else a fixed number of processing units; how long backups are kept."
  type = object({
    database         = optional(string, "millrace")
    edition          = optional(string, "ENTERPRISE")
    processing_units = optional(number, 1000)
    autoscaling = optional(object({
      min_processing_units = number
      max_processing_units = number
      cpu_percent          = optional(number, 60)
      storage_percent      = optional(number, 80)
    }))
    backup_days = optional(number, 22)
  })
  default = {}
}

variable "api" {
  description = "Size of the API, and who may send it requests."
  type = object({
    instances = optional(object({ min = number, max = number }), { min = 1, max = 10 })
    cpu       = optional(string, "2")
    memory    = optional(string, "2Gi")
    public    = optional(bool, false)
    ingress   = optional(string, "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")
    invokers  = optional(set(string), [])
  })
  default = {}
}

variable "workers" {
  description = "Size of the worker pool."
  type = object({
    instances = optional(object({ min = number, max = number }), { min = 2, max = 10 })
    cpu       = optional(string, "2")
    memory    = optional(string, "2Gi")
  })
  default = {}
}

variable "schedules" {
  description = "When jobs begin, by their names, as cron lines. A backfill and a reconciliation go on with what was asked for."
  type = map(object({
    cron      = string
    time_zone = optional(string, "Etc/UTC")
    paused    = optional(bool, false)
  }))
  default = {
    invoices  = { cron = "17 * * * *" }
    reconcile = { cron = "37 * * * *" }
    backfill  = { cron = "47 * * * *" }
  }
}

variable "secrets" {
  description = "Secrets by name: the setting that each is the value of, and the components that have it (`api`, `worker`). An operator adds the versions."
  type = map(object({
    setting    = string
    components = set(string)
  }))
  default = {}
}

variable "internet_egress" {
  description = "Whether what runs may reach the internet beyond Google's interfaces."
  type        = bool
  default     = false
}

variable "cmek" {
  description = "Whether everything stored is encrypted with keys of this project's own. Not to be changed later: stores keep the key they were made with."
  type        = bool
  default     = false
}

variable "dataflow" {
  description = "Whether Beam jobs on Dataflow can be launched: their bucket, their key, and the way between their workers."
  type        = bool
  default     = false
}

variable "dataflow_launchers" {
  description = "Who launches and ends jobs on Dataflow, such as `user:…` or `serviceAccount:…`."
  type        = set(string)
  default     = []

  validation {
    condition     = var.dataflow || length(var.dataflow_launchers) == 0
    error_message = "Without jobs on Dataflow there is nobody to launch them."
  }
}

variable "deletion_protection" {
  description = "Whether database, API and workers are protected against being destroyed."
  type        = bool
  default     = true
}

variable "alerts" {
  description = "Who is told of alerts, where the runbooks are, and whether service levels have been measured yet: `measured = false` for the first apply."
  type = object({
    emails   = optional(set(string), [])
    channels = optional(list(string), [])
    measured = optional(bool, true)
    runbooks = optional(string, "docs/runbooks/alerts.md")
  })
  default = {}
}

variable "budget" {
  description = "What a month may cost, in whole units of a currency, before somebody is told; null for no budget."
  type = object({
    billing_account = string
    units           = number
    currency        = string
  })
  default = null
}
