output "names" {
  description = "Names of the schedules."
  value       = { for key, schedule in google_cloud_scheduler_job.this : key => schedule.name }
}
