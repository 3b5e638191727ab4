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
  description = "Account, staging and temporary folder of jobs on Dataflow; null without them."
  value = var.dataflow ? {
    service_account = module.iam.emails["dataflow"]
    staging         = module.dataflow[0].staging
    temp            = module.dataflow[0].temp
  } : null
}
