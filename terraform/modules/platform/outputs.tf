output "api_uri" {
  description = "Where the API is."
  value       = module.api.uri
}

output "image_prefix" {
  description = "What the names of images begin with."
  value       = module.images.prefix
}

output "topics" {
  description = "Topics of the feeds, for producers."
  value       = { for feed, it in module.feeds : feed => it.topic }
}

output "jobs" {
  description = "Names of the jobs in Cloud Run."
  value       = module.jobs.names
}

output "grants" {
  description = "Every grant to an account of ours."
  value       = module.iam.grants
}

output "environment" {
  description = "The settings of everything that runs, for a command that an operator runs elsewhere."
  value       = local.environment
}

output "archive_bucket" {
  description = "The bucket with raw messages; null without one."
  value       = one(module.archive[*].bucket)
}

output "dataflow" {
  description = "The settings of whoever launches jobs on Dataflow, beside `environment`; null without them. The image is named at the launch."
  value = var.dataflow ? merge(
    {
      MILLRACE_DATAFLOW_REGION          = var.region
      MILLRACE_DATAFLOW_STAGING         = module.dataflow[0].staging
      MILLRACE_DATAFLOW_TEMP            = module.dataflow[0].temp
      MILLRACE_DATAFLOW_SERVICE_ACCOUNT = module.iam.emails["dataflow"]
      MILLRACE_DATAFLOW_SUBNETWORK      = module.network.subnetwork
      MILLRACE_DATAFLOW_LABELS          = jsonencode(merge(local.labels, { component = "dataflow" }))
    },
    var.cmek ? { MILLRACE_DATAFLOW_KMS_KEY = local.keys["dataflow"] } : {},
  ) : null
}
