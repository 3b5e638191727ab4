output "api_uri" {
  description = "Where the API is."
  value       = module.platform.api_uri
}

output "image_prefix" {
  description = "What the names of images begin with."
  value       = module.platform.image_prefix
}

output "topics" {
  description = "Topics of the feeds, for producers."
  value       = module.platform.topics
}

output "jobs" {
  description = "Names of the jobs in Cloud Run."
  value       = module.platform.jobs
}

output "environment" {
  description = "The settings of everything that runs, for a command that an operator runs elsewhere."
  value       = module.platform.environment
}

output "dataflow" {
  description = "The settings of whoever launches jobs on Dataflow, beside `environment`; null without them."
  value       = module.platform.dataflow
}
